"""The fields that the messages about a change contain: names, dates, places, and the agency's own words. Pure.

They are made from the stored JSON of the change. If a key is missing or has the wrong type, only the field that needs
it is empty.
"""

import shlex
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from watcher.alerts.change_facts import (
    OVER_KINDS,
    close_reason,
    has_passed,
    is_about_list,
    is_estimated,
    item_kind_of,
    object_of,
)
from watcher.alerts.due_lines import due_fields
from watcher.alerts.list_fields import inquiry_fields, list_fields, priority_fields, source_text
from watcher.alerts.style import MAX_REASON_LENGTH, TextStyle
from watcher.model.appointment_time import time_from_json
from watcher.model.case import ItemState
from watcher.model.change import Change, ChangeKind

Fields: TypeAlias = dict[str, str]
_Json: TypeAlias = Mapping[str, Any]

_SHAREABLE_DETAILS = frozenset({"form", "office", "submitted_on"})


def fields_of(change: Change, style: TextStyle) -> Fields:
    """Return all fields that the messages about this change can contain."""
    if id(change) not in style.fields:
        build = _FIELD_BUILDERS.get(change.kind, _no_fields)
        built = {"agency": style.agency_name()} | build(change, object_of(change.old), object_of(change.new), style)
        style.fields[id(change)] = change, built  # the change is kept, so that no other one gets its identity
    return dict(style.fields[id(change)][1])


def bare_title(change: Change, style: TextStyle) -> str:
    """Return the agency's own words for what the change is about, without quotation marks; "" if it has none."""
    values, build = object_of(change.new) or object_of(change.old), _FIELD_BUILDERS.get(change.kind)
    if build is _notice_fields:
        return style.document_name(values.get("title"))
    if build in (_status_fields, _item_fields, _history_fields):
        return style.portal_text(values.get("status") or values.get("title"))
    return ""


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
    values, item_kind = new or old, item_kind_of(change)
    when, old_when = time_from_json(values), time_from_json(old)
    present = None if change.kind in OVER_KINDS else time_from_json(new)
    kind = style.catalogue.message("item", item_kind, "name")
    task = style.portal_text(values.get("title")) or kind
    how = _how(change, new, style)
    return due_fields(change, item_kind, new, style) | {
        "kind": kind,
        "short_kind": style.catalogue.message("stage", item_kind, "name") or kind,
        "task": task,
        "completed": style.catalogue.format("item", item_kind, "completed", task=task),
        "title": style.quoted(values.get("title")),
        "asked": "" if item_kind.is_appointment else style.day(values.get("asked_on")),
        "when": style.appointment(when),
        "brief_when": style.brief_appointment(when),
        "short_when": style.brief_appointment(when, is_shortest=True),
        "old_when": _if_different(style.appointment(old_when), style.appointment(present)),
        "place": style.portal_text(values.get("place")),
        "old_place": _if_different(style.portal_text(old.get("place")), style.portal_text(new.get("place"))),
        "how": how,
        "how_sentence": how and f"{how[0].upper()}{how[1:]}.",
        "soon": "" if new.get("is_overdue") else _soon(new.get("days"), style),
        "item": style.item_number(change.subject) if has_passed(change) else _item_number(new, style),
        "mark": style.catalogue.message("due_source", "estimate") if is_estimated(change) else "",
    }


def _how(change: Change, new: _Json, style: TextStyle) -> str:
    """Return how an item came to its state, as far as the portal tells."""
    reason, kind = close_reason(change), item_kind_of(change)
    if reason is not None:
        keys = (f"{reason}_{'appointment' if kind.is_appointment else kind}", reason.value)
        texts = (style.catalogue.format("close_reason", key, agency=style.agency_name()) for key in keys)
        return next(filter(None, texts), "")
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
        "shown": new if is_visible else "",
        "old": _value(change.old, style) if is_visible else "",
        "new": new if is_visible else style.catalogue.message("general", "changed"),
    }


def _notice_fields(_: Change, old: _Json, new: _Json, style: TextStyle) -> Fields:
    values = new or old
    title, dated = style.document_title(values.get("title")), style.day(values.get("dated"))
    return {
        "title": title,
        "bare_title": style.document_name(values.get("title")),
        "dated": dated,
        "old_title": _if_different(style.document_title(old.get("title")), title),
        "old_dated": _if_different(style.day(old.get("dated")), dated),
    }


def _history_fields(_: Change, old: _Json, new: _Json, style: TextStyle) -> Fields:
    values = new or old
    title, at = style.quoted(values.get("title")), style.portal_day(values.get("at"))
    return {
        "title": title,
        "bare_title": style.portal_text(values.get("title")),
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
        "inquiry_date": style.day(new.get("inquiry_date")),
        "as_of": style.day(new.get("as_of")),
        "list": source_text(new.get("list"), style),
        "form": style.portal_text(new.get("form")),
    }


