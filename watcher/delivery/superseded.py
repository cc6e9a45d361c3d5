"""What became of an alert while it waited: which held alerts a later one makes untrue. Pure.

Nothing is dropped for being old. A held alert is dropped only where a later one on the same channel, about the same
case and the same thing in it, says all of it anew: the appointment that moved twice overnight, the blindness that is
over by morning. An alert that says one thing more stays whole.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from watcher.model.alert import HoldReason
from watcher.model.change import Change, ChangeKind

_MOVED = frozenset({ChangeKind.APPOINTMENT_CHANGED, ChangeKind.APPOINTMENT_CANCELLED})
_STATUS = frozenset({ChangeKind.STAGE_CHANGED, ChangeKind.STATUS_CHANGED})
_REPLACED_ALWAYS: Mapping[ChangeKind, Collection[ChangeKind]] = {
    ChangeKind.APPOINTMENT_SCHEDULED: _MOVED,
    ChangeKind.APPOINTMENT_CHANGED: _MOVED,
    ChangeKind.APPOINTMENT_CANCELLED: {ChangeKind.APPOINTMENT_SCHEDULED, ChangeKind.APPOINTMENT_CHANGED},
    ChangeKind.DEADLINE_NEAR: {ChangeKind.DEADLINE_NEAR, ChangeKind.DEADLINE_PASSED, ChangeKind.ITEM_CLOSED} | _MOVED,
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
_REPLACED_OVERNIGHT: Mapping[ChangeKind, Collection[ChangeKind]] = {
    ChangeKind.STAGE_CHANGED: {ChangeKind.STAGE_CHANGED},
    ChangeKind.STATUS_CHANGED: _STATUS,
    ChangeKind.PART_CHANGED: {ChangeKind.PART_CHANGED},
    ChangeKind.DETAIL_CHANGED: {ChangeKind.DETAIL_CHANGED},
    ChangeKind.SILENT_UPDATE: {ChangeKind.SILENT_UPDATE},
}
"""What the reader needs once in the morning, but in full in a digest, which is a chronicle of the week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFact:
    """What one change says, as far as it decides what replaces it.

    `aspect` tells an item's due date (`due`) from its appointment (`start`), None what concerns both.
    """

    account: str
    case_number: str | None
    kind: ChangeKind
    topic: str | None = None
    aspect: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldAlert:
    """An alert that waits in the outbox of one channel, with all that it says."""

    id: int
    hold_reason: HoldReason
    facts: tuple[ChangeFact, ...]


def fact_of(account: str, change: Change) -> ChangeFact:
    """What `change` says."""
    return ChangeFact(
        account=account,
        case_number=change.case_number,
        kind=change.kind,
        topic=_topic(change),
        aspect=_aspect(change),
    )


def superseded(held: Iterable[HeldAlert], newer: Collection[ChangeFact]) -> tuple[int, ...]:
    """The ids of those of `held` that `newer`, a later alert on the same channel, makes untrue, in the order given.

    What the user said counts too: an item that is `done` is a newer `item_closed`.
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
    if new.kind in _REPLACED_ALWAYS.get(old.kind, ()):
        return True
    return hold_reason is HoldReason.QUIET and new.kind in _REPLACED_OVERNIGHT.get(old.kind, ())


def _topic(change: Change) -> str | None:
    """The item, part or field; one and the same for everything that says where a case or an account stands."""
    if change.kind in _STATUS or change.kind is ChangeKind.STALLED:
        return "stage"
    if change.kind in {ChangeKind.CASE_MISSING, ChangeKind.CASE_RETURNED}:
        return "presence"
    return change.subject


def _aspect(change: Change) -> str | None:
    if change.kind is ChangeKind.APPOINTMENT_SCHEDULED or change.kind in _MOVED:
        return "start"
    if change.kind in {ChangeKind.DEADLINE_NEAR, ChangeKind.DEADLINE_PASSED} and isinstance(change.new, dict):
        return "start" if change.new.get("starts_at") else "due"
    return None
