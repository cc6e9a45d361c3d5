"""States and outcomes in words, for people. JSON documents keep the values."""

from watcher.messages import _, mark
from watcher.model.account_health import AccountState, ReadOutcome
from watcher.model.alert import AlertState
from watcher.model.case import ItemState
from watcher.model.change import ChangeKind

_ACCOUNTS = {
    AccountState.NEVER_READ: mark("not checked yet"),
    AccountState.OK: mark("ok"),
    AccountState.FAILING: mark("checks fail"),
    AccountState.REJECTED: mark("sign-in rejected"),
    AccountState.LOCKED: mark("account locked"),
    AccountState.MFA_NEEDED: mark("one-time code needed"),
    AccountState.SESSION_ENDED: mark("sign in again"),
    AccountState.PAUSED: mark("paused"),
}
_OUTCOMES = {
    ReadOutcome.OK: mark("ok"),
    ReadOutcome.PARTIAL: mark("partly checked"),
    ReadOutcome.FAILED: mark("check failed"),
    ReadOutcome.REJECTED: mark("sign-in rejected"),
    ReadOutcome.LOCKED: mark("account locked"),
    ReadOutcome.MFA_NEEDED: mark("one-time code needed"),
    ReadOutcome.SESSION_ENDED: mark("sign in again"),
    ReadOutcome.PAUSED: mark("paused"),
}
_ALERTS = {
    AlertState.QUEUED: mark("waiting"),
    AlertState.HELD: mark("held back"),
    AlertState.SENT: mark("sent"),
    AlertState.FAILED: mark("not delivered"),
    AlertState.DROPPED: mark("dropped"),
}
_KINDS = {
    ChangeKind.RFE_RECEIVED: mark("rfe received"),
    ChangeKind.INTENT_TO_DENY_RECEIVED: mark("intent to deny received"),
    ChangeKind.APPOINTMENT_SCHEDULED: mark("appointment scheduled"),
    ChangeKind.APPOINTMENT_CHANGED: mark("appointment changed"),
    ChangeKind.APPOINTMENT_CANCELLED: mark("appointment cancelled"),
    ChangeKind.STAGE_CHANGED: mark("stage changed"),
    ChangeKind.STATUS_CHANGED: mark("status changed"),
    ChangeKind.PART_CHANGED: mark("part changed"),
    ChangeKind.DETAIL_CHANGED: mark("detail changed"),
    ChangeKind.ITEM_ADDED: mark("item added"),
    ChangeKind.ITEM_CHANGED: mark("item changed"),
    ChangeKind.ITEM_CLOSED: mark("item closed"),
    ChangeKind.NOTICE_ADDED: mark("letter added"),
    ChangeKind.NOTICE_CHANGED: mark("letter changed"),
    ChangeKind.NOTICE_REMOVED: mark("letter removed"),
    ChangeKind.HISTORY_ADDED: mark("history added"),
    ChangeKind.HISTORY_CHANGED: mark("history changed"),
    ChangeKind.HISTORY_REMOVED: mark("history removed"),
    ChangeKind.SILENT_UPDATE: mark("silent update"),
    ChangeKind.DEADLINE_NEAR: mark("deadline near"),
    ChangeKind.DEADLINE_PASSED: mark("deadline passed"),
    ChangeKind.STALLED: mark("no news"),
    ChangeKind.INQUIRY_OPEN: mark("may ask"),
    ChangeKind.PRIORITY_CURRENT: mark("priority date current"),
    ChangeKind.PRIORITY_BACK: mark("priority date went back"),
    ChangeKind.LOOK_REMINDER: mark("reminder to look"),
    ChangeKind.OFFICIAL_MAIL: mark("e-mail from the agency"),
    ChangeKind.REMINDER: mark("reminder"),
    ChangeKind.NOTE: mark("note"),
    ChangeKind.CASE_ADDED: mark("case added"),
    ChangeKind.CASE_NOT_FOUND: mark("case not found"),
    ChangeKind.CASE_MISSING: mark("case missing"),
    ChangeKind.CASE_RETURNED: mark("case found again"),
    ChangeKind.SIGN_IN_REJECTED: mark("sign-in rejected"),
    ChangeKind.ACCOUNT_LOCKED: mark("account locked"),
    ChangeKind.MFA_NEEDED: mark("one-time code needed"),
    ChangeKind.SESSION_ENDED: mark("session ended"),
    ChangeKind.PORTAL_UNREADABLE: mark("website not readable"),
    ChangeKind.BLIND: mark("checks fail"),
    ChangeKind.RECOVERED: mark("works again"),
    ChangeKind.CHANNEL_FAILING: mark("channel fails"),
    ChangeKind.LIST_FAILING: mark("list not usable"),
    ChangeKind.CLOCK_SET_BACK: mark("clock set back"),
}
_ITEMS = {
    ItemState.OPEN: mark("open"),
    ItemState.DONE: mark("done"),
    ItemState.ANSWERED: mark("answered"),
    ItemState.CLOSED: mark("closed"),
}


def account_text(state: AccountState) -> str:
    """Return the state of an account in words."""
    return _(_ACCOUNTS[state])


def outcome_text(outcome: ReadOutcome) -> str:
    """Return the outcome of a check in words."""
    return _(_OUTCOMES[outcome])


def alert_text(state: AlertState) -> str:
    """Return the state of an alert in words."""
    return _(_ALERTS[state])


def kind_text(kind: ChangeKind) -> str:
    """Return the kind of a change in words."""
    return _(_KINDS[kind])


def item_state_text(state: ItemState) -> str:
    """Return the state of an item in words."""
    return _(_ITEMS[state])
