"""One change on one line: for the history, for the top of an alert, for its title. Pure.

A change is told from the JSON that the books keep of it. A key that is missing, or not of its kind, leaves out the
part of the line that needs it, and nothing more.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from watcher.alerts.style import TextStyle
from watcher.language.catalogue import format_text
from watcher.model.case import ItemKind, ItemState, Stage
from watcher.model.change import Change, ChangeKind

Fields: TypeAlias = dict[str, str]
_Json: TypeAlias = Mapping[str, Any]

_TELLING_DETAILS = frozenset({"form", "office", "submitted_on"})
_DATED_KINDS = frozenset({ChangeKind.DEADLINE_NEAR, ChangeKind.DEADLINE_PASSED})


def line_of(change: Change, teller: TextStyle, *, visible_status: str | None = None) -> str:
    """What happened, in one line; without the status `shown`, which the reader sees anyway."""
    fields = fields_of(change, teller)
    if _TELLERS.get(change.kind) in (_status, _item):
        seen = teller.quoted(visible_status)
        fields |= {name: "" for name in ("status", "title") if fields.get(name) == seen}
    return teller.catalogue.format("change", _place(change), "line", **fields)


def headline_of(change: Change, teller: TextStyle) -> str:
    """What happened, in a few words."""
    fields = fields_of(change, teller)
    if change.kind is ChangeKind.STAGE_CHANGED and _object(change.new).get("stage") == Stage.UNKNOWN:
        return teller.catalogue.format("general", "unknown_status", **fields)
    return teller.catalogue.format("change", _place(change), "headline", **fields)


def meaning_of_change(change: Change, teller: TextStyle, part: str) -> str:
    """What the catalogue says of this kind of change itself: its `plain` words, or what comes `next`."""
    words = teller.catalogue.message("change", _place(change), part)
    return format_text(words, fields_of(change, teller)) if words else ""


def fields_of(change: Change, teller: TextStyle) -> Fields:
    """Everything that the words about this change may name."""
    tell = _TELLERS.get(change.kind, _no_fields)
    return tell(change, _object(change.old), _object(change.new), teller)


def status_of(change: Change) -> str | None:
    """The portal's own words that the change is about: a status, or the title of an item; None for other changes."""
    if _TELLERS.get(change.kind) not in (_status, _item):
        return None
    told = _object(change.new) or _object(change.old)
    words = told.get("status") or told.get("title")
    return words if isinstance(words, str) else None


def item_kind_of(change: Change) -> ItemKind:
    """The kind of the pending item that the change is about; `task` where it does not say."""
    kind = (_object(change.new) or _object(change.old)).get("kind")
    return ItemKind(kind) if isinstance(kind, str) and kind in set(ItemKind) else ItemKind.TASK


def is_estimated(change: Change) -> bool:
    """Whether the change names a due date, still ahead of somebody, that is only an estimate."""
    told = _object(change.new)
    if change.kind is ChangeKind.ITEM_CLOSED:
        return False
    if "source" in told:
        return told.get("source") == "estimate"
    return bool(told.get("due_by_estimate")) and not told.get("due_on")


def names_appointment(change: Change) -> bool:
    """Whether the change names the time of an appointment that is on."""
    return bool(_object(change.new).get("starts_at"))


def _object(value: object) -> _Json:
    return value if isinstance(value, Mapping) else {}


def _place(change: Change) -> str:
    of_appointment = change.kind in _DATED_KINDS and names_appointment(change)
    return f"{change.kind}_appointment" if of_appointment else change.kind.value


# --- what each kind of change may name ----------------------------------------------------------------------------


def _status(_: Change, old: _Json, new: _Json, teller: TextStyle) -> Fields:
    return {
        "old_stage": _stage(old.get("stage"), teller),
        "new_stage": _stage(new.get("stage"), teller) or teller.catalogue.message("stage", "unknown", "name"),
        "status": teller.quoted(new.get("status")),
        "form": teller.portal_text(new.get("form")),
    }


def _item(change: Change, old: _Json, new: _Json, teller: TextStyle) -> Fields:
    shown = new or old
    state = new.get("state") if new else ItemState.CLOSED
    return {
        "kind": teller.catalogue.message("item", item_kind_of(change), "name"),
        "title": teller.quoted(shown.get("title")),
        "due": _due(new, teller),
        "when": teller.moment(shown.get("starts_at")),
        "brief_when": teller.short_moment(shown.get("starts_at")),
        "old_when": _if_other(teller.moment(old.get("starts_at")), teller.moment(new.get("starts_at"))),
        "place": teller.portal_text(shown.get("place")),
        "old_place": _if_other(teller.portal_text(old.get("place")), teller.portal_text(new.get("place"))),
        "how": teller.catalogue.message("item_state", state) if isinstance(state, str) else "",
        "soon": _soon(new.get("days"), teller),
        "mark": teller.catalogue.message("due_source", "estimate") if is_estimated(change) else "",
    }


def _part(_: Change, old: _Json, new: _Json, teller: TextStyle) -> Fields:
    return {
        "title": teller.portal_text((new or old).get("title")),
        "old": teller.quoted(old.get("status")),
        "new": teller.quoted(new.get("status")) or teller.catalogue.message("general", "gone"),
    }


def _detail(change: Change, _: _Json, __: _Json, teller: TextStyle) -> Fields:
    """Of a detail that might name a person, only full privacy says more than that it changed."""
    named = teller.catalogue.message("field", change.subject or "") or teller.catalogue.message("field", "other")
    shown = teller.privacy == "full" or change.subject in _TELLING_DETAILS
    new = _value(change.new, teller) or teller.catalogue.message("general", "nothing")
    return {
        "field": named,
        "old": _value(change.old, teller) if shown else "",
        "new": new if shown else teller.catalogue.message("general", "changed"),
    }


