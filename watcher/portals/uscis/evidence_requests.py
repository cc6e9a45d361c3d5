"""Requests for evidence, and intents to deny, out of every place that can carry one; each told once. Pure.

One request shows in up to six places, in any order and days apart: the title of the status, earlier titles, event
codes, letters, documents and the list `evidenceRequests`. Each place has its own ids, or none. So a request is known
here by its number within the case: everything that is dated is laid out in the order of its days and split into
rounds (asked, called to mind, answered), the entries of `evidenceRequests` are laid over the rounds, and the n-th
round is the request `rfe:n`, whichever places show it. A place that joins later adds to a round and makes no new one.

A new round begins with an asking mark after an answer, or one that is too far from the last one to be the same
request (`_ONE_REQUEST`); a mark assigned to the very days of an earlier round belongs there even if it was written
much later. What nothing dates belongs to the newest round.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from watcher.model.case import ItemState
from watcher.portals.uscis.answers import EvidenceRequest
from watcher.portals.uscis.event_codes import CodeMeaning

_ONE_REQUEST = timedelta(days=30)
"""Ordering, sending and listing one request takes days, at most weeks."""
_SAME_DAYS = timedelta(days=3)
"""Two places may date the same thing a little apart: local days, UTC, the day of ordering and that of mailing."""
LONGEST_WAIT = timedelta(days=84 + 3 + 14)
"""No request is open for longer: twelve weeks, three days by mail, two weeks abroad (8 CFR 103.2(b)(8), 103.8(b), and
the USCIS Policy Manual, volume 1, part E, chapter 6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMention:
    """One place that says something about a request.

    `day` is the day assigned to it, `written` the later day on which it was put down, where they differ. `status`:
    it comes from the titles of the status; `current`: from the present title.
    """

    meaning: CodeMeaning
    day: date | None
    written: date | None = None
    status: bool = False
    current: bool = False

    @property
    def last(self) -> date:
        """The later one of its days."""
        days = [day for day in (self.day, self.written) if day is not None]
        return max(days, default=date.max)

    @property
    def first(self) -> date:
        """The earlier one of its days."""
        days = [day for day in (self.day, self.written) if day is not None]
        return min(days, default=date.max)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What the case as a whole says about whether a request can still be open.

    `since` is the day of the present title. `over`: the case has ended. `asks`: the present title asks for this.
    """

    over: bool
    asks: bool
    since: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, by its number within the case. `asked_on` is the earliest day that any place gives."""

    number: int
    asked_on: date | None
    state: ItemState


@dataclass(slots=True, kw_only=True)
class _Round:
    asks: list[RequestMention] = field(default_factory=list)
    answers: list[RequestMention] = field(default_factory=list)
    listed: EvidenceRequest | None = None

    @property
    def asked_on(self) -> date | None:
        days = [mark.first for mark in self.asks if mark.day or mark.written]
        return min(days, default=None)

    def takes(self, mark: RequestMention) -> bool:
        """Whether an asking mark is about this request, by its days."""
        return any(_distance(mark, other) <= _SAME_DAYS for other in self.asks)

    def goes_on_with(self, mark: RequestMention) -> bool:
        """Whether an asking mark can be about this request, the newest one."""
        if mark.day is None and mark.written is None:
            return True
        near = LONGEST_WAIT if mark.meaning is CodeMeaning.REMINDED else _ONE_REQUEST
        return not self.answers and all(mark.first - other.last <= near for other in self.asks)


def _distance(one: RequestMention, other: RequestMention) -> timedelta:
    return min(abs(a - b) for a in (one.first, one.last) for b in (other.first, other.last))


def requests(
    marks: Sequence[RequestMention], listed: Sequence[EvidenceRequest], outlook: Outlook, *, implied: bool
) -> tuple[Request, ...]:
    """The requests of one kind, in the order in which they were made.

    `implied`: an answer to a request that no place shows (any more) stands for that request.

    They are open, answered, or closed where the case has moved on without an answer; closed ones are given too, so
    that one read without the titles does not take them for open.
    """
    rounds = _rounds(marks, implied=implied)
    _lay_over(rounds, listed)
    return tuple(
        Request(number=number, asked_on=each.asked_on, state=_state(each, outlook, newest=number == len(rounds)))
        for number, each in enumerate(rounds, start=1)
    )


def _rounds(marks: Sequence[RequestMention], *, implied: bool) -> list[_Round]:
    rounds: list[_Round] = []
    for mark in sorted(marks, key=lambda mark: (mark.last, mark.meaning is CodeMeaning.ANSWERED, mark.first)):
        if mark.meaning is not CodeMeaning.ANSWERED:
            _ask(rounds, mark)
        elif rounds or implied:
            rounds = rounds or [_Round()]
            rounds[-1].answers.append(mark)  # an answer belongs to the newest request
    return rounds


def _ask(rounds: list[_Round], mark: RequestMention) -> None:
    for each in rounds:
        if each.takes(mark):
            each.asks.append(mark)
            return
    if not rounds or not rounds[-1].goes_on_with(mark):
        rounds.append(_Round())
    rounds[-1].asks.append(mark)


def _lay_over(rounds: list[_Round], listed: Sequence[EvidenceRequest]) -> None:
    """Open entries belong to the newest rounds, answered ones to the oldest; what is over makes rounds of its own."""
    entries = sorted(listed, key=_listing)
    unseen = [_Round() for _ in range(len(entries) - len(rounds))]
    newest_is_both = bool(rounds and entries) and not rounds[-1].answers and entries[-1].open
    place = len(rounds) - 1 if newest_is_both else len(rounds)
    rounds[place:place] = unseen
    for each, entry in zip(rounds, [entry for entry in entries if not entry.open], strict=False):
        each.listed = entry
    for each, entry in zip(reversed(rounds), [entry for entry in reversed(entries) if entry.open], strict=False):
        each.listed = entry


def _listing(entry: EvidenceRequest) -> tuple[int, int, str]:
    """Ids that count up tell the order; of others only this is known, that what is answered was asked first."""
    counted = re.fullmatch(r"[^0-9]*([0-9]{1,18})", entry.id)
    return (0, int(counted.group(1)), entry.id) if counted else (1, int(entry.open), entry.id)


def _state(each: _Round, outlook: Outlook, *, newest: bool) -> ItemState:
    """How a request stands.

    The list of evidence requests speaks for itself. The present title comes next: it asks until an answer that is not
    older than it. Letters and event codes stand forever, so they count until an answer, until the titles have gone
    past the request, or until a title is from a day when it could not be open any more.
    """
    answered = bool(each.answers) or (each.listed is not None and not each.listed.open)
    over = ItemState.ANSWERED if answered else ItemState.CLOSED
    if outlook.over and not _after(each, outlook.since):
        return over
    if each.listed is not None and each.listed.open:
        return ItemState.OPEN
    if newest and outlook.asks and not _answered_since(each, outlook.since):
        return ItemState.OPEN
    return over if answered or _gone_by(each, outlook) else ItemState.OPEN


def _after(each: _Round, day: date | None) -> bool:
    return day is not None and each.asked_on is not None and max(mark.last for mark in each.asks) > day


def _answered_since(each: _Round, day: date | None) -> bool:
    return any(day is None or mark.last >= day for mark in each.answers)


def _gone_by(each: _Round, outlook: Outlook) -> bool:
    if any(mark.status and not mark.current for mark in each.asks):
        return True
    lasts = [mark.last for mark in each.asks if mark.last != date.max]
    return bool(lasts) and outlook.since is not None and outlook.since - max(lasts) > LONGEST_WAIT
