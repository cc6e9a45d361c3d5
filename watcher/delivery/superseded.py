"""Which held alerts a later alert supersedes. Pure.

Alerts do not expire. A held alert is dropped only if later ones on the same channel, about the same case and topic,
replace everything in it: an appointment that was changed twice overnight, failed checks that work again by morning. An
alert with one more fact is kept unchanged.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from watcher.model.alert import HoldReason
from watcher.model.appointment_time import time_from_json
from watcher.model.change import Change, ChangeKind

_APPOINTMENT_UPDATES = frozenset({ChangeKind.APPOINTMENT_CHANGED, ChangeKind.APPOINTMENT_CANCELLED})
_STATUS = frozenset({ChangeKind.STAGE_CHANGED, ChangeKind.STATUS_CHANGED})
_ALWAYS_REPLACED_BY: Mapping[ChangeKind, Collection[ChangeKind]] = {
    ChangeKind.APPOINTMENT_SCHEDULED: _APPOINTMENT_UPDATES,
    ChangeKind.APPOINTMENT_CHANGED: _APPOINTMENT_UPDATES,
    ChangeKind.APPOINTMENT_CANCELLED: {ChangeKind.APPOINTMENT_SCHEDULED, ChangeKind.APPOINTMENT_CHANGED},
    ChangeKind.DEADLINE_NEAR: _APPOINTMENT_UPDATES
    | {ChangeKind.DEADLINE_NEAR, ChangeKind.DEADLINE_PASSED, ChangeKind.ITEM_CLOSED},
    ChangeKind.STALLED: {ChangeKind.STALLED, ChangeKind.STAGE_CHANGED},
    ChangeKind.LOOK_REMINDER: {ChangeKind.LOOK_REMINDER},
    ChangeKind.CASE_MISSING: {ChangeKind.CASE_RETURNED},
    ChangeKind.CASE_RETURNED: {ChangeKind.CASE_MISSING},
    ChangeKind.SIGN_IN_REJECTED: {ChangeKind.RECOVERED},
    ChangeKind.ACCOUNT_LOCKED: {ChangeKind.RECOVERED},
    ChangeKind.MFA_NEEDED: {ChangeKind.RECOVERED},
    ChangeKind.PORTAL_UNREADABLE: {ChangeKind.RECOVERED},
    ChangeKind.BLIND: {ChangeKind.BLIND, ChangeKind.RECOVERED},
}
_REPLACED_BY_IN_QUIET_HOURS: Mapping[ChangeKind, Collection[ChangeKind]] = {
    ChangeKind.STAGE_CHANGED: {ChangeKind.STAGE_CHANGED},
    ChangeKind.STATUS_CHANGED: _STATUS,
    ChangeKind.PART_CHANGED: {ChangeKind.PART_CHANGED},
    ChangeKind.DETAIL_CHANGED: {ChangeKind.DETAIL_CHANGED},
    ChangeKind.SILENT_UPDATE: {ChangeKind.SILENT_UPDATE},
}
"""Only the latest matters after quiet hours; a digest reports all of them, because it covers a longer time."""


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
class HeldAlert:
    """An alert held in the outbox for one channel, with all its facts."""

    id: int
    hold_reason: HoldReason
    facts: tuple[ChangeFact, ...]


def fact_of(account: str, change: Change) -> ChangeFact:
    """Return the fact that `change` states."""
    return ChangeFact(
        account=account,
        case_number=change.case_number,
        kind=change.kind,
        topic=_topic(change),
        aspect=_aspect(change),
    )


def superseded(held: Iterable[HeldAlert], newer: Collection[ChangeFact]) -> tuple[int, ...]:
    """Return the ids of the held alerts that `newer` replaces, in order. `newer` is a later alert on the same channel.

    What the user entered counts too: marking an item as done is an `item_closed`.
    """
    return tuple(
        alert.id
        for alert in held
        if alert.facts and all(any(_replaces(new, old, alert.hold_reason) for new in newer) for old in alert.facts)
    )


def _replaces(new: ChangeFact, old: ChangeFact, hold_reason: HoldReason) -> bool:
    if (new.account, new.case_number, new.topic) != (old.account, old.case_number, old.topic):
        return False
    if None not in {new.aspect, old.aspect} and new.aspect != old.aspect:
        return False
    if new.kind in _ALWAYS_REPLACED_BY.get(old.kind, ()):
        return True
    return hold_reason is HoldReason.QUIET and new.kind in _REPLACED_BY_IN_QUIET_HOURS.get(old.kind, ())


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
