"""The health of an account, updated with the outcome of each check. Pure.

Each problem is reported once when it starts, and its end once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from watcher.clock.timestamps import utc_text
from watcher.errors import (
    AccessBlocked,
    AccountLocked,
    CaseNotFound,
    CodeNeeded,
    ReadFailed,
    SessionEnded,
    SignInRejected,
    UnexpectedAnswer,
)
from watcher.messages import _, mark, plural
from watcher.model.account_wait import end_of_wait
from watcher.model.change import Change, ChangeKind, Json, RecordedChange, severity_of

_HANGS = mark("the check of this account does not finish, or the program is not running")
"""Why nothing is known of an account whose checks do not even fail."""


class AccountState(StrEnum):
    """The state of an account between two checks."""

    NEVER_READ = "never_read"
    OK = "ok"
    FAILING = "failing"
    REJECTED = "rejected"
    LOCKED = "locked"
    MFA_NEEDED = "mfa_needed"
    SESSION_ENDED = "session_ended"
    PAUSED = "paused"

    @property
    def waits_for_person(self) -> bool:
        """Whether the portal is not contacted again until a person acts."""
        return self in _WAITING


_WAITING = frozenset(
    {
        AccountState.REJECTED,
        AccountState.LOCKED,
        AccountState.MFA_NEEDED,
        AccountState.SESSION_ENDED,
        AccountState.PAUSED,
    }
)


class ReadOutcome(StrEnum):
    """The outcome of one check of an account.

    `partial`: something could not be read, or the portal does not know a case that the user asked for. `paused`: the
    portal was not contacted.
    """

    OK = "ok"
    PARTIAL = "partial"
    FAILED = "failed"
    REJECTED = "rejected"
    LOCKED = "locked"
    MFA_NEEDED = "mfa_needed"
    SESSION_ENDED = "session_ended"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHealth:
    """The health of an account. Times are aware, UTC.

    `last_read_at` is the last check in which any case was read; the state after it is `ok`, even if `last_error` says
    what could not be read. `failing_since` is the first failure after the last complete check. The portal asked not to
    be contacted before `not_before`. `notified` has the problems that were reported and have not ended. `lifted` has
    those of them whose pause the user has lifted: they are reported again if they recur. `rejected_fingerprint` is the
    fingerprint of the credential that the portal rejected, never the credential.
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
    lifted: frozenset[ChangeKind] = field(default_factory=frozenset)
    rejected_fingerprint: str | None = None


_LISTED_ERRORS = 3
_PAUSES: dict[type[ReadFailed], tuple[AccountState, ReadOutcome, ChangeKind]] = {
    SignInRejected: (AccountState.REJECTED, ReadOutcome.REJECTED, ChangeKind.SIGN_IN_REJECTED),
    AccountLocked: (AccountState.LOCKED, ReadOutcome.LOCKED, ChangeKind.ACCOUNT_LOCKED),
    CodeNeeded: (AccountState.MFA_NEEDED, ReadOutcome.MFA_NEEDED, ChangeKind.MFA_NEEDED),
    SessionEnded: (AccountState.SESSION_ENDED, ReadOutcome.SESSION_ENDED, ChangeKind.SESSION_ENDED),
}


class _Pause(NamedTuple):
    state: AccountState
    outcome: ReadOutcome
    kind: ChangeKind
    reason: str


_PAUSE_KINDS = frozenset(change for _, _, change in _PAUSES.values())


def outcome_of(errors: Sequence[ReadFailed], *, cases_read: int) -> ReadOutcome:
    """Return the outcome of a check that read `cases_read` cases and had `errors`."""
    if (pause := _pause_of(errors)) is not None:
        return pause.outcome
    if not errors:
        return ReadOutcome.OK
    answered = cases_read or all(isinstance(error, CaseNotFound) for error in errors)
    return ReadOutcome.PARTIAL if answered else ReadOutcome.FAILED


def pauses(errors: Sequence[ReadFailed]) -> bool:
    """Return whether one of the errors pauses the account until a person acts."""
    return _pause_of(errors) is not None


