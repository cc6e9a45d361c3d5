"""One read of one account, start to end: who may read it now, the visit at its portal, what the sign-in came to."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from watcher.clock.durations import format_duration
from watcher.clock.timestamps import utc_text
from watcher.context.context import Context
from watcher.errors import AccountLocked, PortalUnavailable, ReadFailed, SignInRejected, StoreUnusable, UnexpectedAnswer
from watcher.model.account_health import ReadOutcome, ReadResult, resume
from watcher.notices import fetch_notices
from watcher.portal import (
    CaseResult,
    CodeSource,
    Downloads,
    Portal,
    PortalContext,
    Reader,
    SessionFile,
    SignInGuard,
    Trace,
)
from watcher.reading.recorder import ReadRecorder
from watcher.remind.manual_check import plan_next_manual_check, remind_manual_checks
from watcher.settings import AccountSettings
from watcher.store import Busy

_TURN_TAKEN = timedelta(minutes=15)
_LONGEST_READ = timedelta(hours=12)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What one read is given: where the session lies, where codes come from, who wants to see the answers.

    `begun` is called when it is certain that the read is done here, `progress` with the number of cases after each.
    A read that lasts longer than `longest`, in real time, is broken off between two cases, and the rest is read at the
    next turn; None: half a day, or the span from one read to the next where that is longer.
    """

    session: SessionFile
    codes: CodeSource
    trace: Trace | None = None
    on_start: Callable[[], None] | None = None
    progress: Callable[[int], None] | None = None
    max_duration: timedelta | None = None


def poll(
    account: AccountSettings,
    portal: Portal,
    options: ReadOptions,
    context: Context,
    *,
    wait: float = 0.0,
    turn: datetime | None = None,
) -> ReadResult:
    """Reads the account once and records what that brings. One read at a time, across processes.

    `wait`: real seconds to wait for a read that is under way elsewhere; after that the outcome is `failed`. An account
    that is paused, or whose portal asked to wait, is not asked at all; nor is a portal that only a person can read:
    the person is reminded, where it is time. `turn` is the moment in the books that this read is for: where they name
    a later one by now, another process has had the turn, and the account is left alone. Raises `StoreUnusable` only.
    """
    try:
        with context.store.locks.acquire(f"account {account.name}", wait=wait, stop=context.stop):
            if turn is not None and (context.store.accounts.next_read(account.name) or turn) > turn:
                return ReadResult(account=account.name, outcome=ReadOutcome.OK, read_elsewhere=True)
            if options.on_start is not None:
                options.on_start()
            if portal.is_manual:
                told = remind_manual_checks(account, context)
                return ReadResult(account=account.name, outcome=ReadOutcome.OK, changes=tuple(told))
            return _Visit(account, portal, context).read(options)
    except Busy:
        return ReadResult(
            account=account.name,
            outcome=ReadOutcome.FAILED,
            error="another process is reading this account",
            read_elsewhere=True,
        )


def record_readings(
    readings: Iterable[CaseResult],
    account: AccountSettings,
    portal: Portal,
    context: Context,
    *,
    complete: bool = False,
) -> ReadResult:
    """Records what a person brought (a saved answer, a status they read) as one read, through the same diff.

    `complete`: it is everything there is; else cases that it does not name are not missing.
    """
    with context.store.locks.acquire(f"account {account.name}", wait=60.0, stop=context.stop):
        intake = ReadRecorder(account, portal, context)
        intake.replay_after_restore()
        for reading in readings:
            intake.record(reading)
        done = intake.finish(complete=complete)
        if portal.is_manual:
            plan_next_manual_check(account, context)
        return done


def portal_context(
    account: AccountSettings,
    options: ReadOptions,
    context: Context,
    *,
    sign_in_guard: SignInGuard,
    known: Iterable[str],
) -> PortalContext:
    """What a portal is handed for one visit. `known` are the case numbers that the store already holds."""
    return PortalContext(
        clock=context.clock,
        language=context.settings.language,
        quota=context.store.quota(account.name),
        session=options.session,
        sign_in_guard=sign_in_guard,
        codes=options.codes,
        stop=context.stop,
        trace=options.trace,
        known_cases=frozenset(known),
    )


