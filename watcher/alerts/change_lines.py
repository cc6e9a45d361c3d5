"""One change as one line, for the history, the beginning of an alert, and its title. Pure.

The text is made from the stored JSON of the change. If a key is missing or has the wrong type, only the part of the
line that needs it is left out.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from watcher.alerts.change_facts import OVER_KINDS, close_reason, is_estimated, item_kind_of, message_key, object_of
from watcher.alerts.style import MAX_TEXT_LENGTH, TextStyle
from watcher.language.catalogue import format_text
from watcher.model.appointment_time import time_from_json
from watcher.model.case import ItemState
from watcher.model.change import Change, ChangeKind

Fields: TypeAlias = dict[str, str]
_Json: TypeAlias = Mapping[str, Any]

_SHAREABLE_DETAILS = frozenset({"form", "office", "submitted_on"})


def line_of(change: Change, style: TextStyle, *, visible_status: str | None = None) -> str:
    """Return what happened, in one line. Leaves out `visible_status`, which the reader sees anyway."""
    fields = fields_of(change, style)
    if _FIELD_BUILDERS.get(change.kind) in (_status_fields, _item_fields):
        quoted = style.quoted(visible_status)
        fields |= {name: "" for name in ("status", "title") if fields.get(name) == quoted}
    return style.catalogue.format("change", message_key(change), "line", **fields)


def headline_of(change: Change, style: TextStyle) -> str:
    """Return what happened, in a few words: for a new status in the portal's own, not by the stage they stand for."""
    return style.catalogue.format("change", message_key(change), "headline", **fields_of(change, style))


def meaning_of_change(change: Change, style: TextStyle, part: str) -> str:
    """Return the catalogue's text for this kind of change; `part` is `plain` (what it means) or `next`."""
    template = style.catalogue.message("change", message_key(change), part)
    return format_text(template, fields_of(change, style)) if template else ""


def fields_of(change: Change, style: TextStyle) -> Fields:
    """Return all fields that the messages about this change can contain."""
    build = _FIELD_BUILDERS.get(change.kind, _no_fields)
    return build(change, object_of(change.old), object_of(change.new), style)


def status_of(change: Change) -> str | None:
    """Return the status or item title that the change is about, in the portal's words; None for other changes."""
    if _FIELD_BUILDERS.get(change.kind) not in (_status_fields, _item_fields):
        return None
    values = object_of(change.new) or object_of(change.old)
    title = values.get("status") or values.get("title")
    return title if isinstance(title, str) else None


# --- the fields of each kind of change ----------------------------------------------------------------------------


def _status_fields(_: Change, old: _Json, new: _Json, style: TextStyle) -> Fields:
    stage, status = _stage(new.get("stage"), style), style.quoted(new.get("status"))
    stage = stage or style.catalogue.message("stage", "unknown", "name")
    return {
        "old_stage": _stage(old.get("stage"), style),
        "new_stage": stage,
        "status": status,
        "words": status or stage,
        "quoted_status": status,
        "since": style.day(new.get("since")),
        "old_since": _if_different(style.day(old.get("since")), style.day(new.get("since"))),
        "form": style.portal_text(new.get("form")),
    }


def _item_fields(change: Change, old: _Json, new: _Json, style: TextStyle) -> Fields:
    values = new or old
    when, old_when = time_from_json(values), time_from_json(old)
    present = None if change.kind in OVER_KINDS else time_from_json(new)
    is_overdue = new.get("is_overdue") is True
    return {
        "agency": style.portal_text(style.agency) or style.catalogue.message("general", "agency"),
        "kind": style.catalogue.message("item", item_kind_of(change), "name"),
        "title": style.quoted(values.get("title")),
        "due": "" if is_overdue else _due(new, style),
        "overdue": _due(new, style) if is_overdue else "",
        "over": style.catalogue.message("general", "overdue") if is_overdue else "",
        "asked": "" if item_kind_of(change).is_appointment else style.day(values.get("asked_on")),
        "when": style.appointment(when),
        "brief_when": style.brief_appointment(when),
        "old_when": _if_different(style.appointment(old_when), style.appointment(present)),
        "place": style.portal_text(values.get("place")),
        "old_place": _if_different(style.portal_text(old.get("place")), style.portal_text(new.get("place"))),
        "how": _how(change, new, style),
        "soon": _soon(new.get("days"), style),
        "mark": style.catalogue.message("due_source", "estimate") if is_estimated(change) else "",
    }


