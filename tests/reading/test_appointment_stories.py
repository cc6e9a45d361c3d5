"""Stories of interviews, told by sources in any order: each interview is announced once and ends once.

An interview is announced, and then cancelled, moved by a new letter, held, or still ahead at the end. A check is made
every two days. Each source shows what happened with a lag of its own, and may be silent now and then.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doubles import uscis_answers as fake
from tests.reading.followed_case import ENDED, START, FollowedCase
from tests.store.temporary_store import TemporaryStore, temporary_store
from watcher.language.status_meaning import meaning_of
from watcher.model.appointment_time import Moment
from watcher.model.case import ItemKind, PendingItem, Snapshot
from watcher.model.change import ChangeKind
from watcher.portals.uscis.snapshot import snapshot as uscis_snapshot

some = settings(max_examples=12, deadline=None)
REVIEW = "Case Is Being Actively Reviewed By USCIS"
TITLE, LIST, EVENTS = "title", "list", "events"
SOURCES = (TITLE, LIST, EVENTS)
FIRST_DAY = START.date()
MAX_LAG = 3
GAP = MAX_LAG + 2
"""The least number of checks between two things that happen, so that every source shows each of them."""


class End(Enum):
    """How an interview ends, with the title that says so; `MOVED` is announced by the title of the next one."""

    CANCELLED = "Interview Was Cancelled"
    HELD = "Interview Was Completed And My Case Must Be Reviewed"
    MOVED = "Interview Was Rescheduled"
    AHEAD = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interview:
    """An interview: the checks before which it was announced and ended, and when it is."""

    number: int
    announced: int
    end: End
    ended: int
    after_move: bool

    @property
    def title(self) -> str:
        return End.MOVED.value if self.after_move else "Interview Was Scheduled"

    @property
    def at(self) -> datetime:
        """Held ones are on the day before their end, others long after it."""
        day = day_of(self.ended) - timedelta(days=1) if self.end is End.HELD else day_of(self.ended) + timedelta(60)
        return datetime.combine(day, time(14, self.number), UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The interviews, how late each source shows them, and when it is silent."""

    interviews: tuple[Interview, ...]
    lags: dict[str, int]
    silences: frozenset[tuple[int, str]]
    has_ids: bool
    has_days: bool

    @property
    def checks(self) -> range:
        return range(self.interviews[-1].ended + GAP)

    def is_silent(self, check: int, source: str) -> bool:
        """Two checks in a row are never silent, so that no title is missed; a new title comes with the list."""
        if source is LIST and titles(self, check) != titles(self, check - 1):
            return False
        return check % 2 == 0 and (check, source) in self.silences and check < self.checks[-2]

    def shown(self, check: int, source: str) -> list[tuple[Interview, bool]]:
        """Return the interviews that a source shows, each with whether it shows the end."""
        seen = check - self.lags[source]
        return [
            (interview, interview.end is not End.AHEAD and interview.ended <= seen)
            for interview in self.interviews
            if interview.announced <= seen
        ]


def day_of(check: int) -> date:
    return FIRST_DAY + timedelta(days=2 * check)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    interviews: list[Interview] = []
    announced = draw(st.integers(0, 3))
    count = draw(st.integers(1, 3))
    for number in range(1, count + 1):
        is_last = number == count
        ends = [End.CANCELLED, End.HELD, End.AHEAD if is_last else End.MOVED]
        end, ended = draw(st.sampled_from(ends)), announced + GAP + draw(st.integers(0, 3))
        moved = bool(interviews) and interviews[-1].end is End.MOVED
        interviews.append(Interview(number=number, announced=announced, end=end, ended=ended, after_move=moved))
        announced = ended if end is End.MOVED else ended + GAP
    return Story(
        interviews=tuple(interviews),
        lags={source: draw(st.integers(0, MAX_LAG)) for source in SOURCES},
        silences=frozenset(draw(st.sets(st.tuples(st.integers(0, 40), st.sampled_from(SOURCES)), max_size=20))),
        has_ids=draw(st.booleans()),
        has_days=draw(st.booleans()),
    )


def titles(story: Story, check: int) -> list[tuple[str, date]]:
    """Return every title that the portal has shown so far, the present one last."""
    result = [(REVIEW, FIRST_DAY - timedelta(days=9))]
    for interview, is_over in story.shown(check, TITLE):
        result.append((interview.title, day_of(interview.announced)))
        if is_over and interview.end is not End.MOVED:
            result.append((interview.end.value, day_of(interview.ended)))
    return result