def _notice(_: Change, old: _Json, new: _Json, teller: TextStyle) -> Fields:
    shown = new or old
    title, dated = teller.document_title(shown.get("title")), teller.day(shown.get("dated"))
    return {
        "title": title,
        "dated": dated,
        "old_title": _if_other(teller.document_title(old.get("title")), title),
        "old_dated": _if_other(teller.day(old.get("dated")), dated),
    }


def _history(_: Change, old: _Json, new: _Json, teller: TextStyle) -> Fields:
    shown = new or old
    title, at = teller.quoted(shown.get("title")), teller.day(shown.get("at"))
    return {
        "title": title,
        "at": at,
        "hint": teller.portal_text(shown.get("hint")),
        "old_title": _if_other(teller.quoted(old.get("title")), title),
        "old_at": _if_other(teller.day(old.get("at")), at),
    }


def _touch(change: Change, _: _Json, __: _Json, teller: TextStyle) -> Fields:
    return {"new": teller.moment(change.new)}


def _stall(_: Change, __: _Json, new: _Json, teller: TextStyle) -> Fields:
    return {
        "days": teller.plural("days", new.get("days")),
        "threshold": teller.plural("days", new.get("threshold_days")),
        "published": teller.plural("days", new.get("published_days")),
        "stage": _stage(new.get("stage"), teller),
        "since": teller.day(new.get("since")),
        "touched": teller.day(new.get("touched_on")),
        "inquiry_from": teller.day(new.get("inquiry_from")),
        "form": teller.portal_text(new.get("form")),
    }


def _look(change: Change, _: _Json, new: _Json, teller: TextStyle) -> Fields:
    """What to enter on the site, and what to type afterwards; a number that is hidden is not to be typed."""
    number = teller.number(change.case_number or "") if teller.privacy == "full" else ""
    site = new.get("site")
    return {
        "looked": teller.day(new.get("looked_at")),
        "enter": teller.catalogue.message("enter", site) if isinstance(site, str) else "",
        "case": f'"{number}"' if " " in number else number or teller.catalogue.message("general", "your_case"),
    }


def _account(_: Change, __: _Json, new: _Json, teller: TextStyle) -> Fields:
    return {
        "reason": teller.portal_text(new.get("reason")),
        "since": teller.moment(new.get("since")),
        "attempts": teller.plural("attempts", new.get("attempts")),
        "reads": teller.plural("reads", new.get("reads")),
        "account": _account_name(teller),
    }


def _account_name(teller: TextStyle) -> str:
    """What to type where a command wants the account: its name, or a word that stands for it."""
    name = teller.portal_text(teller.account) if teller.privacy == "full" else ""
    return name or teller.catalogue.message("general", "your_account")


def _no_fields(_: Change, __: _Json, ___: _Json, ____: TextStyle) -> Fields:
    return {}


_TELLERS: Mapping[ChangeKind, Callable[[Change, _Json, _Json, TextStyle], Fields]] = {
    ChangeKind.STAGE_CHANGED: _status,
    ChangeKind.STATUS_CHANGED: _status,
    ChangeKind.CASE_ADDED: _status,
    ChangeKind.RFE_RECEIVED: _item,
    ChangeKind.INTENT_TO_DENY_RECEIVED: _item,
    ChangeKind.APPOINTMENT_SCHEDULED: _item,
    ChangeKind.APPOINTMENT_CHANGED: _item,
    ChangeKind.APPOINTMENT_CANCELLED: _item,
    ChangeKind.ITEM_ADDED: _item,
    ChangeKind.ITEM_CHANGED: _item,
    ChangeKind.ITEM_CLOSED: _item,
    ChangeKind.DEADLINE_NEAR: _item,
    ChangeKind.DEADLINE_PASSED: _item,
    ChangeKind.PART_CHANGED: _part,
    ChangeKind.DETAIL_CHANGED: _detail,
    ChangeKind.NOTICE_ADDED: _notice,
    ChangeKind.NOTICE_CHANGED: _notice,
    ChangeKind.NOTICE_REMOVED: _notice,
    ChangeKind.HISTORY_ADDED: _history,
    ChangeKind.HISTORY_CHANGED: _history,
    ChangeKind.HISTORY_REMOVED: _history,
    ChangeKind.SILENT_UPDATE: _touch,
    ChangeKind.STALLED: _stall,
    ChangeKind.LOOK_REMINDER: _look,
    ChangeKind.CASE_MISSING: _account,
    ChangeKind.SIGN_IN_REJECTED: _account,
    ChangeKind.ACCOUNT_LOCKED: _account,
    ChangeKind.MFA_NEEDED: _account,
    ChangeKind.PORTAL_UNREADABLE: _account,
    ChangeKind.BLIND: _account,
    ChangeKind.RECOVERED: _account,
}


def _stage(value: object, teller: TextStyle) -> str:
    return teller.catalogue.message("stage", value, "name") if isinstance(value, str) else ""


def _due(item: _Json, teller: TextStyle) -> str:
    due, source = item.get("due_on"), item.get("source") or "portal"
    if not due:
        due, source = item.get("due_by_estimate"), "estimate"
    day = teller.day(due)
    return day and teller.catalogue.format("general", f"due_{source}", due=day)


def _soon(days: object, teller: TextStyle) -> str:
    if isinstance(days, int) and days <= 0:
        return teller.catalogue.message("general", "today")
    return teller.catalogue.format("general", "in_days", days=teller.plural("days", days) or "…")


def _value(value: object, teller: TextStyle) -> str:
    return teller.day(value) or teller.quoted(value)


def _if_other(old: str, new: str) -> str:
    return old if old != new else ""