def _how(change: Change, new: _Json, style: TextStyle) -> str:
    """Return how an item came to its state, as far as the portal tells."""
    reason, kind = close_reason(change), item_kind_of(change)
    if reason is not None:
        specific = style.catalogue.message("close_reason", f"{reason}_{'appointment' if kind.is_appointment else kind}")
        return specific or style.catalogue.message("close_reason", reason)
    state = new.get("state") if new else ItemState.CLOSED
    return style.catalogue.message("item_state", state) if isinstance(state, str) else ""


def _part_fields(_: Change, old: _Json, new: _Json, style: TextStyle) -> Fields:
    return {
        "title": style.portal_text((new or old).get("title")),
        "old": style.quoted(old.get("status")),
        "new": style.quoted(new.get("status")) or style.catalogue.message("general", "gone"),
    }


def _detail_fields(change: Change, _: _Json, __: _Json, style: TextStyle) -> Fields:
    """Return the fields of a changed detail. If it might name a person, only `full` privacy shows the values."""
    label = style.catalogue.message("field", change.subject or "") or style.catalogue.message("field", "other")
    is_visible = style.privacy == "full" or change.subject in _SHAREABLE_DETAILS
    new = _value(change.new, style) or style.catalogue.message("general", "nothing")
    return {
        "field": label,
        "old": _value(change.old, style) if is_visible else "",
        "new": new if is_visible else style.catalogue.message("general", "changed"),
    }


def _notice_fields(_: Change, old: _Json, new: _Json, style: TextStyle) -> Fields:
    values = new or old
    title, dated = style.document_title(values.get("title")), style.day(values.get("dated"))
    return {
        "title": title,
        "dated": dated,
        "old_title": _if_different(style.document_title(old.get("title")), title),
        "old_dated": _if_different(style.day(old.get("dated")), dated),
    }


def _history_fields(_: Change, old: _Json, new: _Json, style: TextStyle) -> Fields:
    values = new or old
    title, at = style.quoted(values.get("title")), style.portal_day(values.get("at"))
    return {
        "title": title,
        "at": at,
        "hint": style.portal_text(values.get("hint")),
        "old_title": _if_different(style.quoted(old.get("title")), title),
        "old_at": _if_different(style.portal_day(old.get("at")), at),
    }


def _silent_update_fields(change: Change, _: _Json, __: _Json, style: TextStyle) -> Fields:
    return {"new": style.portal_moment(change.new)}


def _stall_fields(_: Change, __: _Json, new: _Json, style: TextStyle) -> Fields:
    return {
        "days": style.plural("days", new.get("days")),
        "threshold": style.plural("days", new.get("threshold_days")),
        "published": style.plural("days", new.get("published_days")),
        "stage": _stage(new.get("stage"), style),
        "since": style.day(new.get("since")),
        "touched": style.day(new.get("touched_on")),
        "inquiry_from": style.day(new.get("inquiry_from")),
        "form": style.portal_text(new.get("form")),
    }


def _look_reminder_fields(change: Change, _: _Json, new: _Json, style: TextStyle) -> Fields:
    """Return what to enter on the site and what to type afterwards; a masked number cannot be typed."""
    number = style.number(change.case_number or "") if style.privacy == "full" else ""
    site = new.get("site")
    return {
        "looked": style.day(new.get("looked_at")),
        "enter": style.catalogue.message("enter", site) if isinstance(site, str) else "",
        "case": f'"{number}"' if " " in number else number or style.catalogue.message("general", "your_case"),
    }


def _account_fields(change: Change, _: _Json, new: _Json, style: TextStyle) -> Fields:
    return {
        "agency": style.portal_text(new.get("agency")),
        "reason": style.portal_text(new.get("reason"), max_length=MAX_TEXT_LENGTH),
        "since": style.moment(new.get("since")),
        "attempts": style.plural("attempts", new.get("attempts")),
        "reads": style.plural("reads", new.get("reads")),
        "account": _account_name(style),
        "channel": style.portal_text(change.subject),
    }


