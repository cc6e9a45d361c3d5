"""Taking in what a portal said of an account, in one read: case by case into the books, then the end of the round.

What each case brings is written before the next one is looked at; the round's end is written last. So a kill at any
instant loses nothing: what was written stays, alerts included, and the rest is read again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property

import structlog

from watcher.context.context import Context
from watcher.errors import AccountLocked, CaseNotFound, CodeNeeded, ReadFailed, SignInRejected, UnexpectedAnswer
from watcher.model.account_health import AccountHealth, ReadOutcome, ReadResult, after_read, outcome_of
from watcher.model.case import Snapshot
from watcher.model.change import Change, ChangeKind, Json, RecordedChange, severity_of
from watcher.model.writes import CaseWrite, ReadEnd, WriteSet
from watcher.portal import CaseRead, CaseResult, CaseUnchanged, Portal, RawAnswers
from watcher.reading.diff import diff
from watcher.reading.normalize import normalize
from watcher.settings import AccountSettings
from watcher.settings.derived import watched_numbers
from watcher.store import StoredCase, digest, digest_of_answers

MISSING_AFTER = 3
"""Complete reads in a row without a case, after which it is reported as missing (promise 4)."""

_HISTORY_IN_ALERTS = 5
_WORTH_TELLING_AGAIN = frozenset(ChangeKind) - {ChangeKind.LOOK_REMINDER}
_log = structlog.get_logger(__name__)


class ReadRecorder:
    """One round of an account while it is under way.

    `health` is how the account stood when it began. `known` are the cases of the books by number, `read` those that
    the portal has told of by now; `errors` is what went wrong, in its order, whoever found it.
    """

    def __init__(self, account: AccountSettings, portal: Portal, context: Context) -> None:
        """Looks into the books, and writes nothing yet."""
        self._account, self._portal, self._means = account, portal, context
        self._store, self._settings = context.store, context.settings
        self.health = context.store.accounts.health(account.name, context.clock.now())
        self.known: Mapping[str, StoredCase] = context.store.known_cases(account.name)
        self.read: set[str] = set()
        self.errors: list[ReadFailed] = []
        self.answered = 0
        self._returned: list[str] = []
        self._changes: list[RecordedChange] = []

    @cached_property
    def fingerprint(self) -> str | None:
        """That of the account's credential; None where it has none."""
        return self._store.accounts.fingerprint(self._account.credential())

    @property
    def every(self) -> timedelta:
        """How long from one read to the next."""
        return self._account.every or self._settings.schedule.every

    def replay_after_restore(self) -> None:
        """Takes in what a database had read, and told of, that a backup has replaced since. Tells nobody again."""
        told = self._store.restore_marks.reported_snapshots(self._account.name)
        if not told:
            return
        for each in told:
            self._take_snapshot(each.snapshot, {}, tell=False, record=not each.recorded)
        self._store.restore_marks.forget_reported(self._account.name)
        self.known = self._store.known_cases(self._account.name)
        self.read.clear()
        self._returned.clear()

    def record(self, reading: CaseResult) -> None:
        """What the portal said of one case. Raises `StoreUnusable`."""
        self.answered += 1
        if isinstance(reading, CaseRead):
            self._take_snapshot(reading.snapshot, reading.answers)
        elif isinstance(reading, CaseUnchanged):
            self._note_read(reading.case_number)
        elif isinstance(reading.error, CaseNotFound):
            _log.info("the portal does not know this case", account=self._account.name, case=reading.case_number)
        else:
            self.errors.append(reading.error)
            if reading.answers:
                self._write(
                    WriteSet(
                        account=self._account.name,
                        case_number=reading.case_number,
                        answers=reading.answers,
                        answers_unexpected=True,
                    )
                )

    def _take_snapshot(self, fresh: Snapshot, answers: RawAnswers, *, tell: bool = True, record: bool = True) -> None:
        known = self._note_read(fresh.case_number)
        seen, heard = digest(fresh), digest_of_answers(answers, self._settings.language)
        if known is not None and known.snapshot_digest == seen:
            return
        before = None
        if known is not None:
            before = self._store.snapshot(self._account.name, fresh.case_number, fallback=fresh)
        vocabulary = self._portal.vocabulary_of(self._account)
        now = self._means.clock.now()
        after = normalize(before, fresh, vocabulary=vocabulary)
        changes = diff(before, after, today=now.astimezone(self._settings.timezone).date(), vocabulary=vocabulary)
        told = self._told(changes, snapshot=after, baseline=before is None)
        if not tell:
            told = replace(told, drafts=())
        if not record:
            told = replace(told, changes=(), summaries=())
        case = _save(known, before, after, changes, now, snapshot_digest=seen, answer_digest=heard)
        self._write(replace(told, case_number=fresh.case_number, case=case, answers=answers))

    def _note_read(self, number: str) -> StoredCase | None:
        """What is known of a case that the portal has just told of, be it the same as before."""
        self.read.add(number)
        known = self.known.get(number)
        if known is not None and known.missing_reads >= MISSING_AFTER:
            self._returned.append(number)
        return known

    def is_unchanged(self, number: str, answers: RawAnswers) -> bool:
        """Whether these are, to the letter, the answers that the case was last recorded from."""
        known = self.known.get(number)
        return known is not None and known.answer_digest == digest_of_answers(answers, self._settings.language)

    def _write(self, news: WriteSet) -> None:
        self._changes += self._store.record([news], now=self._means.clock.now())

    # --- the end of the round ---

    def finish(self, *, complete: bool = True) -> ReadResult:
        """Writes the end of the round: health, absences, the next turn.

        `complete`: all was asked for, so a known case that was not told of is missing. Raises `StoreUnusable`.
        """
        now = self._means.clock.now()
        watched = watched_numbers(self.known, self._account)
        if not self.answered and not self.errors and watched:
            self.errors.append(UnexpectedAnswer(f"the portal listed no case at all, where {len(watched)} are known"))
        complete = complete and not self.errors
        missing = (watched | set(self._account.cases)) - self.read if complete else set()
        health, changes = self._health_after(now)
        end = ReadEnd(
            account=self._account.name,
            complete=complete,
            next_read_at=self._next_read(now, health),
            read=frozenset(self.read),
            missing=frozenset(missing),
        )
        news = [self._told(changes, health=health), *self._absences(missing), *self._returns()]
        self._changes += self._store.record(news, now=now, read_end=end)
        if self.read and not self.errors:
            self._store.restore_marks.clear_uncertain(self._account.name)
        error = "; ".join(dict.fromkeys(str(error) for error in self.errors)) or None
        return self.result(outcome_of(self.errors, cases_read=len(self.read)), error=error)

    def _health_after(self, now: datetime) -> tuple[AccountHealth, tuple[Change, ...]]:
        told_meanwhile = self._store.accounts.health(self._account.name, now).notified  # that a code is needed, say
        self.health = replace(self.health, notified=self.health.notified | told_meanwhile)
        if self.health.state.waits_for_person and not self.errors:
            return self.health, ()  # what a person brought by hand is no answer to why the portal waits for them
        refused = isinstance(self.errors[0], SignInRejected | AccountLocked | CodeNeeded) if self.errors else False
        return after_read(
            self.health,
            self.errors,
            now=now,
            blind_after=self._settings.schedule.blind_after,
            fingerprint=self.fingerprint if refused else None,
        )

    def _absences(self, missing: Iterable[str]) -> Iterable[WriteSet]:
        """A case is told as missing once, at the complete read that makes it so."""
        for number in sorted(missing):
            known = self.known.get(number)
            if known is not None and known.missing_reads + 1 == MISSING_AFTER:
                yield self._told((_presence(ChangeKind.CASE_MISSING, number, {"reads": MISSING_AFTER}),))

    def _returns(self) -> Iterable[WriteSet]:
        for number in self._returned:
            yield self._told((_presence(ChangeKind.CASE_RETURNED, number, None),))

    def _told(
        self,
        changes: tuple[Change, ...],
        *,
        snapshot: Snapshot | None = None,
        baseline: bool = False,
        health: AccountHealth | None = None,
    ) -> WriteSet:
        """The changes with their words and the alerts they cause; nothing is written yet."""
        number = changes[0].case_number if changes else None
        history: list[RecordedChange] = []
        if number is not None and not baseline:
            history = self._store.history(
                accounts=[self._account.name],
                case_number=number,
                kinds=_WORTH_TELLING_AGAIN if self._portal.is_manual else None,
                limit=_HISTORY_IN_ALERTS,
            )
        news = self._means.compose(self._account, changes, snapshot=snapshot, history=tuple(history), baseline=baseline)
        return replace(news, health=health)

    def _next_read(self, now: datetime, health: AccountHealth) -> datetime:
        if self._portal.is_manual:
            return now  # until it is planned, right after this; a turn too early reminds nobody
        jitter = self._settings.schedule.jitter.total_seconds()
        turn = now + self.every + timedelta(seconds=self._means.random.uniform(0, jitter))
        return max(turn, health.not_before) if health.not_before else turn

    def result(self, outcome: ReadOutcome, *, error: str | None) -> ReadResult:
        """What it has come to."""
        return ReadResult(
            account=self._account.name,
            outcome=outcome,
            cases_read=len(self.read),
            changes=tuple(self._changes),
            error=error,
        )


def _presence(kind: ChangeKind, number: str, new: Json) -> Change:
    return Change(kind=kind, severity=severity_of(kind), case_number=number, new=new)


def _save(
    known: StoredCase | None,
    before: Snapshot | None,
    after: Snapshot,
    changes: tuple[Change, ...],
    now: datetime,
    *,
    snapshot_digest: bytes,
    answer_digest: bytes,
) -> CaseWrite:
    """How the case stands from now on: since when its stage, and when the portal last touched it silently."""
    moved = before is None or any(change.kind is ChangeKind.STAGE_CHANGED for change in changes)
    touched = any(change.kind is ChangeKind.SILENT_UPDATE for change in changes)
    touched_at = now if touched else None
    since, told = after.status_since or now.date(), after.status_since is not None
    if known is not None:
        touched_at = touched_at or known.silent_update_at
        if known.stage_since is not None and not moved:
            since, told = known.stage_since, known.stage_since_from_portal
    return CaseWrite(
        snapshot=after,
        snapshot_digest=snapshot_digest,
        answer_digest=answer_digest,
        revision=known.revision if known else None,
        stage_since=since,
        stage_since_from_portal=told,
        silent_update_at=touched_at,
    )
