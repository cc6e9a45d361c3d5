"""What the stored JSON of a change says, as far as it decides which text the change has. Pure."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from watcher.language.date_text import differ_only_in_day, parse_moment
from watcher.model.appointment_time import time_from_json
from watcher.model.case import ItemKind
from watcher.model.change import Change, ChangeKind, CloseReason

_Json: TypeAlias = Mapping[str, Any]

_ITEM_KINDS = {kind.value: kind for kind in ItemKind}
_CLOSE_REASONS = {reason.value: reason for reason in CloseReason}
FOR_CLIENT = "for_client"
"""The key that marks a change as written for somebody who cannot repair the account. It is never stored."""

_DEADLINE_KINDS = frozenset({ChangeKind.DEADLINE_NEAR, ChangeKind.DEADLINE_PASSED})
_ANNOUNCED_APPOINTMENTS = frozenset({ChangeKind.APPOINTMENT_SCHEDULED, ChangeKind.APPOINTMENT_CHANGED})
OVER_KINDS = frozenset({ChangeKind.ITEM_CLOSED, ChangeKind.APPOINTMENT_CANCELLED})
_VARIANTS = {
    ChangeKind.CASE_NOT_FOUND: ("elsewhere",),
    ChangeKind.PORTAL_UNREADABLE: ("partly", "blocked"),
    ChangeKind.BLIND: (FOR_CLIENT, "handover"),
    ChangeKind.LOOK_REMINDER: ("handover",),
    ChangeKind.LIST_FAILING: ("old",),
    ChangeKind.STALLED: ("may_ask",),
}
_UNEXPLAINED = frozenset({CloseReason.UNLISTED, CloseReason.NOTHING_OUTSTANDING, CloseReason.CANCELLED})
_OWN_TEXT = frozenset(CloseReason) - {CloseReason.CANCELLED, CloseReason.NOTHING_OUTSTANDING}


def item_kind_of(change: Change) -> ItemKind:
    """Return the kind of the pending item that the change is about; `task` if unknown."""
    kind = (object_of(change.new) or object_of(change.old)).get("kind")
    return _ITEM_KINDS.get(kind, ItemKind.TASK) if isinstance(kind, str) else ItemKind.TASK


def is_estimated(change: Change) -> bool:
    """Return whether the change contains a due date that still applies and is only an estimate."""
    values = object_of(change.new)
    if change.kind in OVER_KINDS:
        return False
    if "source" in values:
        return values.get("source") == "estimate"
    return bool(values.get("due_by_estimate")) and not values.get("due_on")


def names_appointment(change: Change) -> bool:
    """Return whether the change contains the time of an appointment that is not cancelled."""
    return change.kind not in OVER_KINDS and time_from_json(object_of(change.new)) is not None


def has_passed(change: Change) -> bool:
    """Return whether an appointment that is announced, or moved, had passed by then."""
    return change.kind in _ANNOUNCED_APPOINTMENTS and object_of(change.new).get("has_passed") is True


def close_reason(change: Change) -> CloseReason | None:
    """Return why the item of an `item_closed` is over; None for other changes and those of earlier releases."""
    reason = object_of(change.new).get("reason") if change.kind is ChangeKind.ITEM_CLOSED else None
    return _CLOSE_REASONS.get(reason) if isinstance(reason, str) else None


def may_be_unanswered(change: Change) -> bool:
    """Return whether the portal ceased to ask for something, and neither an answer nor the end of the case was why.

    The user may still be working on the answer.
    """
    return close_reason(change) in _UNEXPLAINED and not item_kind_of(change).is_appointment


def object_of(value: object) -> _Json:
    """Return a JSON object, or an empty one if the value is none."""
    return value if isinstance(value, Mapping) else {}


def is_for_client(change: Change) -> bool:
    """Return whether the change is written for somebody who cannot repair the account."""
    return bool(object_of(change.new).get(FOR_CLIENT))


def is_about_list(change: Change) -> bool:
    """Return whether the change says that a published list cannot be used, or can be used again."""
    if change.kind is ChangeKind.RECOVERED:
        return object_of(change.new).get("after") == ChangeKind.LIST_FAILING
    return change.kind is ChangeKind.LIST_FAILING


def message_key(change: Change) -> str:
    """Return the key of the messages about this change, below `change` in the catalogues."""
    if change.kind is ChangeKind.RECOVERED:
        return _recovery_key(change)
    if has_passed(change):
        return "appointment_passed"
    if change.kind in _DEADLINE_KINDS and names_appointment(change):
        return f"{change.kind}_appointment"
    for variant in _VARIANTS.get(change.kind, ()):
        if object_of(change.new).get(variant):
            return f"{change.kind}_{variant}"
    if change.kind is ChangeKind.STATUS_CHANGED:
        return f"{change.kind}{_what_changed(object_of(change.old), object_of(change.new))}"
    reason = close_reason(change)
    return f"{change.kind}_{reason}" if reason in _OWN_TEXT else change.kind.value


def _recovery_key(change: Change) -> str:
    if is_about_list(change):
        return "list_recovered"
    if change.subject is not None:
        return "channel_recovered"
    is_readable = object_of(change.new).get("after") == ChangeKind.PORTAL_UNREADABLE
    return "recovered_readable" if is_readable else "recovered"


def _what_changed(old: _Json, new: _Json) -> str:
    """Return the ending of the message for a new date or a new text under the same status; "" for a new status."""
    texts = (old.get("description") or "", new.get("description") or "")
    if not new.get("status") or old.get("status") != new.get("status"):
        return ""
    day, new_day = parse_moment(old.get("since")), parse_moment(new.get("since"))
    if day is None or new_day is None or day == new_day:
        return "_text"
    is_same = texts[0] == texts[1] or differ_only_in_day(*texts, day, new_day)
    return "_date" if is_same else "_text"