def _pause_of(errors: Iterable[ReadFailed]) -> _Pause | None:
    """Return the pause that the first error with one causes, or None."""
    for error in errors:
        for kind, (state, outcome, change) in _PAUSES.items():
            if isinstance(error, kind):
                return _Pause(state, outcome, change, reason=str(error))
    return None


def after_read(
    health: AccountHealth,
    errors: Sequence[ReadFailed],
    *,
    now: datetime,
    blind_after: timedelta,
    cases_read: int,
    fingerprint: str | None = None,
) -> tuple[AccountHealth, tuple[Change, ...]]:
    """Return the health after a check, and the changes to report.

    A check without `errors` was complete. A case that the portal does not know is no problem of the account: it is
    reported with the case. `fingerprint` is that of the credential in use.
    """
    attempted_before = health.last_attempt_at
    health = replace(health, last_attempt_at=now, last_read_at=now if cases_read or not errors else health.last_read_at)
    problems = [error for error in errors if not isinstance(error, CaseNotFound)]
    if not problems:
        return _recovered(health, last_error=str(errors[0]) if errors else None)
    health = replace(
        health,
        state=AccountState.OK if cases_read else AccountState.FAILING,
        failing_since=health.failing_since or now,
        failures=health.failures + 1,
        last_error=_summary(problems),
        not_before=end_of_wait(problems, now, attempted_before=attempted_before, waited_until=health.not_before),
    )
    if (pause := _pause_of(problems)) is not None:
        seen_again = health.notified & {ChangeKind.BLIND} if cases_read else frozenset()  # it may recur
        health = replace(
            health,
            state=pause.state,
            rejected_fingerprint=fingerprint,
            last_error=pause.reason,
            notified=health.notified - seen_again,
            lifted=health.lifted | seen_again,
        )
        return report(health, pause.kind, {"reason": pause.reason})
    health, sighted = _end_of_blindness(health, now) if cases_read else (health, ())
    health, unreadable = _report_unreadable(health, problems)
    partly: tuple[Change, ...] = ()
    if cases_read and not unreadable:
        health, partly = _report_partly_unreadable(health, attempted_before, now=now, blind_after=blind_after)
    health, blind = check_blindness(health, now=now, blind_after=blind_after)
    return health, sighted + unreadable + partly + blind


def check_blindness(
    health: AccountHealth, *, now: datetime, blind_after: timedelta, hangs: bool = False
) -> tuple[AccountHealth, tuple[Change, ...]]:
    """Report `blind`, once, if checks fail and no case was read for longer than `blind_after`.

    `hangs`: checks do not even fail, see `watcher.model.overdue_check`.
    """
    last_seen_at = health.last_read_at or health.first_seen_at
    fails = health.failing_since is not None
    if not (fails or hangs) or now - last_seen_at <= blind_after:
        return health, ()
    details: Json = {
        "reason": health.last_error if fails else _(_HANGS),
        "since": utc_text(last_seen_at),
        "attempts": health.failures if fails else None,
    }
    return report(health, ChangeKind.BLIND, details)


def resume(health: AccountHealth) -> AccountHealth:
    """End a pause: the next check contacts the portal again. A problem that recurs then is reported again."""
    state = AccountState.NEVER_READ if health.last_read_at is None else AccountState.FAILING
    if not health.state.waits_for_person:
        state = health.state
    lifted = health.notified & _PAUSE_KINDS
    return replace(
        health,
        state=state,
        rejected_fingerprint=None,
        not_before=None,
        notified=health.notified - lifted,
        lifted=health.lifted | lifted,
    )


def handed_over_health(health: AccountHealth) -> AccountHealth:
    """Return the health of an account that a person hands over: no check of the program's own can fail.

    What a hand-over left unread stays; what came of checks that were made before does not.
    """
    if health.state is AccountState.OK:
        return replace(health, failing_since=None, failures=0)
    state = AccountState.NEVER_READ if health.last_read_at is None else AccountState.OK
    return replace(resume(health), state=state, failing_since=None, failures=0, last_error=None)


