"""One read of one account, start to end: the only shell around a portal and the diff.

What each case brings is written before the next one is looked at; the round's end is written last. So a kill at any
instant loses nothing: what was written stays, alerts included, and the rest is read again.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

import structlog

from watcher.books import watched_among
from watcher.case import Snapshot
from watcher.change import Change, ChangeKind, Json, RecordedChange, severity_of
from watcher.diff import diff
from watcher.errors import (
    AccountLocked,
    CaseNotFound,
    CodeNeeded,
    PortalUnavailable,
    ReadFailed,
    SignInRejected,
    StoreUnusable,
    UnexpectedAnswer,
)
from watcher.health import Health, Outcome, after_read, outcome_of, resumed
from watcher.looks import plan_next_look, remind_to_look
from watcher.means import Means
from watcher.notices import fetch_notices
from watcher.portals import (
    Answers,
    CaseRead,
    CaseSame,
    CodeSource,
    Downloads,
    Portal,
    Reader,
    Reading,
    SessionFile,
    SignInGate,
    Surroundings,
    Trace,
)
from watcher.settings import AccountSettings
from watcher.settle import settle
from watcher.store import Busy, CaseSave, KnownCase, News, RoundEnd, digest, digest_of_answers

MISSING_AFTER = 3
"""Complete reads in a row without a case, after which it is reported as missing (promise 4)."""

_TURN_TAKEN = timedelta(minutes=15)
_HISTORY_IN_ALERTS = 5
_WORTH_TELLING_AGAIN = frozenset(ChangeKind) - {ChangeKind.LOOK_REMINDER}
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one read of an account came to. `elsewhere`: nothing was read here, another process has done it or is."""

    account: str
    outcome: Outcome
    cases_read: int = 0
    changes: tuple[RecordedChange, ...] = ()
    error: str | None = None
    elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What one read is given: where the session lies, where codes come from, who wants to see the answers.

    `begun` is called when it is certain that the read is done here, `progress` with the number of cases after each.
    """

    session: SessionFile
    codes: CodeSource
    trace: Trace | None = None
    begun: Callable[[], None] | None = None
    progress: Callable[[int], None] | None = None


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
        done = _Visit(account, portal, means).take_in(readings, complete=complete)
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
    """One read of one account while it is under way."""

    def __init__(self, account: AccountSettings, portal: Portal, means: Means) -> None:
        self._account, self._portal, self._means = account, portal, means
        self._store, self._settings = means.store, means.settings
        self._health = means.store.accounts.health(account.name, means.clock.now())
        self._known: Mapping[str, KnownCase] = means.store.known_cases(account.name)
        self._answered = 0
        self._read: set[str] = set()
        self._returned: list[str] = []
        self._errors: list[ReadFailed] = []
        self._changes: list[RecordedChange] = []

    @cached_property
    def _fingerprint(self) -> str | None:
        return self._store.accounts.fingerprint(self._account.credential())

    # --- asking the portal ---

    def read(self, access: Access) -> Round:
        now = self._means.clock.now()
        refusal = self._reason_not_to_ask(now)
        if refusal is not None:
            return refusal
        self._store.accounts.set_next_read(self._account.name, now + min(self._every, _TURN_TAKEN))
        self._catch_up()
        breaker = self._store.breaker(
            self._account.name,
            clock=self._means.clock,
            fingerprint=lambda: self._fingerprint,
            max_sign_ins_per_day=self._account.max_sign_ins_per_day,
        )
        surroundings = surroundings_of(self._account, access, self._means, gate=breaker, known=self._known)
        error = self._visit(replace(surroundings, heard_before=self._heard_before), access.progress)
        if error is not None and self._means.stop.is_set():
            breaker.unanswered()
            return self._round(Outcome.FAILED, error="the watcher is stopping; the rest is read again")
        if isinstance(error, SignInRejected | AccountLocked):
            breaker.refused()
        elif isinstance(error, PortalUnavailable):
            breaker.unanswered()
        elif error is not None:
            breaker.unclear()
        return self._finish(complete=True)

    def _reason_not_to_ask(self, now: datetime) -> Round | None:
        """A pause that only a person can end, or a wait that the portal asked for; kept on disk, so across restarts."""
        health = self._health
        if health.state.waits_for_person:
            if self._fingerprint == health.rejected_fingerprint:
                return self._round(Outcome.PAUSED, error=health.last_error)
            self._health = resumed(health)
        elif health.not_before is not None and now < health.not_before:
            until = health.not_before.isoformat(timespec="seconds").replace("+00:00", "Z")
            return self._round(Outcome.FAILED, error=f"not asked: it is to be left alone until {until}")
        return None

    def _visit(self, surroundings: Surroundings, progress: Callable[[int], None] | None) -> ReadFailed | None:
        """Reads every case. Returns what ended the read early, if anything did."""
        try:
            with self._portal.open(self._account, surroundings) as reader:
                for reading in reader.read():
                    self._take(reading)
                    if progress is not None:
                        progress(self._answered)
                self._fetch_notices(reader)
        except ReadFailed as error:
            self._errors.append(error)
            return error
        except StoreUnusable:
            raise
        except Exception as error:  # noqa: BLE001 - the one place that catches what nobody foresaw
            _log.exception("reading failed in an unforeseen way", account=self._account.name)
            unforeseen = UnexpectedAnswer(f"reading failed in an unforeseen way: {type(error).__name__}; see the log")
            self._errors.append(unforeseen)
            return unforeseen
        return None

    def _fetch_notices(self, reader: Reader) -> None:
        """The documents behind the notices; a wait that the portal asks for here counts like any other."""
        if self._account.save_notices and isinstance(reader, Downloads):
            wait = fetch_notices(reader, self._account, self._read, self._means)
            self._errors += [wait] if wait else []

    def take_in(self, readings: Iterable[Reading], *, complete: bool) -> Round:
        self._catch_up()
        for reading in readings:
            self._take(reading)
        return self._finish(complete=complete)

    def _catch_up(self) -> None:
        """Takes in what a database had read, and told of, that a backup has replaced since. Tells nobody again."""
        told = self._store.restored.told(self._account.name)
        if not told:
            return
        for snapshot in told:
            self._take_snapshot(snapshot, {}, tell=False)
        self._store.restored.forget_told(self._account.name)
        self._known = self._store.known_cases(self._account.name)
        self._read.clear()
        self._returned.clear()

    # --- one case ---

    def _take(self, reading: Reading) -> None:
        self._answered += 1
        if isinstance(reading, CaseRead):
            self._take_snapshot(reading.snapshot, reading.answers)
        elif isinstance(reading, CaseSame):
            self._note_read(reading.case_number)
        elif isinstance(reading.error, CaseNotFound):
            _log.info("the portal does not know this case", account=self._account.name, case=reading.case_number)
        else:
            self._errors.append(reading.error)
            if reading.answers:
                self._write(
                    News(
                        account=self._account.name,
                        case_number=reading.case_number,
                        answers=reading.answers,
                        answers_strange=True,
                    )
                )

    def _take_snapshot(self, fresh: Snapshot, answers: Answers, *, tell: bool = True) -> None:
        known = self._note_read(fresh.case_number)
        seen, heard = digest(fresh), digest_of_answers(answers, self._settings.language)
        if known is not None and known.seen == seen:
            return
        before = None
        if known is not None:
            before = self._store.snapshot(self._account.name, fresh.case_number, beside=fresh)
        vocabulary = self._portal.vocabulary_of(self._account)
        now = self._means.clock.now()
        after = settle(before, fresh, vocabulary=vocabulary)
        changes = diff(before, after, today=now.astimezone(self._settings.timezone).date(), vocabulary=vocabulary)
        told = self._told(changes, snapshot=after, baseline=before is None)
        if not tell:
            told = replace(told, drafts=())
        case = _save(known, before, after, changes, now, seen=seen, heard=heard)
        self._write(replace(told, case_number=fresh.case_number, case=case, answers=answers))

    def _note_read(self, number: str) -> KnownCase | None:
        """What is known of a case that the portal has just told of, be it the same as before."""
        self._read.add(number)
        known = self._known.get(number)
        if known is not None and known.missing_reads >= MISSING_AFTER:
            self._returned.append(number)
        return known

    def _heard_before(self, number: str, answers: Answers) -> bool:
        known = self._known.get(number)
        return known is not None and known.heard == digest_of_answers(answers, self._settings.language)

    def _write(self, news: News) -> None:
        self._changes += self._store.record([news], now=self._means.clock.now())

    # --- the end of the round ---

    def _finish(self, *, complete: bool) -> Round:
        now = self._means.clock.now()
        watched = watched_among(self._known, self._account)
        if not self._answered and not self._errors and watched:
            self._errors.append(UnexpectedAnswer(f"the portal listed no case at all, where {len(watched)} are known"))
        complete = complete and not self._errors
        missing = (watched | set(self._account.cases)) - self._read if complete else set()
        health, changes = self._health_after(now)
        end = RoundEnd(
            account=self._account.name,
            complete=complete,
            next_read_at=self._next_read(now, health),
            read=frozenset(self._read),
            missing=frozenset(missing),
        )
        news = [self._told(changes, health=health), *self._absences(missing), *self._returns()]
        self._changes += self._store.record(news, now=now, round_end=end)
        if self._read and not self._errors:
            self._store.restored.end_doubt(self._account.name)
        error = "; ".join(dict.fromkeys(str(error) for error in self._errors)) or None
        return self._round(outcome_of(self._errors, cases_read=len(self._read)), error=error)

    def _health_after(self, now: datetime) -> tuple[Health, tuple[Change, ...]]:
        told_meanwhile = self._store.accounts.health(self._account.name, now).told  # that a code is needed, say
        self._health = replace(self._health, told=self._health.told | told_meanwhile)
        if self._health.state.waits_for_person and not self._errors:
            return self._health, ()  # what a person brought by hand is no answer to why the portal waits for them
        refused = isinstance(self._errors[0], SignInRejected | AccountLocked | CodeNeeded) if self._errors else False
        return after_read(
            self._health,
            self._errors,
            now=now,
            blind_after=self._settings.schedule.blind_after,
            fingerprint=self._fingerprint if refused else None,
        )

    def _absences(self, missing: Iterable[str]) -> Iterable[News]:
        """A case is told as missing once, at the complete read that makes it so."""
        for number in sorted(missing):
            known = self._known.get(number)
            if known is not None and known.missing_reads + 1 == MISSING_AFTER:
                yield self._told((_presence(ChangeKind.CASE_MISSING, number, {"reads": MISSING_AFTER}),))

    def _returns(self) -> Iterable[News]:
        for number in self._returned:
            yield self._told((_presence(ChangeKind.CASE_RETURNED, number, None),))

    def _told(
        self,
        changes: tuple[Change, ...],
        *,
        snapshot: Snapshot | None = None,
        baseline: bool = False,
        health: Health | None = None,
    ) -> News:
        """The changes with their words and the alerts they cause; nothing is written yet."""
        number = changes[0].case_number if changes else None
        history: list[RecordedChange] = []
        if number is not None and not baseline:
            history = self._store.history(
                accounts=[self._account.name],
                case_number=number,
                kinds=_WORTH_TELLING_AGAIN if self._portal.asks_a_person else None,
                limit=_HISTORY_IN_ALERTS,
            )
        news = self._means.news(self._account, changes, snapshot=snapshot, history=tuple(history), baseline=baseline)
        return replace(news, health=health)

    @property
    def _every(self) -> timedelta:
        return self._account.every or self._settings.schedule.every

    def _next_read(self, now: datetime, health: Health) -> datetime:
        if self._portal.asks_a_person:
            return now  # until it is planned, right after this; a turn too early reminds nobody
        jitter = self._settings.schedule.jitter.total_seconds()
        turn = now + self._every + timedelta(seconds=self._means.chance.uniform(0, jitter))
        return max(turn, health.not_before) if health.not_before else turn

    def _round(self, outcome: Outcome, *, error: str | None) -> Round:
        return Round(
            account=self._account.name,
            outcome=outcome,
            cases_read=len(self._read),
            changes=tuple(self._changes),
            error=error,
        )


def _presence(kind: ChangeKind, number: str, new: Json) -> Change:
    return Change(kind=kind, severity=severity_of(kind), case_number=number, new=new)


def _save(
    known: KnownCase | None,
    before: Snapshot | None,
    after: Snapshot,
    changes: tuple[Change, ...],
    now: datetime,
    *,
    seen: bytes,
    heard: bytes,
) -> CaseSave:
    """How the case stands from now on: since when its stage, and when the portal last touched it silently."""
    moved = before is None or any(change.kind is ChangeKind.STAGE_CHANGED for change in changes)
    touched = any(change.kind is ChangeKind.SILENT_UPDATE for change in changes)
    touched_at = now if touched else None
    since, told = after.status_since or now.date(), after.status_since is not None
    if known is not None:
        touched_at = touched_at or known.touched_at
        if known.stage_since is not None and not moved:
            since, told = known.stage_since, known.stage_since_told
    return CaseSave(
        snapshot=after,
        seen=seen,
        heard=heard,
        revision=known.revision if known else None,
        stage_since=since,
        stage_since_told=told,
        touched_at=touched_at,
    )