class _Visit:
    """One visit to an account's portal."""

    def __init__(self, account: AccountSettings, portal: Portal, context: Context) -> None:
        self._account, self._portal, self._means = account, portal, context
        self._intake = ReadRecorder(account, portal, context)

    def read(self, options: ReadOptions) -> ReadResult:
        now = self._means.clock.now()
        refusal = self._reason_not_to_ask(now)
        if refusal is not None:
            return refusal
        self._means.store.accounts.set_next_read(self._account.name, now + min(self._intake.every, _TURN_TAKEN))
        self._intake.replay_after_restore()
        breaker = self._means.store.sign_in_guard(
            self._account.name,
            clock=self._means.clock,
            fingerprint=lambda: self._intake.fingerprint,
            max_sign_ins_per_day=self._account.max_sign_ins_per_day,
        )
        surroundings = portal_context(
            self._account, options, self._means, sign_in_guard=breaker, known=self._intake.known
        )
        error = self._visit(replace(surroundings, is_unchanged=self._intake.is_unchanged), options)
        if error is not None and self._means.stop.is_set():
            breaker.unanswered()
            return self._intake.result(ReadOutcome.FAILED, error="the watcher is stopping; the rest is read again")
        if isinstance(error, SignInRejected | AccountLocked):
            breaker.refused()
        elif isinstance(error, PortalUnavailable):
            breaker.unanswered()
        elif error is not None:
            breaker.unclear()
        return self._intake.finish()

    def _reason_not_to_ask(self, now: datetime) -> ReadResult | None:
        """A pause that only a person can end, or a wait that the portal asked for; kept on disk, so across restarts."""
        health = self._intake.health
        if health.state.waits_for_person:
            if self._intake.fingerprint == health.rejected_fingerprint:
                return self._intake.result(ReadOutcome.PAUSED, error=health.last_error)
            self._intake.health = resume(health)
        elif health.not_before is not None and now < health.not_before:
            until = utc_text(health.not_before)
            return self._intake.result(ReadOutcome.FAILED, error=f"not asked: it is to be left alone until {until}")
        return None

    def _visit(self, surroundings: PortalContext, options: ReadOptions) -> ReadFailed | None:
        """Reads every case. Returns what ended the read early, if anything did."""
        longest = max(self._intake.every, _LONGEST_READ) if options.max_duration is None else options.max_duration
        try:
            with self._portal.open(self._account, surroundings) as reader:
                with closing(reader.read()) as readings:
                    for reading in _in_time(readings, longest):
                        self._intake.record(reading)
                        if options.progress is not None:
                            options.progress(self._intake.answered)
                self._fetch_notices(reader)
        except ReadFailed as error:
            self._intake.errors.append(error)
            return error
        except StoreUnusable:
            raise
        except Exception as error:  # noqa: BLE001 - the one place that catches what nobody foresaw
            _log.exception("reading failed in an unforeseen way", account=self._account.name)
            unforeseen = UnexpectedAnswer(f"reading failed in an unforeseen way: {type(error).__name__}; see the log")
            self._intake.errors.append(unforeseen)
            return unforeseen
        return None

    def _fetch_notices(self, reader: Reader) -> None:
        """The documents behind the notices; a wait that the portal asks for here counts like any other."""
        if self._account.save_notices and isinstance(reader, Downloads):
            wait = fetch_notices(reader, self._account, self._intake.read, self._means)
            self._intake.errors += [wait] if wait else []


def _in_time(readings: Iterable[CaseResult], max_duration: timedelta) -> Iterator[CaseResult]:
    """The readings that come in time. Raises `PortalUnavailable` at the first that does not."""
    ends_at = time.monotonic() + max_duration.total_seconds()
    for reading in readings:
        if time.monotonic() > ends_at:
            raise PortalUnavailable(
                f"the read took longer than {format_duration(max_duration)}; the rest is read again"
            )
        yield reading