def _clock_fields(_: Change, __: _Json, new: _Json, style: TextStyle) -> Fields:
    return {"ahead": style.plural("days", new.get("days")) or style.plural("hours", new.get("hours"))}


def _account_name(style: TextStyle) -> str:
    """Return the account's name for use in a command, or a placeholder."""
    name = style.portal_text(style.account) if style.privacy == "full" else ""
    return name or style.catalogue.message("general", "your_account")


def _no_fields(_: Change, __: _Json, ___: _Json, ____: TextStyle) -> Fields:
    return {}


_FIELD_BUILDERS: Mapping[ChangeKind, Callable[[Change, _Json, _Json, TextStyle], Fields]] = {
    ChangeKind.STAGE_CHANGED: _status_fields,
    ChangeKind.STATUS_CHANGED: _status_fields,
    ChangeKind.CASE_ADDED: _status_fields,
    ChangeKind.RFE_RECEIVED: _item_fields,
    ChangeKind.INTENT_TO_DENY_RECEIVED: _item_fields,
    ChangeKind.APPOINTMENT_SCHEDULED: _item_fields,
    ChangeKind.APPOINTMENT_CHANGED: _item_fields,
    ChangeKind.APPOINTMENT_CANCELLED: _item_fields,
    ChangeKind.ITEM_ADDED: _item_fields,
    ChangeKind.ITEM_CHANGED: _item_fields,
    ChangeKind.ITEM_CLOSED: _item_fields,
    ChangeKind.DEADLINE_NEAR: _item_fields,
    ChangeKind.DEADLINE_PASSED: _item_fields,
    ChangeKind.PART_CHANGED: _part_fields,
    ChangeKind.DETAIL_CHANGED: _detail_fields,
    ChangeKind.NOTICE_ADDED: _notice_fields,
    ChangeKind.NOTICE_CHANGED: _notice_fields,
    ChangeKind.NOTICE_REMOVED: _notice_fields,
    ChangeKind.HISTORY_ADDED: _history_fields,
    ChangeKind.HISTORY_CHANGED: _history_fields,
    ChangeKind.HISTORY_REMOVED: _history_fields,
    ChangeKind.SILENT_UPDATE: _silent_update_fields,
    ChangeKind.STALLED: _stall_fields,
    ChangeKind.LOOK_REMINDER: _look_reminder_fields,
    ChangeKind.CASE_MISSING: _account_fields,
    ChangeKind.CASE_NOT_FOUND: _account_fields,
    ChangeKind.SIGN_IN_REJECTED: _account_fields,
    ChangeKind.ACCOUNT_LOCKED: _account_fields,
    ChangeKind.MFA_NEEDED: _account_fields,
    ChangeKind.SESSION_ENDED: _account_fields,
    ChangeKind.PORTAL_UNREADABLE: _account_fields,
    ChangeKind.BLIND: _account_fields,
    ChangeKind.RECOVERED: _account_fields,
    ChangeKind.CHANNEL_FAILING: _account_fields,
    ChangeKind.CLOCK_SET_BACK: _clock_fields,
}


def _stage(value: object, style: TextStyle) -> str:
    return style.catalogue.message("stage", value, "name") if isinstance(value, str) else ""


def _due(item: _Json, style: TextStyle) -> str:
    due, source = item.get("due_on"), item.get("source") or "portal"
    if not due:
        due, source = item.get("due_by_estimate"), "estimate"
    day = style.day(due)
    return day and style.catalogue.format("general", f"due_{source}", due=day)


def _soon(days: object, style: TextStyle) -> str:
    if isinstance(days, int) and days <= 0:
        return style.catalogue.message("general", "today")
    return style.catalogue.format("general", "in_days", days=style.plural("days", days) or "…")


def _value(value: object, style: TextStyle) -> str:
    return style.day(value) or style.quoted(value)


def _if_different(old: str, new: str) -> str:
    return old if old != new else ""
