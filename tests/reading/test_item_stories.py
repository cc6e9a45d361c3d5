"""Stories of requests and appointments, told by sources in any order: each item is one item from first to last.

A story is what really happened at the agency. Each check shows of it what its sources have published by then: a source
may publish days late, may be silent now and then, and may answer for the first time long after the others.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doubles import uscis_answers as fake
from tests.reading.followed_case import ENDED, START, FollowedCase
from tests.store.temporary_store import TemporaryStore, temporary_store
from watcher.language.status_meaning import meaning_of
from watcher.model.appointment_time import Moment
from watcher.model.case import HistoryEntry, ItemKind, ItemState, Notice, PendingItem, Snapshot, Stage
from watcher.model.change import ChangeKind
from watcher.portals.uscis.snapshot import snapshot as uscis_snapshot
from watcher.reading.normalize import normalize

few = settings(max_examples=12, deadline=None)
RFE, RFE_AGAIN = "Request for Initial Evidence Was Sent", "Request for Additional Evidence Was Sent"
RECEIVED = "Response To USCIS' Request For Evidence Was Received"
REVIEW = "Case Is Being Actively Reviewed By USCIS"
TITLE, LIST, EVENTS, LETTERS = "title", "list", "events", "letters"
SOURCES = (TITLE, LIST, EVENTS, LETTERS)
LETTER_DATE = date(2026, 12, 24)
FIRST_DAY = START.date()
LATEST = 4
"""The longest time, in checks, by which a source lags behind. A check is made every two days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedFor:
    """A request of the agency: the checks before which it was made and answered (None if it never was)."""

    number: int
    asked: int
    answered: int | None

    @property
    def day(self) -> date:
        return day_of(self.asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What happened, how late each source shows it, when each source first answers, and when it is silent."""

    requests: tuple[AskedFor, ...]
    lags: dict[str, int]
    first_answers: dict[str, int]
    silences: frozenset[tuple[int, str]]
    has_ids: bool
    keeps_answered: bool

    @property
    def checks(self) -> range:
        last = max((request.answered or request.asked) for request in self.requests)
        return range(max(last + LATEST, *self.first_answers.values()) + 2)

    def is_silent(self, check: int, source: str) -> bool:
        is_last = check >= self.checks[-2]
        return not is_last and ((check, source) in self.silences or check < self.first_answers[source])

    def shown(self, check: int, source: str) -> list[tuple[AskedFor, bool]]:
        """Return the requests that a source shows, each with whether it shows the answer."""
        seen = check - self.lags[source]
        return [
            (request, request.answered is not None and request.answered <= seen)
            for request in self.requests
            if request.asked <= seen
        ]


def day_of(check: int) -> date:
    return FIRST_DAY + timedelta(days=2 * check)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    asked = draw(st.integers(0, 6))
    answered = asked + draw(st.integers(LATEST + 1, 8))
    requests = [AskedFor(number=1, asked=asked, answered=answered)]
    if draw(st.booleans()):
        again = max(answered + LATEST + 1, asked + 20)
        end = draw(st.none() | st.integers(again + LATEST + 1, again + 8))
        requests.append(AskedFor(number=2, asked=again, answered=end))
    elif draw(st.booleans()):
        requests = [AskedFor(number=1, asked=asked, answered=None)]
    late = draw(st.sets(st.sampled_from(SOURCES), max_size=len(SOURCES) - 1))
    return Story(
        requests=tuple(requests),
        lags={source: draw(st.integers(0, LATEST)) for source in SOURCES},
        first_answers={source: draw(st.integers(1, 24)) if source in late else 0 for source in SOURCES},
        silences=frozenset(draw(st.sets(st.tuples(st.integers(0, 40), st.sampled_from(SOURCES)), max_size=25))),
        has_ids=draw(st.booleans()),
        keeps_answered=draw(st.booleans()),
    )


# --- a portal with a title, a list, events, and letters -----------------------------------------------------------


def portal_snapshot(story: Story, check: int) -> Snapshot:
    """Return what a portal of no special kind shows at this check."""
    silent = frozenset(source for source in SOURCES if story.is_silent(check, source))
    items = list(_listed(story, check)) if LIST not in silent else []
    title = None if TITLE in silent else _title(story, check)
    return Snapshot(
        case_number=fake.RECEIPT,
        status=title and title[0],
        stage=meaning_of(title[0] if title else "").stage,
        status_since=title and title[1],
        pending=tuple(items),
        notices=_letters(story, check) if LETTERS not in silent else (),
        history=_events(story, check) if EVENTS not in silent else (),
        silent=silent,
        answered_sources=frozenset(SOURCES) - silent,
    )


def _title(story: Story, check: int) -> tuple[str, date]:
    shown = story.shown(check, TITLE)
    if not shown:
        return REVIEW, FIRST_DAY
    request, is_answered = shown[-1]
    if is_answered and request.answered is not None:
        return RECEIVED, day_of(request.answered)
    return (RFE if request.number == 1 else RFE_AGAIN), request.day


def _listed(story: Story, check: int) -> Iterator[PendingItem]:
    for request, is_answered in story.shown(check, LIST):
        if is_answered and not story.keeps_answered:
            continue
        name = f"R{request.number}"
        yield PendingItem(
            key=name if story.has_ids else f"rfe:{request.day}",
            portal_id=name if story.has_ids else None,
            kind=ItemKind.RFE,
            title="Request for Evidence",
            asked_on=request.day,
            state=ItemState.ANSWERED if is_answered else ItemState.OPEN,
            sources=frozenset({LIST}),
        )


def _letters(story: Story, check: int) -> tuple[Notice, ...]:
    return tuple(
        Notice(key=f"L{request.number}", title=RFE, dated=request.day, source=LETTERS)
        for request, _ in story.shown(check, LETTERS)
    )


def _events(story: Story, check: int) -> tuple[HistoryEntry, ...]:
    return tuple(
        HistoryEntry(key=f"E{request.number}", title="IK", at=request.day, code="IK", source=EVENTS)
        for request, _ in story.shown(check, EVENTS)
    )


# --- the online account of USCIS ----------------------------------------------------------------------------------


def uscis_answer(story: Story, check: int) -> Snapshot:
    """Return what the online account of USCIS shows at this check, with the parts of its answers as sources."""
    parts: dict[str, Any] = {"events": None, "notices": None, "evidenceRequests": None}
    if not story.is_silent(check, EVENTS):
        parts["events"] = list(_codes(story, check))
    if not story.is_silent(check, LETTERS):
        shown = story.shown(check, LETTERS)
        parts["notices"] = [fake.letter(request.number, RFE, str(request.day)) for request, _ in shown]
    if not story.is_silent(check, LIST):
        shown = story.shown(check, LIST)
        parts["evidenceRequests"] = [fake.request(request.number, answered=answered) for request, answered in shown]
    case = fake.case(updated=str(day_of(check)), **{name: part for name, part in parts.items() if part is not None})
    for name in [name for name, part in parts.items() if part is None]:
        del case[name]
    title, day = _title(story, check)
    status = fake.status(title, f"{day:%B} {day.day}, {day.year}")
    without = ("status",) if story.is_silent(check, TITLE) else ()
    return uscis_snapshot(fake.answers(case, status, without=without), "en")


def _codes(story: Story, check: int) -> Iterator[fake.ENCODED]:
    for request, is_answered in story.shown(check, EVENTS):
        yield fake.event("IK", str(request.day), number=2 * request.number)
        if is_answered and request.answered is not None:
            yield fake.event("HA", str(day_of(request.answered)), number=2 * request.number + 1)


# --- the facts ----------------------------------------------------------------------------------------------------

Shows = Callable[[Story, int], Snapshot]
SHOWS = pytest.mark.parametrize("show", [portal_snapshot, uscis_answer])


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporaryStore]:
    folder: Path = tmp_path_factory.mktemp("stories")
    with temporary_store(folder) as opened:
        yield opened


def play(story: Story, case: FollowedCase, show: Shows) -> None:
    """Check the case to the end. The user enters date and `done` as soon as the first request is known."""
    entered = False
    for check in story.checks:
        case.check(show(story, check), now=START + timedelta(days=2 * check))
        if not entered and (items := case.open_items()):
            case.enter(items[0], LETTER_DATE)
            entered = True
    assert len(case.items()) <= len(story.requests)


@SHOWS
@few
@given(story=stories())
def test_each_request_is_one_item_that_keeps_what_the_user_entered(
    show: Shows, story: Story, stored: TemporaryStore
) -> None:
    case = FollowedCase(temporary=stored)
    play(story, case, show)
    for item in case.items():
        about = [change.kind for change in case.changes if change.subject == item.item.key]
        assert about.count(ChangeKind.RFE_RECEIVED) <= 1
        assert sum(kind in ENDED for kind in about) <= 1
        if item.state in {ItemState.OPEN, ItemState.DONE} or item.item.key not in case.once_open:
            assert not any(kind in ENDED for kind in about)
        else:
            assert any(kind in ENDED for kind in about)
    is_over = [request.answered is not None for request in story.requests]
    assert len(case.open_items()) == is_over.count(False)
    others = [item for item in case.items() if item.letter_due_on is None]
    assert len(case.items()) - len(others) <= 1
    assert all(item.state is not ItemState.DONE for item in others)
    assert all(item.state is not ItemState.OPEN for item in case.items() if item not in others)


@SHOWS
@few
@given(story=stories(), data=st.data())
def test_silence_and_repetition_change_nothing(
    show: Shows, story: Story, data: st.DataObject, stored: TemporaryStore
) -> None:
    case = FollowedCase(temporary=stored)
    stop = data.draw(st.integers(1, len(story.checks) - 1))
    for check in story.checks[:stop]:
        case.check(show(story, check), now=START + timedelta(days=2 * check))
    last = stop - 1
    fresh = show(story, last)
    assert case.check(fresh) == []
    assert case.before is not None
    assert normalize(case.before, fresh, vocabulary="uscis") == case.before
    quiet = frozenset((last, source) for source in data.draw(st.sets(st.sampled_from(SOURCES), max_size=3)))
    silenced = replace(story, silences=story.silences | quiet)
    assert case.check(show(silenced, last)) == []
    assert case.check(fresh) == []


@SHOWS
@few
@given(story=stories(), late=st.sampled_from(SOURCES))
def test_what_a_late_source_shows_of_the_past_is_not_news(
    show: Shows, story: Story, late: str, stored: TemporaryStore
) -> None:
    """Every source but one has told the whole story; the last one then tells it, too."""
    end = story.checks[-1]
    all_silent = {**dict.fromkeys(SOURCES, 0), late: end}
    without = replace(story, lags=dict.fromkeys(SOURCES, 0), first_answers=all_silent, silences=frozenset())
    case = FollowedCase(temporary=stored)
    for check in without.checks[:-2]:
        case.check(show(without, check), now=START + timedelta(days=2 * check))
    changes = case.check(show(without, without.checks[-1]))
    assert [change.kind for change in changes if change.kind is not ChangeKind.SILENT_UPDATE] == []


@pytest.mark.parametrize("beside", [True, False])
def test_appointment_that_vanishes_and_returns_unchanged_is_announced_again(
    stored: TemporaryStore, *, beside: bool
) -> None:
    interview = PendingItem(
        key="1", portal_id="1", kind=ItemKind.INTERVIEW, title="Interview", starts_at=Moment(START + timedelta(days=60))
    )
    others = (
        (replace(interview, key="2", portal_id="2", starts_at=Moment(START + timedelta(days=61))),) if beside else ()
    )
    shown = Snapshot(case_number="IOE0900000001", stage=Stage.UNDER_REVIEW, status=REVIEW, pending=(interview, *others))
    case = FollowedCase(temporary=stored)
    case.check(shown)
    for _ in range(2):
        assert [change.kind for change in case.check(replace(shown, pending=others))] == [
            ChangeKind.APPOINTMENT_CANCELLED
        ]
        assert case.check(replace(shown, pending=others)) == []
        assert [change.kind for change in case.check(shown)] == [ChangeKind.APPOINTMENT_SCHEDULED]
        assert case.check(shown) == []


def test_a_silent_list_leaves_open_what_it_showed_as_open(stored: TemporaryStore) -> None:
    story = Story(
        requests=(AskedFor(number=1, asked=0, answered=8),),
        lags={TITLE: 0, LIST: 1, EVENTS: 0, LETTERS: 0},
        first_answers=dict.fromkeys(SOURCES, 0),
        silences=frozenset(),
        has_ids=False,
        keeps_answered=False,
    )
    case = FollowedCase(temporary=stored)
    for check in story.checks[:9]:
        case.check(uscis_answer(story, check), now=START + timedelta(days=2 * check))
    silenced = replace(story, silences=frozenset({(8, LIST), (8, TITLE)}))
    assert case.check(uscis_answer(silenced, 8)) == []
    assert len(case.open_items()) == 1
