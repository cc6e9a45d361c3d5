"""One read of one account, start to end: who may read it now, the visit at its portal, what the sign-in came to."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from watcher.clock.durations import format_duration
from watcher.context.context import Means
from watcher.errors import AccountLocked, PortalUnavailable, ReadFailed, SignInRejected, StoreUnusable, UnexpectedAnswer
from watcher.model.account_health import Outcome, Round, resumed
from watcher.notices import fetch_notices
from watcher.portal import CodeSource, Downloads, Portal, Reader, Reading, SessionFile, SignInGate, Surroundings, Trace
from watcher.reading.recorder import Intake
from watcher.remind.manual_check import plan_next_look, remind_to_look
from watcher.settings import AccountSettings
from watcher.store import Busy

_TURN_TAKEN = timedelta(minutes=15)
_LONGEST_READ = timedelta(hours=12)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What one read is given: where the session lies, where codes come from, who wants to see the answers.

    `begun` is called when it is certain that the read is done here, `progress` with the number of cases after each.
    A read that lasts longer than `longest`, in real time, is broken off between two cases, and the rest is read at the
    next turn; None: half a day, or the span from one read to the next where that is longer.
    """

    session: SessionFile
    codes: CodeSource
    trace: Trace | None = None
    begun: Callable[[], None] | None = None
    progress: Callable[[int], None] | None = None
    longest: timedelta | None = None


def poll(
    account: AccountSettings,
    portal: Portal,
    access: Access,
    means: Means,
    *,
    wait: float = 0.0,
    turn: datetime | None = None,
) -> Round:
    """Reads the account once and records what that brings. One read at a time, across processes.

    `wait`: real seconds to wait for a read that is under way elsewhere; after that the outcome is `failed`. An account
    that is paused, or whose portal asked to wait, is not asked at all; nor is a portal that only a person can read:
    the person is reminded, where it is time. `turn` is the moment in the books that this read is for: where they name
    a later one by now, another process has had the turn, and the account is left alone. Raises `StoreUnusable` only.
    """
    try:
        with means.store.locks.hold(f"account {account.name}", wait=wait, stop=means.stop):
            if turn is not None and (means.store.accounts.next_read(account.name) or turn) > turn:
                return Round(account=account.name, outcome=Outcome.OK, elsewhere=True)
            if access.begun is not None:
                access.begun()
            if portal.asks_a_person:
                told = remind_to_look(account, means)
                return Round(account=account.name, outcome=Outcome.OK, changes=tuple(told))
            return _Visit(account, portal, means).read(access)
    except Busy:
        return Round(
            account=account.name,
            outcome=Outcome.FAILED,
            error="another process is reading this account",
            elsewhere=True,
        )


def take_in(
    readings: Iterable[Reading], account: AccountSettings, portal: Portal, means: Means, *, complete: bool = False
) -> Round:
    """Records what a person brought (a saved answer, a status they read) as one read, through the same diff.

    `complete`: it is everything there is; else cases that it does not name are not missing.
    """
    with means.store.locks.hold(f"account {account.name}", wait=60.0, stop=means.stop):
        intake = Intake(account, portal, means)
        intake.catch_up()
        for reading in readings:
            intake.take(reading)
        done = intake.finish(complete=complete)
        if portal.asks_a_person:
            plan_next_look(account, means)
        return done


def surroundings_of(
    account: AccountSettings, access: Access, means: Means, *, gate: SignInGate, known: Iterable[str]
) -> Surroundings:
    """What a portal is handed for one visit. `known` are the case numbers that the store already holds."""
    return Surroundings(
        clock=means.clock,
        language=means.settings.language,
        quota=means.store.quota(account.name),
        session=access.session,
        gate=gate,
        codes=access.codes,
        stop=means.stop,
        trace=access.trace,
        known_cases=frozenset(known),
    )


class _Visit:
    """One visit to an account's portal."""

    def __init__(self, account: AccountSettings, portal: Portal, means: Means) -> None:
        self._account, self._portal, self._means = account, portal, means
        self._intake = Intake(account, portal, means)

    def read(self, access: Access) -> Round:
        now = self._means.clock.now()
        refusal = self._reason_not_to_ask(now)
        if refusal is not None:
            return refusal
        self._means.store.accounts.set_next_read(self._account.name, now + min(self._intake.every, _TURN_TAKEN))
        self._intake.catch_up()
        breaker = self._means.store.breaker(
            self._account.name,
            clock=self._means.clock,
            fingerprint=lambda: self._intake.fingerprint,
            max_sign_ins_per_day=self._account.max_sign_ins_per_day,
        )
        surroundings = surroundings_of(self._account, access, self._means, gate=breaker, known=self._intake.known)
        error = self._visit(replace(surroundings, heard_before=self._intake.heard_before), access)
        if error is not None and self._means.stop.is_set():
            breaker.unanswered()
            return self._intake.round(Outcome.FAILED, error="the watcher is stopping; the rest is read again")
        if isinstance(error, SignInRejected | AccountLocked):
            breaker.refused()
        elif isinstance(error, PortalUnavailable):
            breaker.unanswered()
        elif error is not None:
            breaker.unclear()
        return self._intake.finish()

    def _reason_not_to_ask(self, now: datetime) -> Round | None:
        """A pause that only a person can end, or a wait that the portal asked for; kept on disk, so across restarts."""
        health = self._intake.health
        if health.state.waits_for_person:
            if self._intake.fingerprint == health.rejected_fingerprint:
                return self._intake.round(Outcome.PAUSED, error=health.last_error)
            self._intake.health = resumed(health)
        elif health.not_before is not None and now < health.not_before:
            until = health.not_before.isoformat(timespec="seconds").replace("+00:00", "Z")
            return self._intake.round(Outcome.FAILED, error=f"not asked: it is to be left alone until {until}")
        return None

    def _visit(self, surroundings: Surroundings, access: Access) -> ReadFailed | None:
        """Reads every case. Returns what ended the read early, if anything did."""
        longest = max(self._intake.every, _LONGEST_READ) if access.longest is None else access.longest
        try:
            with self._portal.open(self._account, surroundings) as reader:
                with closing(reader.read()) as readings:
                    for reading in _in_time(readings, longest):
                        self._intake.take(reading)
                        if access.progress is not None:
                            access.progress(self._intake.answered)
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


def _in_time(readings: Iterable[Reading], longest: timedelta) -> Iterator[Reading]:
    """The readings that come in time. Raises `PortalUnavailable` at the first that does not."""
    ends_at = time.monotonic() + longest.total_seconds()
    for reading in readings:
        if time.monotonic() > ends_at:
            raise PortalUnavailable(f"the read took longer than {format_duration(longest)}; the rest is read again")
        yield reading
