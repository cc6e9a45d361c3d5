"""States and outcomes in words, for people. JSON documents keep the values."""

from watcher.model.account_health import AccountState, ReadOutcome
from watcher.model.alert import AlertState
from watcher.model.change import ChangeKind

_ACCOUNTS = {
    AccountState.NEVER_READ: "not checked yet",
    AccountState.OK: "ok",
    AccountState.FAILING: "checks fail",
    AccountState.REJECTED: "sign-in rejected",
    AccountState.LOCKED: "account locked",
    AccountState.MFA_NEEDED: "one-time code needed",
    AccountState.SESSION_ENDED: "sign in again",
    AccountState.PAUSED: "paused",
}
_OUTCOMES = {
    ReadOutcome.OK: "ok",
    ReadOutcome.PARTIAL: "partly checked",
    ReadOutcome.FAILED: "check failed",
    ReadOutcome.REJECTED: "sign-in rejected",
    ReadOutcome.LOCKED: "account locked",
    ReadOutcome.MFA_NEEDED: "one-time code needed",
    ReadOutcome.SESSION_ENDED: "sign in again",
    ReadOutcome.PAUSED: "paused",
}
_ALERTS = {AlertState.FAILED: "not delivered", AlertState.QUEUED: "waiting", AlertState.HELD: "held back"}


def account_text(state: AccountState) -> str:
    """Return the state of an account in words."""
    return _ACCOUNTS[state]


def outcome_text(outcome: ReadOutcome) -> str:
    """Return the outcome of a check in words."""
    return _OUTCOMES[outcome]


def alert_text(state: AlertState) -> str:
    """Return the state of an alert in words."""
    return _ALERTS.get(state, state.value)


def kind_text(kind: ChangeKind) -> str:
    """Return the kind of a change in words."""
    return kind.value.replace("_", " ")
