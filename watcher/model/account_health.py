"""The health of an account, updated with the outcome of each check. Pure.

Each problem is reported once when it starts, and its end once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from watcher.clock.timestamps import utc_text
from watcher.errors import AccountLocked, CodeNeeded, PortalUnavailable, ReadFailed, SignInRejected, UnexpectedAnswer
from watcher.model.change import Change, ChangeKind, Json, RecordedChange, severity_of


class AccountState(StrEnum):
    """The state of an account between two checks."""

    NEVER_READ = "never_read"
    OK = "ok"
    FAILING = "failing"
    REJECTED = "rejected"
    LOCKED = "locked"
    MFA_NEEDED = "mfa_needed"
    PAUSED = "paused"

    @property
    def waits_for_person(self) -> bool:
        """Whether the portal is not contacted again until a person acts."""
        return self in _WAITING


_WAITING = frozenset({AccountState.REJECTED, AccountState.LOCKED, AccountState.MFA_NEEDED, AccountState.PAUSED})


class ReadOutcome(StrEnum):
    """The outcome of one check of an account. `paused`: the portal was not contacted."""

    OK = "ok"
    PARTIAL = "partial"
    FAILED = "failed"
    REJECTED = "rejected"
    LOCKED = "locked"
    MFA_NEEDED = "mfa_needed"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHealth:
    """The health of an account. Times are aware, UTC.

    `last_read_at` is the last complete check, `failing_since` the first failure after it. The portal asked not to be
    contacted before `not_before`. `notified` has the problems that were reported and have not ended.
    `rejected_fingerprint` is the fingerprint of the credential that the portal rejected, never the credential.
    """

    state: AccountState = AccountState.NEVER_READ
    first_seen_at: datetime
    last_attempt_at: datetime | None = None
    last_read_at: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    last_error: str | None = None
    not_before: datetime | None = None
    notified: frozenset[ChangeKind] = field(default_factory=frozenset)
    rejected_fingerprint: str | None = None


_PAUSES: dict[type[ReadFailed], tuple[AccountState, ReadOutcome, ChangeKind]] = {
    SignInRejected: (AccountState.REJECTED, ReadOutcome.REJECTED, ChangeKind.SIGN_IN_REJECTED),
    AccountLocked: (AccountState.LOCKED, ReadOutcome.LOCKED, ChangeKind.ACCOUNT_LOCKED),
    CodeNeeded: (AccountState.MFA_NEEDED, ReadOutcome.MFA_NEEDED, ChangeKind.MFA_NEEDED),
}


def outcome_of(errors: Sequence[ReadFailed], *, cases_read: int) -> ReadOutcome:
    """Return the outcome of a check that read `cases_read` cases and had `errors`."""
    for error in errors:
        for kind, (_, outcome, _) in _PAUSES.items():
            if isinstance(error, kind):
                return outcome
    if not errors:
        return ReadOutcome.OK
    return ReadOutcome.PARTIAL if cases_read else ReadOutcome.FAILED


def after_read(
    health: AccountHealth,
    errors: Sequence[ReadFailed],
    *,
    now: datetime,
    blind_after: timedelta,
    fingerprint: str | None = None,
) -> tuple[AccountHealth, tuple[Change, ...]]:
    """Return the health after a check, and the changes to report.

    A check without `errors` was complete. `fingerprint` is that of the credential in use.
    """
    if not errors:
        return _recovered(health, now)
    health = replace(
        health,
        state=AccountState.FAILING,
        last_attempt_at=now,
        failing_since=health.failing_since or now,
        failures=health.failures + 1,
        last_error=str(errors[0]),
        not_before=_end_of_wait(errors, now),
    )
    for error in errors:
        for kind, (state, _, change) in _PAUSES.items():
            if isinstance(error, kind):
                health = replace(health, state=state, rejected_fingerprint=fingerprint, last_error=str(error))
                return _report(health, change, {"reason": str(error)})
    unreadable = next((error for error in errors if isinstance(error, UnexpectedAnswer)), None)
    if unreadable is not None:
        health, changes = _report(health, ChangeKind.PORTAL_UNREADABLE, {"reason": str(unreadable)})
    else:
        changes = ()
    health, blind_changes = check_blindness(health, now=now, blind_after=blind_after)
    return health, changes + blind_changes


def check_blindness(
    health: AccountHealth, *, now: datetime, blind_after: timedelta
) -> tuple[AccountHealth, tuple[Change, ...]]:
    """Report `blind`, once, if checks fail and the last complete one is longer ago than `blind_after`."""
    last_seen_at = health.last_read_at or health.first_seen_at
    if health.failing_since is None or now - last_seen_at <= blind_after:
        return health, ()
    details: Json = {"reason": health.last_error, "since": utc_text(last_seen_at), "attempts": health.failures}
    return _report(health, ChangeKind.BLIND, details)


def resume(health: AccountHealth) -> AccountHealth:
    """End a pause: the next check contacts the portal again. `notified` is kept until a check succeeds."""
    state = AccountState.NEVER_READ if health.last_read_at is None else AccountState.FAILING
    if not health.state.waits_for_person:
        state = health.state
    return replace(health, state=state, rejected_fingerprint=None, not_before=None)


def _recovered(health: AccountHealth, now: datetime) -> tuple[AccountHealth, tuple[Change, ...]]:
    healthy = AccountHealth(
        state=AccountState.OK, first_seen_at=health.first_seen_at, last_attempt_at=now, last_read_at=now
    )
    if not health.notified:
        return healthy, ()
    after = min(health.notified, key=list(ChangeKind).index)
    details: Json = {"after": after.value, "since": utc_text(health.failing_since)}
    return healthy, (_account_change(ChangeKind.RECOVERED, details),)


def _report(health: AccountHealth, kind: ChangeKind, details: Json) -> tuple[AccountHealth, tuple[Change, ...]]:
    if kind in health.notified:
        return health, ()
    return replace(health, notified=health.notified | {kind}), (_account_change(kind, details),)


def _account_change(kind: ChangeKind, details: Json) -> Change:
    return Change(kind=kind, severity=severity_of(kind), new=details)


def _end_of_wait(errors: Sequence[ReadFailed], now: datetime) -> datetime | None:
    waits = [error.retry_after for error in errors if isinstance(error, PortalUnavailable) and error.retry_after]
    return now + max(waits) if waits else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadResult:
    """The result of one check of an account. `read_elsewhere`: another process checked it, or is doing so."""

    account: str
    outcome: ReadOutcome
    cases_read: int = 0
    changes: tuple[RecordedChange, ...] = ()
    error: str | None = None
    read_elsewhere: bool = False
