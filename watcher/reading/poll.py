"""Check one account once: take its lock, visit the portal, record the results and how the sign-in went."""

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from watcher.clock.durations import format_duration
from watcher.context.context import Context
from watcher.context.wrong_clock import correct_wrong_clock
from watcher.errors import (
    AccountLocked,
    LockLost,
    PortalUnavailable,
    ReadFailed,
    SignInRejected,
    StoreUnusable,
    UnexpectedAnswer,
    os_error_text,
)
from watcher.messages import _
from watcher.model.account_health import ReadOutcome, ReadResult, resume
from watcher.model.change import RecordedChange
from watcher.model.overdue_check import MAX_CHECK_DURATION
from watcher.notices.download import fetch_notices
from watcher.portal import CaseResult, Downloads, Portal, PortalContext, Reader, SignInGuard
from watcher.reading.options import ReadOptions
from watcher.reading.other_key import leave_to_others
from watcher.reading.portal_context import portal_context
from watcher.reading.recorder import ReadRecorder
from watcher.reading.renamed import account_locks, keep_pause
from watcher.reading.skipped import skipped_text
from watcher.remind.handover_check import plan_next_reminder, remind_handover
from watcher.remind.manual_check import plan_next_manual_check, remind_manual_checks
from watcher.settings import AccountSettings
from watcher.settings.handover import HandoverAccount
from watcher.store import Busy

_FIRST_RETRY, _LAST_RETRY = timedelta(minutes=1), timedelta(minutes=15)
"""A check that a kill interrupted is started again after a time between these, growing if that happens again."""
_log = structlog.get_logger(__name__)


def poll(
    account: AccountSettings,
    portal: Portal,
    options: ReadOptions,
    context: Context,
    *,
    wait: float = 0.0,
    scheduled_at: datetime | None = None,
) -> ReadResult:
    """Check the account once and record the result. Only one process at a time checks an account, whatever its name.

    `wait` is how many real seconds to wait for a check in another process; after that the outcome is `failed`.
    `scheduled_at` is the stored time that this check was scheduled for: if the store has a later one by now, another
    process has done the check, and this call does nothing.

    A check whose lock is lost submits and records nothing more, and its outcome is `failed`: another process may have
    begun a check of its own.

    Sends no request for an account that is paused, or whose portal asked to wait. For one that only a person can check,
    or that a person hands over, records the reminders that are due instead. Raises only `StoreUnusable`.
    """
    try:
        correct_wrong_clock(context)
        with account_locks(account, context, wait=wait) as held:
            context = replace(context, held=held)
            if scheduled_at is not None and _is_done_elsewhere(account, context, scheduled_at):
                return ReadResult(account=account.name, outcome=ReadOutcome.OK, read_elsewhere=True)
            if (left := leave_to_others(account, options.sealed, context)) is not None:
                return left
            if options.on_start is not None:
                options.on_start()
            if (reminders := _remind_instead(account, portal, options, context)) is not None:
                return ReadResult(account=account.name, outcome=ReadOutcome.OK, changes=tuple(reminders))
            keep_pause(account, context)
            result = _AccountCheck(account, portal, context).run(options)
            _plan_next_reminder(account, portal, context)
            return result
    except Busy:
        return ReadResult(
            account=account.name,
            outcome=ReadOutcome.FAILED,
            error=_("another process is checking this account"),
            read_elsewhere=True,
        )
    except LockLost as lost:
        return ReadResult(account=account.name, outcome=ReadOutcome.FAILED, error=str(lost))


def _is_done_elsewhere(account: AccountSettings, context: Context, scheduled_at: datetime) -> bool:
    next_read = context.store.accounts.next_read(account.name)
    return next_read is not None and next_read > scheduled_at


def record_results(
    results: Iterable[CaseResult],
    account: AccountSettings,
    portal: Portal,
    context: Context,
    *,
    complete: bool = False,
) -> ReadResult:
    """Record results that a person supplied (a saved answer, a status they saw) like those of a check.

    `complete`: these are all cases of the account; otherwise the cases without a result do not count as missing.
    Raises `Busy`, `LockLost`, and `StoreUnusable`.
    """
    correct_wrong_clock(context)
    with context.store.locks.acquire(f"account {account.name}", wait=60.0, stop=context.stop) as held:
        context = replace(context, held=held)
        recorder = ReadRecorder(account, portal, context)
        recorder.replay_after_restore()
        for result in results:
            recorder.record(result)
        recorded = recorder.finish(complete=complete)
        _plan_next_reminder(account, portal, context)
        return recorded


def _remind_instead(
    account: AccountSettings, portal: Portal, options: ReadOptions, context: Context
) -> list[RecordedChange] | None:
    """Record the reminders of an account that only a person can check; None if this is another account."""
    if portal.is_manual:
        return remind_manual_checks(account, context)
    if isinstance(account, HandoverAccount) and account.is_handed_over and not options.attended:
        return remind_handover(account, context)
    return None


def _plan_next_reminder(account: AccountSettings, portal: Portal, context: Context) -> None:
    """Plan the next reminder of an account that was checked, or handed over, if it has reminders."""
    if portal.is_manual:
        plan_next_manual_check(account, context)
    elif isinstance(account, HandoverAccount) and account.is_handed_over:
        plan_next_reminder(account, context)


