"""The true story of a run, told by an author who moves a case on only after the program has recorded where it stands.

Each event has a token that occurs nowhere else, such as "q17q" in a status or the due date of an item, so it can be
recognized in the history and in alerts without knowing how the program words them.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from tests.adversary.other_portals import IRCC_NUMBERS, USCIS_NUMBERS, OtherPortals
from tests.adversary.processes import query
from watcher.clock import Clock
from watcher.practice import PracticeCase, PracticePortal

API_NUMBERS = ("IOE0900000011", "IOE0900000012")
FAMILY_NUMBERS = ("EAC9999040021", "EAC9999040022", "EAC9999040023")
TITLES = ("Case Was Transferred", "Case Is Being Actively Reviewed", "Name Was Updated", "Notice Was Mailed")
_NEAR = timedelta(days=60)
_PACE = 0.3
_PACES: Mapping[str, float] = dict.fromkeys(USCIS_NUMBERS, 0.1) | dict.fromkeys(IRCC_NUMBERS, 0.01)
"""How often a case moves when it can. Messages about an application at IRCC take seconds each."""

_VANISH = 0.1
"""How often a case of the list disappears from it instead."""

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

    def is_before(self, day: date) -> bool:
        own = self.due_on or (self.starts_at and self.starts_at.date())
        return own is not None and own < day


@dataclass(slots=True, kw_only=True)
class CaseStory:
    """A case. `status` is what the portal shows last, if in words; `open_items` are by the token in their title.

    `pace` is how often the case moves when it can. `is_hidden`: the portal does not list it now.
    """

    number: str
    status: str = ""
    pace: float = 0.0
    is_hidden: bool = False
    open_items: dict[str, Item] = field(default_factory=dict)
    closed_items: dict[str, Item] = field(default_factory=dict)
    waits_for: Happening | None = None

    def leave_out_passed(self, near: date) -> None:
        """Say nothing more about items whose day is near or past. The portal goes on showing those that are open."""
        for items in (self.open_items, self.closed_items) if self.waits_for is None else ():
            for token in [token for token, item in items.items() if item.is_before(near)]:
                del items[token]


class Author:
    """Tells the story. `tick` is called every now and then, from one thread."""

    def __init__(
        self,
        portal: PracticePortal,
        others: OtherPortals | None,
        clock: Clock,
        database: Path,
        chance: random.Random,
    ) -> None:
        self._portal, self._database, self._chance = portal, database, chance
        self._clock, self._last_day = clock, clock.now().date()
        self._tokens, self._last = 0, 0
        self.happenings: list[Happening] = []
        self._uscis = {case.number: case for case in (others.uscis_cases() if others else ())}
        self._ircc = {case.number: case for case in (others.ircc_cases() if others else ())}
        self._practice = {number: self._new_case(number) for number in (*API_NUMBERS, *FAMILY_NUMBERS)}
        self.cases = {number: self._begin(number) for number in (*self._practice, *self._uscis, *self._ircc)}
        self.is_telling = True

    def tick(self) -> None:
        """Note what the program has recorded, and perhaps move cases on."""
        near = self._clock.now().date() + _NEAR
        for change, number, kind, content in query(self._database, _CHANGES, self._last) or ():
            self._last = change
            story = self.cases.get(number)
            expected = story.waits_for if story else None
            if story is not None and expected is not None and expected.matches(change, number, kind, content):
                expected.change, story.waits_for = change, None
        for story in self.cases.values():
            story.leave_out_passed(near)
            if self.is_telling and story.waits_for is None and self._chance.random() < story.pace:
                self._move(story)

    def waiting(self) -> list[Happening]:
        """Return what the program has not recorded yet."""
        return [story.waits_for for story in self.cases.values() if story.waits_for is not None]

    def _new_case(self, number: str) -> PracticeCase:
        return self._portal.cases.add(number, form="I-765" if number in API_NUMBERS else "I-485")

    def _begin(self, number: str) -> CaseStory:
        story = CaseStory(number=number, pace=_PACES.get(number, _PACE))
        if number not in self._ircc:
            self._show_status(story, f"Case Was Received {self._token()}")
        self._expect(story, "case_added", token="")
        return story

    def _move(self, story: CaseStory) -> None:
        self._chance.choice(self._moves(story))(story)

    def _moves(self, story: CaseStory) -> Sequence[Callable[[CaseStory], None]]:
        if story.is_hidden:
            return [self._return]
        if story.number in self._ircc:
            return [self._event, self._request, *([self._end_request] if story.open_items else [])]
        moves = [self._status, self._status]
        if story.number in FAMILY_NUMBERS:
            moves += [self._letter, self._new_item]
            moves += [self._change_item, self._end_item] if story.open_items else []
            moves += [self._return_item] if story.closed_items else []
            if self._chance.random() < _VANISH and not any(other.is_hidden for other in self.cases.values()):
                return [self._vanish]
        return moves

    def _vanish(self, story: CaseStory) -> None:
        story.is_hidden = True
        self._expect(story, "case_missing", token="")
        self._portal.cases.remove(story.number)

    def _return(self, story: CaseStory) -> None:
        story.is_hidden = False
        self._expect(story, "case_returned", token="")
        self._portal.cases.put_back(self._practice[story.number])

    def _event(self, story: CaseStory) -> None:
        token = self._token()
        self._expect(story, "history_added", token=token)
        self._ircc[story.number].add_event(f"Event {token}")

    def _request(self, story: CaseStory) -> None:
        token = self._token()
        item = Item(key=token, title=f"Do {token}", kind="task")
        story.open_items[token] = item
        self._expect(story, "item_added", token=token)
        self._ircc[story.number].add_request(item.title)

    def _end_request(self, story: CaseStory) -> None:
        token = self._chance.choice(list(story.open_items))
        self._expect(story, "item_closed", token=token)
        self._ircc[story.number].remove_request(story.open_items.pop(token).title)

    def _status(self, story: CaseStory) -> None:
        token = self._token()
        self._expect(story, "stage_changed", "status_changed", token=token)
        self._show_status(story, f"{self._chance.choice(TITLES)} {token}")

    def _show_status(self, story: CaseStory, title: str) -> None:
        story.status = title
        case = self._uscis[story.number] if story.number in self._uscis else self._practice[story.number]
        case.set_status(title)

    def _letter(self, story: CaseStory) -> None:
        token = self._token()
        self._expect(story, "notice_added", token=token)
        self._practice[story.number].add_notice(f"Letter {token}")

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
        self._practice[story.number].add_item(
            item.kind, item.title, key=item.key, due_on=item.due_on, starts_at=item.starts_at
        )

    def _change_item(self, story: CaseStory) -> None:
        item = story.open_items[self._chance.choice(list(story.open_items))]
        if item.due_on:
            item.due_on = self._day()
            self._expect(story, "item_changed", token=item.due_on.isoformat())
            self._practice[story.number].set_due(item.key, item.due_on)
        else:
            item.starts_at = self._moment()
            self._expect(story, "appointment_changed", token=item.title)
            self._practice[story.number].move_appointment(item.key, item.starts_at)

    def _end_item(self, story: CaseStory) -> None:
        token = self._chance.choice(list(story.open_items))
        item = story.open_items.pop(token)
        self._expect(story, "item_closed" if item.due_on else "appointment_cancelled", token=token)
        if item.due_on and self._chance.random() < 0.5:
            self._practice[story.number].answer_item(item.key)
        else:
            story.closed_items[token] = item
            self._practice[story.number].remove_item(item.key)

    def _expect(self, story: CaseStory, *kinds: str, token: str) -> None:
        expected = Happening(number=story.number, kinds=frozenset(kinds), token=token, since=self._last)
        story.waits_for = expected
        self.happenings.append(expected)

    def _token(self) -> str:
        self._tokens += 1
        return f"q{self._tokens}q"

    def _day(self) -> date:
        """Return a day that no other item has, more than a year ahead."""
        day = timedelta(days=1)
        self._last_day = max(self._last_day + day, self._clock.now().date() + 500 * day)
        return self._last_day

    def _moment(self) -> datetime:
        return datetime.combine(self._day(), datetime.min.time()).replace(hour=10)
