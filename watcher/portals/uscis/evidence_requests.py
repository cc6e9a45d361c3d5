"""Requests for evidence and intents to deny, merged from every source that can show one. Pure.

One request appears in up to six sources, in any order and days apart: the status title, earlier titles, event codes,
letters, documents, and the list `evidenceRequests`. Each source has its own IDs, or none. So all dated mentions are
sorted by day and grouped into cycles (asked, reminded, answered), and the entries of `evidenceRequests` are assigned to
the cycles. A cycle is a request, with the ID of its entry and the earliest day that any source gives. A source that
shows the request later adds to its cycle and starts no new one.

A new cycle begins with a mention that asks after an answer, or with one that is too far from the last one to be the
same request (`_SAME_REQUEST`). A mention dated to the days of an earlier cycle belongs to that cycle, even if it was
recorded much later. Mentions without any date belong to the newest cycle.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from watcher.model.case import ItemState
from watcher.portals.uscis.answers import EvidenceRequest
from watcher.portals.uscis.event_codes import CodeMeaning

LIST_SOURCE = "case.evidence_requests"
_SAME_REQUEST = timedelta(days=30)
"""Ordering, sending, and listing one request takes days, at most weeks."""
_SAME_DAYS = timedelta(days=3)
"""Two sources may date the same event slightly apart: local days, UTC, the day of ordering and that of mailing."""
LONGEST_WAIT = timedelta(days=84 + 3 + 14)
"""The longest time for which a request can be open: twelve weeks, three days by mail, two weeks abroad
(8 CFR 103.2(b)(8), 103.8(b), and the USCIS Policy Manual, volume 1, part E, chapter 6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMention:
    """One statement of one source about a request.

    `day` is the day assigned to it, `recorded_on` the later day on which it was recorded, if they differ.
    """

    meaning: CodeMeaning
    day: date | None
    source: str
    recorded_on: date | None = None

    @property
    def latest_day(self) -> date:
        """The later of the two days, `date.max` without one."""
        return max(self.days, default=date.max)

    @property
    def earliest_day(self) -> date:
        """The earlier of the two days, `date.max` without one."""
        return min(self.days, default=date.max)

    @property
    def days(self) -> list[date]:
        """The days that are known."""
        return [day for day in (self.day, self.recorded_on) if day is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseProgress:
    """What the case as a whole says about whether a request can still be open.

    `since` is the day of the current title. `ended`: the case has ended. `asks`: the current title makes this request.
    """

    ended: bool
    asks: bool
    since: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. `asked_on` is the earliest day that any source gives, `portal_id` the ID in `evidenceRequests`."""

    asked_on: date | None
    portal_id: str | None
    state: ItemState
    sources: frozenset[str]


@dataclass(slots=True, kw_only=True)
class _Cycle:
    asked: list[RequestMention] = field(default_factory=list)
    answered: list[RequestMention] = field(default_factory=list)
    entry: EvidenceRequest | None = None

    @property
    def asked_on(self) -> date | None:
        return min((mention.earliest_day for mention in self.asked if mention.days), default=None)

    @property
    def sources(self) -> frozenset[str]:
        listed = {LIST_SOURCE} if self.entry is not None else set()
        return frozenset({mention.source for mention in (*self.asked, *self.answered)} | listed)

    def has_days_of(self, mention: RequestMention) -> bool:
        """Return whether a mention that asks is about this request, judged by its days."""
        return any(_distance(mention, other) <= _SAME_DAYS for other in self.asked)

    def can_include(self, mention: RequestMention) -> bool:
        """Return whether a mention that asks can be about this request, the newest one."""
        if not mention.days:
            return True
        limit = LONGEST_WAIT if mention.meaning is CodeMeaning.REMINDED else _SAME_REQUEST
        return not self.answered and all(mention.earliest_day - other.latest_day <= limit for other in self.asked)


def _distance(one: RequestMention, other: RequestMention) -> timedelta:
    return min(abs(a - b) for a in (one.earliest_day, one.latest_day) for b in (other.earliest_day, other.latest_day))


def find_requests(
    mentions: Sequence[RequestMention], entries: Sequence[EvidenceRequest], progress: CaseProgress, *, implied: bool
) -> tuple[Request, ...]:
    """Return the requests of one kind, in the order in which they were made.

    `implied`: an answer to a request that no source shows (any more) counts as that request.

    Requests are open, answered, or closed if the case has moved on without an answer. Closed ones are included, so
    that a check without the titles does not report them as open.
    """
    cycles = _cycles(mentions, implied=implied)
    _assign_entries(cycles, entries)
    return tuple(
        Request(
            asked_on=cycle.asked_on,
            portal_id=(cycle.entry.id or None) if cycle.entry is not None else None,
            state=_state(cycle, progress, newest=cycle is cycles[-1]),
            sources=cycle.sources,
        )
        for cycle in cycles
    )


def _cycles(mentions: Sequence[RequestMention], *, implied: bool) -> list[_Cycle]:
    cycles: list[_Cycle] = []
    for mention in sorted(mentions, key=lambda m: (m.latest_day, m.meaning is CodeMeaning.ANSWERED, m.earliest_day)):
        if mention.meaning is not CodeMeaning.ANSWERED:
            _add_asked(cycles, mention)
        elif cycles or implied:
            cycles = cycles or [_Cycle()]
            cycles[-1].answered.append(mention)  # an answer belongs to the newest request
    return cycles


def _add_asked(cycles: list[_Cycle], mention: RequestMention) -> None:
    for cycle in cycles:
        if cycle.has_days_of(mention):
            cycle.asked.append(mention)
            return
    if not cycles or not cycles[-1].can_include(mention):
        cycles.append(_Cycle())
    cycles[-1].asked.append(mention)


def _assign_entries(cycles: list[_Cycle], listed: Sequence[EvidenceRequest]) -> None:
    """Assign open entries to the newest cycles and answered ones to the oldest; extra entries become new cycles."""
    entries = sorted(listed, key=_entry_order)
    extra = [_Cycle() for _ in range(len(entries) - len(cycles))]
    newest_is_both = bool(cycles and entries) and not cycles[-1].answered and entries[-1].is_open
    position = len(cycles) - 1 if newest_is_both else len(cycles)
    cycles[position:position] = extra
    for cycle, entry in zip(cycles, [entry for entry in entries if not entry.is_open], strict=False):
        cycle.entry = entry
    for cycle, entry in zip(reversed(cycles), [entry for entry in reversed(entries) if entry.is_open], strict=False):
        cycle.entry = entry


def _entry_order(entry: EvidenceRequest) -> tuple[int, int, str]:
    """Sort by the number in the ID. Without one, all that is known is that answered requests were made first."""
    match = re.fullmatch(r"[^0-9]*([0-9]{1,18})", entry.id)
    return (0, int(match.group(1)), entry.id) if match else (1, int(entry.is_open), entry.id)


def _state(cycle: _Cycle, progress: CaseProgress, *, newest: bool) -> ItemState:
    """Return the state of a request.

    An entry of `evidenceRequests` decides first, then the current title: it asks until there is an answer that is not
    older than the title. Letters, event codes, and earlier titles never disappear, so they count until an answer, or
    until a title is from a day on which the request could not be open any more. Another title answers nothing.
    """
    answered = bool(cycle.answered) or (cycle.entry is not None and not cycle.entry.is_open)
    done = ItemState.ANSWERED if answered else ItemState.CLOSED
    if progress.ended and not _asked_after(cycle, progress.since):
        return done
    if cycle.entry is not None and cycle.entry.is_open:
        return ItemState.OPEN
    if newest and progress.asks and not _answered_since(cycle, progress.since):
        return ItemState.OPEN
    return done if answered or _has_passed(cycle, progress) else ItemState.OPEN


def _asked_after(cycle: _Cycle, day: date | None) -> bool:
    return day is not None and cycle.asked_on is not None and max(mention.latest_day for mention in cycle.asked) > day


def _answered_since(cycle: _Cycle, day: date | None) -> bool:
    return any(day is None or mention.latest_day >= day for mention in cycle.answered)


def _has_passed(cycle: _Cycle, progress: CaseProgress) -> bool:
    days = [mention.latest_day for mention in cycle.asked if mention.latest_day != date.max]
    return bool(days) and progress.since is not None and progress.since - max(days) > LONGEST_WAIT