def recipe_snapshot(story: Story, check: int) -> Snapshot:
    """Return what a portal with a title and a list of what is open shows at this check."""
    silent = frozenset(source for source in (TITLE, LIST) if story.is_silent(check, source))
    title, day = titles(story, check)[-1]
    is_known = TITLE not in silent
    return Snapshot(
        case_number=fake.RECEIPT,
        status=title if is_known else None,
        stage=meaning_of(title if is_known else "").stage,
        status_since=day if is_known and story.has_days else None,
        pending=tuple(_listed(story, check)) if LIST not in silent else (),
        silent=silent,
        answered_sources=frozenset({TITLE, LIST}) - silent,
    )


def _listed(story: Story, check: int) -> Iterator[PendingItem]:
    for interview, is_over in story.shown(check, LIST):
        if not is_over:
            key = f"I{interview.number}" if story.has_ids else f"interview:{interview.at}"
            yield PendingItem(
                key=key,
                portal_id=key if story.has_ids else None,
                kind=ItemKind.INTERVIEW,
                title="Interview",
                starts_at=Moment(interview.at),
                sources=frozenset({LIST}),
            )


def uscis_answer(story: Story, check: int) -> Snapshot:
    """Return what the online account of USCIS shows at this check: a title, letters that stay, and events."""
    letters = [
        fake.letter(
            shown.number,
            "Appointment Scheduled",
            str(day_of(shown.announced)),
            appointment=shown.at.isoformat().replace("+00:00", "Z"),
        )
        for shown, _ in story.shown(check, LIST)
    ]
    parts: dict[str, Any] = {"notices": letters, "events": list(_codes(story, check))}
    case = fake.case(updated=str(day_of(check)), **parts)
    for name, source in (("notices", LIST), ("events", EVENTS)):
        if story.is_silent(check, source):
            del case[name]
    *earlier, (title, day) = titles(story, check)
    status = fake.status(
        title,
        f"{day:%B} {day.day}, {day.year}",
        currentActionCodeDate=f"{day}T21:58:24.000Z",
        historicalCaseStatuses=[fake.earlier(said, f"{on:%m-%d-%Y}") for said, on in earlier],
    )
    without = ("status",) if story.is_silent(check, TITLE) else ()
    return uscis_snapshot(fake.answers(case, status, without=without), "en")


def _codes(story: Story, check: int) -> Iterator[fake.ENCODED]:
    for interview, is_over in story.shown(check, EVENTS):
        code = "FM" if interview.after_move else "FJ"
        yield fake.event(code, str(day_of(interview.announced)), number=2 * interview.number)
        if is_over and interview.end is End.CANCELLED:
            yield fake.event("FKA", str(day_of(interview.ended)), number=2 * interview.number + 1)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporaryStore]:
    with temporary_store(tmp_path_factory.mktemp("stories")) as opened:
        yield opened


@pytest.mark.parametrize("show", [recipe_snapshot, uscis_answer])
@some
@given(story=stories())
def test_each_interview_is_announced_once_and_ends_once(
    show: Callable[[Story, int], Snapshot], story: Story, stored: TemporaryStore
) -> None:
    case = FollowedCase(temporary=stored)
    for check in story.checks:
        case.check(show(story, check), now=START + timedelta(days=2 * check))
    for item in case.items():
        about = [change for change in case.changes if change.subject == item.item.key]
        announced = [change for change in about if change.kind is ChangeKind.APPOINTMENT_SCHEDULED]
        times = [change.new.get("starts_at") for change in announced if isinstance(change.new, dict)]
        assert len(times) == len(set(times)), "a title may announce it first, then its time; nothing twice"
        assert sum(change.kind in ENDED for change in about) <= 1
    standing = [interview.at for interview in story.interviews if interview.end is End.AHEAD]
    assert [item.item.starts_at for item in case.open_items()] == [Moment(at) for at in standing]
    ends = Counter(interview.end for interview in story.interviews)
    most = ends[End.CANCELLED] + ends[End.MOVED]  # a list may drop the earlier date before the title says it was moved
    assert ends[End.CANCELLED] <= case.count(ChangeKind.APPOINTMENT_CANCELLED) <= most
    assert len(case.items()) <= len(story.interviews)