def report(health: AccountHealth, kind: ChangeKind, details: Json) -> tuple[AccountHealth, tuple[Change, ...]]:
    """Return the change that reports a problem, and the health that remembers it. Nothing if it was reported."""
    if kind in health.notified:
        return health, ()
    health = replace(health, notified=health.notified | {kind}, lifted=health.lifted - {kind})
    return health, (_account_change(kind, details),)


def _report_unreadable(
    health: AccountHealth, problems: Sequence[ReadFailed]
) -> tuple[AccountHealth, tuple[Change, ...]]:
    blocked = next((error for error in problems if isinstance(error, AccessBlocked)), None)
    if blocked is not None:
        return report(health, ChangeKind.PORTAL_UNREADABLE, {"reason": str(blocked), "blocked": True})
    unreadable = next((error for error in problems if isinstance(error, UnexpectedAnswer)), None)
    if unreadable is None:
        return health, ()
    return report(health, ChangeKind.PORTAL_UNREADABLE, {"reason": str(unreadable)})


def _report_partly_unreadable(
    health: AccountHealth, attempted_before: datetime | None, *, now: datetime, blind_after: timedelta
) -> tuple[AccountHealth, tuple[Change, ...]]:
    """Report, once, that some cases or endpoints could not be read for longer than `blind_after` while others could.

    That an answer could not be read was reported at once, but not to the people whose cases are in it. So the first
    check after `blind_after` reports it again.
    """
    since = health.failing_since
    if since is None or now - since <= blind_after:
        return health, ()
    if attempted_before is not None and since <= attempted_before <= since + blind_after:
        health = replace(health, notified=health.notified - {ChangeKind.PORTAL_UNREADABLE})
    details: Json = {"reason": health.last_error, "since": utc_text(since), "partly": True}
    return report(health, ChangeKind.PORTAL_UNREADABLE, details)


def _recovered(health: AccountHealth, *, last_error: str | None) -> tuple[AccountHealth, tuple[Change, ...]]:
    """Return the health after a check without problems. `last_error` is what it says of a case nevertheless."""
    healthy = AccountHealth(
        state=AccountState.OK,
        first_seen_at=health.first_seen_at,
        last_attempt_at=health.last_attempt_at,
        last_read_at=health.last_read_at,
        last_error=last_error,
    )
    return healthy, _recovery(health, health.notified | health.lifted)


def _end_of_blindness(health: AccountHealth, now: datetime) -> tuple[AccountHealth, tuple[Change, ...]]:
    """End blindness because a case was read again. Other problems of the account last until a complete check."""
    ended = health.notified & {ChangeKind.BLIND}
    if not ended:
        return health, ()
    return replace(health, notified=health.notified - ended, failing_since=now), _recovery(health, ended)


def _recovery(health: AccountHealth, ended: frozenset[ChangeKind]) -> tuple[Change, ...]:
    if not ended:
        return ()
    after = min(ended - {ChangeKind.PORTAL_UNREADABLE} or ended, key=list(ChangeKind).index)
    details: dict[str, Json] = {"after": after.value, "since": utc_text(health.failing_since)}
    if ChangeKind.BLIND in ended and after is not ChangeKind.BLIND:
        details["was_blind"] = True  # for the channels that were alerted only about that
    return (_account_change(ChangeKind.RECOVERED, details),)


def _account_change(kind: ChangeKind, details: Json) -> Change:
    return Change(kind=kind, severity=severity_of(kind), new=details)


def _summary(errors: Sequence[ReadFailed]) -> str:
    """Return the first few errors in one line, each once, and how many others there are."""
    texts = list(dict.fromkeys(map(str, errors)))
    left_out = len(texts) - _LISTED_ERRORS
    more = [plural("{n} more", "{n} more", left_out)] if left_out > 0 else []
    return "; ".join([*texts[:_LISTED_ERRORS], *more])


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadResult:
    """The result of one check of an account. `read_elsewhere`: another process checked it, or is doing so."""

    account: str
    outcome: ReadOutcome
    cases_read: int = 0
    changes: tuple[RecordedChange, ...] = ()
    error: str | None = None
    read_elsewhere: bool = False
