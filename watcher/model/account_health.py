"""Whether the program can still see: an account's health, moved by the outcome of each read. Pure.

Each trouble is told once on the way down, and its end once on the way up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from watcher.clock.timestamps import utc_text
from watcher.errors import AccountLocked, CodeNeeded, PortalUnavailable, ReadFailed, SignInRejected, UnexpectedAnswer
from watcher.model.change import Change, ChangeKind, Json, RecordedChange, severity_of


class AccountState(StrEnum):
    """How an account stands between two reads."""

    NEVER_READ = "never_read"
    OK = "ok"
    FAILING = "failing"
    REJECTED = "rejected"
    LOCKED = "locked"
    MFA_NEEDED = "mfa_needed"
    PAUSED = "paused"

    @property
    def waits_for_person(self) -> bool:
        """Whether nothing more is sent to the portal until a person has done something."""
        return self in _WAITING


_WAITING = frozenset({AccountState.REJECTED, AccountState.LOCKED, AccountState.MFA_NEEDED, AccountState.PAUSED})


class ReadOutcome(StrEnum):
    """What one read of an account came to. `paused`: the portal was not asked at all."""

    OK = "ok"
    PARTIAL = "partial"
    FAILED = "failed"
    REJECTED = "rejected"
    LOCKED = "locked"
    MFA_NEEDED = "mfa_needed"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHealth:
    """An account's health. Times are aware, UTC.

    `last_read_at` is the last complete read, `failing_since` the first failure after it. `not_before` is until when
    the portal asked to be left alone. `told` holds the troubles that people were told of and that have not ended.
    `rejected_fingerprint` is the fingerprint of the credential that the portal refused, never the credential.
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
    """What a read came to that read `cases_read` cases well and met `errors`."""
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
    """The health after a read that met `errors` (none: it was complete), and what people are told of it.

    `fingerprint` is that of the credential in use.
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
        not_before=_wait(errors, now),
    )
    for error in errors:
        for kind, (state, _, change) in _PAUSES.items():
            if isinstance(error, kind):
                health = replace(health, state=state, rejected_fingerprint=fingerprint, last_error=str(error))
                return _tell(health, change, {"reason": str(error)})
    unreadable = next((error for error in errors if isinstance(error, UnexpectedAnswer)), None)
    if unreadable is not None:
        health, changes = _tell(health, ChangeKind.PORTAL_UNREADABLE, {"reason": str(unreadable)})
    else:
        changes = ()
    health, blind = check_blindness(health, now=now, blind_after=blind_after)
    return health, changes + blind


def check_blindness(
    health: AccountHealth, *, now: datetime, blind_after: timedelta
) -> tuple[AccountHealth, tuple[Change, ...]]:
    """Says `blind`, once, where reads have failed and the last good one is longer ago than `blind_after`."""
    seen_last = health.last_read_at or health.first_seen_at
    if health.failing_since is None or now - seen_last <= blind_after:
        return health, ()
    what: Json = {"reason": health.last_error, "since": utc_text(seen_last), "attempts": health.failures}
    return _tell(health, ChangeKind.BLIND, what)


def resume(health: AccountHealth) -> AccountHealth:
    """The pause lifted: the next read asks the portal again. What was told stays told until a read succeeds."""
    state = AccountState.NEVER_READ if health.last_read_at is None else AccountState.FAILING
    if not health.state.waits_for_person:
        state = health.state
    return replace(health, state=state, rejected_fingerprint=None, not_before=None)


def _recovered(health: AccountHealth, now: datetime) -> tuple[AccountHealth, tuple[Change, ...]]:
    well = AccountHealth(
        state=AccountState.OK, first_seen_at=health.first_seen_at, last_attempt_at=now, last_read_at=now
    )
    if not health.notified:
        return well, ()
    after = min(health.notified, key=list(ChangeKind).index)
    since = utc_text(health.failing_since)
    return well, (_account_change(ChangeKind.RECOVERED, {"after": after.value, "since": since}),)


def _tell(health: AccountHealth, kind: ChangeKind, what: Json) -> tuple[AccountHealth, tuple[Change, ...]]:
    if kind in health.notified:
        return health, ()
    return replace(health, notified=health.notified | {kind}), (_account_change(kind, what),)


def _account_change(kind: ChangeKind, what: Json) -> Change:
    return Change(kind=kind, severity=severity_of(kind), new=what)


def _wait(errors: Sequence[ReadFailed], now: datetime) -> datetime | None:
    waits = [error.retry_after for error in errors if isinstance(error, PortalUnavailable) and error.retry_after]
    return now + max(waits) if waits else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadResult:
    """What one read of an account came to. `elsewhere`: nothing was read here, another process has done it or is."""

    account: str
    outcome: ReadOutcome
    cases_read: int = 0
    changes: tuple[RecordedChange, ...] = ()
    error: str | None = None
    read_elsewhere: bool = False