def _look_reminder_fields(change: Change, _: _Json, new: _Json, style: TextStyle) -> Fields:
    """Return what to enter on the site, and the number for a command; a masked number cannot be typed."""
    site, days = new.get("site"), style.plural("days", new.get("days"))
    return {
        "days": days,
        "never": "" if days else style.catalogue.message("general", "never_handed_over"),
        "looked": style.day(new.get("looked_at")),
        "enter": style.catalogue.message("enter", site) if isinstance(site, str) else "",
        "case": _typed(change.case_number or "", style),
    }


def _official_mail_fields(_: Change, __: _Json, new: _Json, style: TextStyle) -> Fields:
    return {
        "at": style.moment(new.get("at")),
        "handover": style.catalogue.message("general", "hand_over") if new.get("handover") else "",
    }


def _note_fields(_: Change, __: _Json, new: _Json, style: TextStyle) -> Fields:
    """Return the user's own text, with its links: it is in the history only."""
    text = new.get("text")
    return {"text": text if style.privacy == "full" and isinstance(text, str) else style.portal_text(text)}


def _account_fields(change: Change, _: _Json, new: _Json, style: TextStyle) -> Fields:
    agency = style.portal_text(new.get("agency"))
    return ({"agency": agency} if agency else {}) | {
        "reason": style.portal_text(new.get("reason"), max_length=MAX_REASON_LENGTH).rstrip("."),
        "since": style.moment(new.get("since")),
        "attempts": style.plural("attempts", new.get("attempts")),
        "reads": style.plural("reads", new.get("reads")),
        "account": _typed(style.account, style),
        "channel": style.portal_text(change.subject),
    }


def _recovery_fields(change: Change, old: _Json, new: _Json, style: TextStyle) -> Fields:
    return (list_fields if is_about_list(change) else _account_fields)(change, old, new, style)


def _clock_fields(_: Change, __: _Json, new: _Json, style: TextStyle) -> Fields:
    return {"ahead": style.plural("days", new.get("days")) or style.plural("hours", new.get("hours"))}


def _typed(name: str, style: TextStyle) -> str:
    """Return a name as it is typed in a command; "" if the reader may not see it, or the alert would change it."""
    is_shown = style.privacy == "full" and style.portal_text(name) == name
    return shlex.quote(name) if name and is_shown and style.shows_commands else ""


def _item_number(item: _Json, style: TextStyle) -> str:
    """Return the number of an item that is in the ledger, for a command; "" where no command is shown."""
    return str(item.get("item_id") or "") if style.shows_commands else ""


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
    ChangeKind.INQUIRY_OPEN: inquiry_fields,
    ChangeKind.PRIORITY_CURRENT: priority_fields,
    ChangeKind.PRIORITY_BACK: priority_fields,
    ChangeKind.LIST_FAILING: list_fields,
    ChangeKind.LOOK_REMINDER: _look_reminder_fields,
    ChangeKind.OFFICIAL_MAIL: _official_mail_fields,
    ChangeKind.REMINDER: _item_fields,
    ChangeKind.NOTE: _note_fields,
    ChangeKind.CASE_MISSING: _account_fields,
    ChangeKind.CASE_NOT_FOUND: _account_fields,
    ChangeKind.SIGN_IN_REJECTED: _account_fields,
    ChangeKind.ACCOUNT_LOCKED: _account_fields,
    ChangeKind.MFA_NEEDED: _account_fields,
    ChangeKind.SESSION_ENDED: _account_fields,
    ChangeKind.PORTAL_UNREADABLE: _account_fields,
    ChangeKind.BLIND: _account_fields,
    ChangeKind.RECOVERED: _recovery_fields,
    ChangeKind.CHANNEL_FAILING: _account_fields,
    ChangeKind.CLOCK_SET_BACK: _clock_fields,
}


def _stage(value: object, style: TextStyle) -> str:
    return style.catalogue.message("stage", value, "name") if isinstance(value, str) else ""


def _soon(days: object, style: TextStyle) -> str:
    if isinstance(days, int) and days <= 1:
        return style.catalogue.message("general", "today" if days <= 0 else "tomorrow")
    return style.catalogue.format("general", "in_days", days=style.plural("days", days) or "…")


def _value(value: object, style: TextStyle) -> str:
    return style.day(value) or style.quoted(value)


def _if_different(old: str, new: str) -> str:
    return old if old != new else ""
