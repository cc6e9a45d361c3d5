"""The true story of a run, told by an author who moves a case on only after the program has recorded where it stands.

Each event has a token that occurs nowhere else, such as "q17q" in a status or the due date of an item, so it can be
recognized in the history and in alerts without knowing how the program words them.
"""

import random
import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from tests.adversary.clock import MovedClock
from tests.adversary.processes import query
from watcher.practice import PracticeCase, PracticePortal

API_NUMBERS = ("IOE0900000011", "IOE0900000012")
FAMILY_NUMBERS = ("EAC9999040021", "EAC9999040022", "EAC9999040023")
TITLES = ("Case Was Transferred", "Case Is Being Actively Reviewed", "Name Was Updated", "Notice Was Mailed")
_MOVE = 0.3  # how often a case moves when it can
_CHANGES = """SELECT id, case_number, kind, coalesce("old", '') || coalesce("new", '') || summary FROM "change"
    WHERE id > ? ORDER BY id"""


@dataclass(slots=True, kw_only=True)
class Happening:
    """Something that the portal shows from now on.

    It must be recorded once, as a change of one of `kinds` whose content has the token, with a higher id than `since`.
    `change` is the id of that change. `at` is monotonic.
    """

    number: str
    kinds: frozenset[str]
    token: str
    since: int
    at: float = field(default_factory=time.monotonic)
    change: int | None = None

    def matches(self, change: int, number: str | None, kind: str, content: str) -> bool:
        return change > self.since and number == self.number and kind in self.kinds and self.token in content


@dataclass(slots=True)
class Item:
    key: str
    title: str
    kind: str
    due_on: date | None = None
    starts_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class CaseStory:
    """A case. `status` is what the portal shows last; `open_items` are by the token in their title."""

    number: str
    case: PracticeCase
    status: str
    open_items: dict[str, Item] = field(default_factory=dict)
    closed_items: dict[str, Item] = field(default_factory=dict)
    waits_for: Happening | None = None


class Author:
    """Tells the story. `tick` is called every now and then, from one thread."""

    def __init__(self, portal: PracticePortal, clock: MovedClock, database: Path, chance: random.Random) -> None:
        self._portal, self._database, self._chance = portal, database, chance
        self._tokens, self._days, self._last = 0, 0, 0
        self._first_day = clock.now().date() + timedelta(days=500)
        self.happenings: list[Happening] = []
        self.cases = {number: self._begin(number) for number in (*API_NUMBERS, *FAMILY_NUMBERS)}
        self.is_telling = True

    def tick(self) -> None:
        """Note what the program has recorded, and perhaps move cases on."""
        for change, number, kind, content in query(self._database, _CHANGES, self._last) or ():
            self._last = change
            story = self.cases.get(number)
            expected = story.waits_for if story else None
            if story is not None and expected is not None and expected.matches(change, number, kind, content):
                expected.change, story.waits_for = change, None
        for story in self.cases.values():
            if self.is_telling and story.waits_for is None and self._chance.random() < _MOVE:
                self._move(story)

    def waiting(self) -> list[Happening]:
        """Return what the program has not recorded yet."""
        return [story.waits_for for story in self.cases.values() if story.waits_for is not None]

    def _begin(self, number: str) -> CaseStory:
        status = f"Case Was Received {self._token()}"
        form = "I-765" if number in API_NUMBERS else "I-485"
        case = self._portal.cases.add(number, form=form, status=status)
        story = CaseStory(number=number, case=case, status=status)
        self._expect(story, "case_added", token="")
        return story

    def _move(self, story: CaseStory) -> None:
        moves = [self._status, self._status]
        if story.number in FAMILY_NUMBERS:
            moves += [self._letter, self._new_item]
            moves += [self._change_item, self._end_item] if story.open_items else []
            moves += [self._return_item] if story.closed_items else []
        self._chance.choice(moves)(story)

    def _status(self, story: CaseStory) -> None:
        token = self._token()
        story.status = f"{self._chance.choice(TITLES)} {token}"
        story.case.set_status(story.status)
        self._expect(story, "stage_changed", "status_changed", token=token)

    def _letter(self, story: CaseStory) -> None:
        token = self._token()
        self._expect(story, "notice_added", token=token)
        story.case.add_notice(f"Letter {token}")

    def _new_item(self, story: CaseStory) -> None:
        token = self._token()
        if self._chance.random() < 0.5:
            item = Item(key=f"item-{token}", title=f"Send {token}", kind="Request for Evidence", due_on=self._day())
        else:
            item = Item(key=f"item-{token}", title=f"Come {token}", kind="Interview", starts_at=self._moment())
        self._show(story, token, item)

    def _return_item(self, story: CaseStory) -> None:
        token = self._chance.choice(list(story.closed_items))
        self._show(story, token, story.closed_items.pop(token))

    def _show(self, story: CaseStory, token: str, item: Item) -> None:
        story.open_items[token] = item
        self._expect(story, "rfe_received" if item.due_on else "appointment_scheduled", token=token)
        story.case.add_item(item.kind, item.title, key=item.key, due_on=item.due_on, starts_at=item.starts_at)

    def _change_item(self, story: CaseStory) -> None:
        item = story.open_items[self._chance.choice(list(story.open_items))]
        if item.due_on:
            item.due_on = self._day()
            self._expect(story, "item_changed", token=item.due_on.isoformat())
            story.case.set_due(item.key, item.due_on)
        else:
            item.starts_at = self._moment()
            self._expect(story, "appointment_changed", token=item.title)
            story.case.move_appointment(item.key, item.starts_at)

    def _end_item(self, story: CaseStory) -> None:
        token = self._chance.choice(list(story.open_items))
        item = story.open_items.pop(token)
        self._expect(story, "item_closed" if item.due_on else "appointment_cancelled", token=token)
        if item.due_on and self._chance.random() < 0.5:
            story.case.answer_item(item.key)
        else:
            story.closed_items[token] = item
            story.case.remove_item(item.key)

    def _expect(self, story: CaseStory, *kinds: str, token: str) -> None:
        expected = Happening(number=story.number, kinds=frozenset(kinds), token=token, since=self._last)
        story.waits_for = expected
        self.happenings.append(expected)

    def _token(self) -> str:
        self._tokens += 1
        return f"q{self._tokens}q"

    def _day(self) -> date:
        """Return a day that no other item has, more than a year ahead."""
        self._days += 1
        return self._first_day + timedelta(days=self._days)

    def _moment(self) -> datetime:
        return datetime.combine(self._day(), datetime.min.time()).replace(hour=10)