class _AccountCheck:
    """One check of an account at its portal. The caller holds the account's lock."""

    def __init__(self, account: AccountSettings, portal: Portal, context: Context) -> None:
        self._account, self._portal, self._context = account, portal, context
        self._recorder = ReadRecorder(account, portal, context)

    def run(self, options: ReadOptions) -> ReadResult:
        try:
            return self._run(options)
        except LockLost as lost:
            return self._recorder.result(ReadOutcome.FAILED, error=str(lost))

    def _run(self, options: ReadOptions) -> ReadResult:
        now = self._context.clock.now()
        skipped = self._skip(now)
        if skipped is not None:
            return skipped
        self._context.store.accounts.set_next_read(self._account.name, now + self._retry_delay(now))
        self._recorder.replay_after_restore()
        if self._recorder.finished.are_all_of(self._account):
            return self._recorder.rest()
        guard = self._context.store.sign_in_guard(
            self._account.name,
            clock=self._context.clock,
            login=self._account.login(),
            fingerprint=lambda: self._recorder.fingerprint,
            max_sign_ins_per_day=self._account.max_sign_ins_per_day,
        )
        try:
            error = self._read_portal(options, guard)
        except LockLost:
            guard.unanswered()
            raise
        if isinstance(error, SignInRejected | AccountLocked):
            guard.refused()
        elif error is not None and self._context.stop.is_set():
            guard.unanswered()
            return self._recorder.result(
                ReadOutcome.FAILED, error=_("the program is stopping; the remaining cases are checked next time")
            )
        elif isinstance(error, PortalUnavailable):
            guard.unanswered()
        elif error is not None:
            guard.unclear()
        return self._recorder.finish()

    def _skip(self, now: datetime) -> ReadResult | None:
        """Return the result if no request may be sent now: the account is paused, or the portal asked to wait.

        Both are stored, so they outlast a restart. A changed credential ends the pause; otherwise a paused account
        comes up again after its interval.
        """
        health, accounts = self._recorder.health, self._context.store.accounts
        if health.state.waits_for_person:
            if self._recorder.fingerprint == health.rejected_fingerprint:
                accounts.set_next_read(self._account.name, now + self._recorder.interval)
                return self._recorder.result(ReadOutcome.PAUSED, error=health.last_error)
            self._recorder.health = resume(health)
            accounts.set_health(self._account.name, self._recorder.health)
        elif health.not_before is not None and now < health.not_before:
            skipped = skipped_text(health, agency=self._portal.agency_of(self._account), account=self._account.name)
            return self._recorder.result(ReadOutcome.FAILED, error=skipped)
        return None

    def _retry_delay(self, now: datetime) -> timedelta:
        """Return how soon to check again if a kill interrupts this check; longer if this one is already late."""
        health, interval = self._recorder.health, self._recorder.interval
        due = health.first_seen_at if health.last_attempt_at is None else health.last_attempt_at + interval
        late = now - due - self._context.settings.schedule.jitter
        return min(interval, max(_FIRST_RETRY, min(late, _LAST_RETRY)))

    def _read_portal(self, options: ReadOptions, guard: SignInGuard) -> ReadFailed | None:
        """Record every case, then download letters. Returns the error that ended this early, if any."""
        try:
            with self._portal.open(self._account, self._portal_context(options, guard)) as reader:
                self._record_cases(reader, options)
                self._fetch_notices(reader)
        except ReadFailed as error:
            self._recorder.errors.append(error)
            return error
        except (StoreUnusable, LockLost):
            raise
        except OSError as error:  # what a portal does is a `ReadFailed` by now
            _log.exception("check_failed_on_this_machine", account=self._account.name)
            local = PortalUnavailable(
                _("this machine is at fault, not the portal: {reason}", reason=os_error_text(error))
            )
            self._recorder.errors.append(local)
            return local
        except Exception as error:  # noqa: BLE001 - the one place that catches errors of a portal's own code
            _log.exception("check_failed_unexpectedly", account=self._account.name)
            unexpected = UnexpectedAnswer(
                _("the check failed unexpectedly ({error}); see the log", error=type(error).__name__)
            )
            self._recorder.errors.append(unexpected)
            return unexpected
        finally:
            _end_turn(options)
        return None

    def _portal_context(self, options: ReadOptions, guard: SignInGuard) -> PortalContext:
        shared = portal_context(
            self._account, options, self._context, sign_in_guard=guard, known=self._recorder.read_before
        )
        recorder = self._recorder
        return replace(shared, is_finished=recorder.finished.include, is_unchanged=recorder.is_unchanged)

    def _record_cases(self, reader: Reader, options: ReadOptions) -> None:
        max_duration = options.max_duration
        if max_duration is None:
            max_duration = max(self._recorder.interval, MAX_CHECK_DURATION)
        try:
            with closing(reader.read()) as results:
                for result in _until_too_late(results, max_duration):
                    _end_turn(options)  # the account is signed in
                    self._recorder.record(result, skip_finished=True)
                    if options.progress is not None:
                        options.progress(self._recorder.case_count)
        finally:
            self._recorder.write_group()

    def _fetch_notices(self, reader: Reader) -> None:
        """Download new letters. If the portal asks to wait here, that counts as an error of the check."""
        if self._account.save_notices and isinstance(reader, Downloads):
            wait = fetch_notices(reader, self._account, self._recorder.read, self._context)
            self._recorder.errors += [wait] if wait else []


def _end_turn(options: ReadOptions) -> None:
    if options.turn is not None:
        options.turn.end()


def _until_too_late(results: Iterable[CaseResult], max_duration: timedelta) -> Iterator[CaseResult]:
    """Yield the results that arrive within `max_duration`. Raises `PortalUnavailable` at the first one after it."""
    ends_at = time.monotonic() + max_duration.total_seconds()
    for result in results:
        if time.monotonic() > ends_at:
            raise PortalUnavailable(
                _(
                    "the check took longer than {limit}; the remaining cases are checked next time",
                    limit=format_duration(max_duration),
                )
            )
        yield result
