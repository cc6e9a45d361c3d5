"""Which alerts that waited are no longer true when they are due. Pure.

Alerts do not expire. One that was held, or that the channel refused at first, is dropped only if later alerts on the
same channel, about the same case and topic, make everything in it untrue: an appointment that was changed twice
overnight, failed checks that work again by morning. Those alerts were really sent or are sent now, and are not less
severe. An alert with one more fact is kept unchanged.

An escalation is dropped if what it is about is over, whether or not the same channel was alerted about that.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from watcher.model.alert import HoldReason
from watcher.model.appointment_time import time_from_json
from watcher.model.change import Change, ChangeKind, Severity

_APPOINTMENT_UPDATES = frozenset({ChangeKind.APPOINTMENT_CHANGED, ChangeKind.APPOINTMENT_CANCELLED})
_APPOINTMENT = _APPOINTMENT_UPDATES | {ChangeKind.APPOINTMENT_SCHEDULED}
_STATUS = frozenset({ChangeKind.STAGE_CHANGED, ChangeKind.STATUS_CHANGED})
_ALWAYS_REPLACED_BY: Mapping[ChangeKind, Collection[ChangeKind]] = {
    ChangeKind.APPOINTMENT_SCHEDULED: _APPOINTMENT,
    ChangeKind.APPOINTMENT_CHANGED: _APPOINTMENT,
    ChangeKind.APPOINTMENT_CANCELLED: {ChangeKind.APPOINTMENT_SCHEDULED, ChangeKind.APPOINTMENT_CHANGED},
    ChangeKind.DEADLINE_NEAR: _APPOINTMENT_UPDATES
    | {ChangeKind.DEADLINE_NEAR, ChangeKind.DEADLINE_PASSED, ChangeKind.ITEM_CLOSED},
    ChangeKind.STALLED: {ChangeKind.STALLED, ChangeKind.STAGE_CHANGED},
    ChangeKind.INQUIRY_OPEN: {ChangeKind.INQUIRY_OPEN},
    ChangeKind.PRIORITY_CURRENT: {ChangeKind.PRIORITY_CURRENT, ChangeKind.PRIORITY_BACK},
    ChangeKind.PRIORITY_BACK: {ChangeKind.PRIORITY_CURRENT, ChangeKind.PRIORITY_BACK},
    ChangeKind.LIST_FAILING: {ChangeKind.LIST_FAILING, ChangeKind.RECOVERED},
    ChangeKind.LOOK_REMINDER: {ChangeKind.LOOK_REMINDER},
    ChangeKind.OFFICIAL_MAIL: {ChangeKind.OFFICIAL_MAIL},
    ChangeKind.REMINDER: {ChangeKind.REMINDER},
    ChangeKind.CASE_MISSING: {ChangeKind.CASE_RETURNED},
    ChangeKind.CASE_RETURNED: {ChangeKind.CASE_MISSING},
    ChangeKind.SIGN_IN_REJECTED: {ChangeKind.RECOVERED},
    ChangeKind.ACCOUNT_LOCKED: {ChangeKind.RECOVERED},
    ChangeKind.MFA_NEEDED: {ChangeKind.RECOVERED},
    ChangeKind.SESSION_ENDED: {ChangeKind.RECOVERED},
    ChangeKind.PORTAL_UNREADABLE: {ChangeKind.RECOVERED},
    ChangeKind.BLIND: {ChangeKind.BLIND, ChangeKind.RECOVERED},
    ChangeKind.CHANNEL_FAILING: {ChangeKind.RECOVERED},
}
_REPLACED_BY_IN_QUIET_HOURS: Mapping[ChangeKind, Collection[ChangeKind]] = {
    ChangeKind.STAGE_CHANGED: {ChangeKind.STAGE_CHANGED},
    ChangeKind.STATUS_CHANGED: _STATUS,
    ChangeKind.PART_CHANGED: {ChangeKind.PART_CHANGED},
    ChangeKind.DETAIL_CHANGED: {ChangeKind.DETAIL_CHANGED},
    ChangeKind.SILENT_UPDATE: {ChangeKind.SILENT_UPDATE},
}
"""Only the latest matters after quiet hours; a digest reports all of them, because it covers a longer time."""

_ENDED_BY: Mapping[ChangeKind, Collection[ChangeKind]] = {
    ChangeKind.RFE_RECEIVED: {ChangeKind.ITEM_CLOSED},
    ChangeKind.INTENT_TO_DENY_RECEIVED: {ChangeKind.ITEM_CLOSED},
    ChangeKind.APPOINTMENT_SCHEDULED: {ChangeKind.ITEM_CLOSED},
    ChangeKind.APPOINTMENT_CHANGED: {ChangeKind.ITEM_CLOSED},
    ChangeKind.DEADLINE_PASSED: {ChangeKind.ITEM_CLOSED},
    ChangeKind.STAGE_CHANGED: {ChangeKind.STAGE_CHANGED},
    ChangeKind.STATUS_CHANGED: _STATUS,
}
"""What ends the matter of an alert, beyond what replaces the alert: the next alert is no substitute for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFact:
    """The part of a change that decides what replaces it.

    `aspect` is an item's due date (`due`) or its appointment (`start`), None if it concerns both.
    """

    account: str
    case_number: str | None
    kind: ChangeKind
    topic: str | None = None
    aspect: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelAlert:
    """An alert that a channel has accepted or gets now. A higher id is later.

    `hold_reason` is why it is held, None if it cannot be dropped: it was sent, or is sent without having waited.
    """

    id: int
    severity: Severity
    facts: tuple[ChangeFact, ...]
    hold_reason: HoldReason | None = None


def fact_of(account: str, change: Change) -> ChangeFact:
    """Return the fact that `change` states."""
    return ChangeFact(
        account=account,
        case_number=change.case_number,
        kind=change.kind,
        topic=_topic(change),
        aspect=_aspect(change),
    )


def superseded(alerts: Iterable[ChannelAlert]) -> dict[int, int]:
    """Return the held alerts of one channel that later ones make untrue: by id, the id of the latest of those.

    `alerts` are those that the channel has accepted and those that it gets now, in any order. What the user entered
    counts too: marking an item as done is an `item_closed`. Takes time in proportion to the number of alerts.
    """
    later = _LaterFacts()
    dropped: dict[int, int] = {}
    for alert in sorted(alerts, key=lambda alert: alert.id, reverse=True):
        replacing = later.replacing(alert)
        if replacing is None:
            later.add(alert)
        else:
            dropped[alert.id] = replacing
    return dropped


def is_over(facts: Collection[ChangeFact], later: Collection[ChangeFact]) -> bool:
    """Return whether later changes of the same case (or account) ended everything that an escalation is about."""
    return bool(facts) and all(any(_ends(new, old) for new in later) for old in facts)


class _LaterFacts:
    """The facts of later alerts by what they are about, each with the latest alert of each severity that states it."""

    def __init__(self) -> None:
        self._ids: dict[_Matter, dict[tuple[ChangeKind, str | None, Severity], int]] = {}

    def add(self, alert: ChannelAlert) -> None:
        """Add an alert that is earlier than all before."""
        for fact in alert.facts:
            ids = self._ids.setdefault(_matter(fact), {})
            ids.setdefault((fact.kind, fact.aspect, alert.severity), alert.id)

    def replacing(self, held: ChannelAlert) -> int | None:
        """Return the latest of the alerts that make all of `held` untrue; None if there are none."""
        if held.hold_reason is None or not held.facts:
            return None
        ids = [max(self._replacing(fact, held, held.hold_reason), default=0) for fact in held.facts]
        return max(ids) if all(ids) else None

    def _replacing(self, old: ChangeFact, held: ChannelAlert, hold_reason: HoldReason) -> Iterator[int]:
        for (kind, aspect, severity), alert_id in self._ids.get(_matter(old), {}).items():
            if severity.rank >= held.severity.rank and _replaces(kind, aspect, old, hold_reason):
                yield alert_id


_Matter: TypeAlias = tuple[str, str | None, str | None]


def _matter(fact: ChangeFact) -> _Matter:
    return fact.account, fact.case_number, fact.topic


def concern_one_matter(one: ChangeFact, other: ChangeFact) -> bool:
    """Return whether two facts are about the same matter, and not one about its due date and one about its start."""
    return _matter(one) == _matter(other) and (None in {one.aspect, other.aspect} or one.aspect == other.aspect)


def _replaces(kind: ChangeKind, aspect: str | None, old: ChangeFact, hold_reason: HoldReason) -> bool:
    if None not in {aspect, old.aspect} and aspect != old.aspect:
        return False
    if kind in _ALWAYS_REPLACED_BY.get(old.kind, ()):
        return True
    return hold_reason is HoldReason.QUIET and kind in _REPLACED_BY_IN_QUIET_HOURS.get(old.kind, ())


def _ends(new: ChangeFact, old: ChangeFact) -> bool:
    if _matter(new) != _matter(old):
        return False
    return _replaces(new.kind, new.aspect, old, HoldReason.ESCALATION) or new.kind in _ENDED_BY.get(old.kind, ())


def _topic(change: Change) -> str | None:
    """Return the item, part, or field; one topic for all changes of stage and status, one for presence."""
    if change.kind in _STATUS or change.kind is ChangeKind.STALLED:
        return "stage"
    if change.kind in {ChangeKind.CASE_MISSING, ChangeKind.CASE_RETURNED}:
        return "presence"
    return change.subject


def _aspect(change: Change) -> str | None:
    if change.kind is ChangeKind.APPOINTMENT_SCHEDULED or change.kind in _APPOINTMENT_UPDATES:
        return "start"
    if change.kind in {ChangeKind.DEADLINE_NEAR, ChangeKind.DEADLINE_PASSED} and isinstance(change.new, dict):
        return "due" if time_from_json(change.new) is None else "start"
    return None
