"""Record the results of one check of an account: the cases as they arrive, in groups, then the end of the check.

A case is written together with its changes and alerts, in one transaction with the others of its group. The end of the
check is written last. After a kill, everything written is still there, and the next check reads the rest again.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property

import structlog

from watcher.context.context import Context
from watcher.errors import CaseNotFound, ReadFailed, UnexpectedAnswer
from watcher.messages import _
from watcher.model.account_health import AccountHealth, ReadOutcome, ReadResult, after_read, outcome_of, pauses
from watcher.model.case import Snapshot
from watcher.model.change import Change, ChangeKind, Json, RecordedChange, severity_of
from watcher.model.ledger import MISSING_AFTER
from watcher.model.writes import ReadEnd, WriteSet
from watcher.portal import CaseFailed, CaseRead, CaseResult, CaseUnchanged, Portal, RawAnswers
from watcher.reading.case_group import HISTORY_KINDS, MAX_HISTORY, CaseGroup
from watcher.reading.compare import FreshCase
from watcher.reading.finished_cases import FinishedCases, health_at_rest
from watcher.reading.first_contact import first_contact
from watcher.reading.next_check import next_check
from watcher.settings import AccountSettings
from watcher.settings.derived import watched_numbers
from watcher.settings.handover import interval_of
from watcher.store import StoredCase, digest, digest_of_answers
from watcher.text.printable import printable_fields

_log = structlog.get_logger(__name__)


class ReadRecorder:
    """The recorder of one check: compares each result with the store, and writes what changed.

    `health` is the account's health before the check. `known` are the stored cases by number, `read` the numbers of
    those read so far, and `case_count` counts all results. `errors` are in order; the caller appends what ends it.
    """

    def __init__(self, account: AccountSettings, portal: Portal, context: Context) -> None:
        """Load the account's health and known cases. Writes only if the account is new."""
        self._account, self._portal, self._context = account, portal, context
        self._store, self._settings = context.store, context.settings
        self.health = context.store.accounts.health(account.name, context.clock.now())
        self.known: Mapping[str, StoredCase] = context.store.known_cases(account.name)
        self.finished = FinishedCases(context.store)
        self.read: set[str] = set()
        self.errors: list[ReadFailed] = []
        self.case_count = 0
        self._not_found: dict[str, CaseNotFound] = {}
        self._returned: list[str] = []
        self._changes: list[RecordedChange] = []
        self._group = CaseGroup(account, portal, context, is_first_contact=self._is_first_contact)

    @cached_property
    def fingerprint(self) -> str | None:
        """The fingerprint of the account's credential; None if it has no credential."""
        return self._store.accounts.fingerprint(self._account.credential())

    @property
    def read_before(self) -> frozenset[str]:
        """The numbers of the cases that an earlier check has read."""
        return frozenset(number for number, case in self.known.items() if case.was_read)

    @property
    def interval(self) -> timedelta:
        """The time from one check to the next."""
        return interval_of(self._account, self._settings)

    def replay_after_restore(self) -> None:
        """Record the snapshots of the database that a backup has replaced, without alerts: they were sent before."""
        reported = self._store.restore_marks.reported_snapshots(self._account.name)
        if not reported:
            return
        for case in reported:
            self._take_snapshot(case.snapshot, {}, alert=False, with_changes=not case.recorded)
        self.write_group()
        self._store.restore_marks.forget_reported(self._account.name)
        self.known = self._store.known_cases(self._account.name)
        self.read.clear()
        self._returned.clear()

    def record(self, result: CaseResult, *, skip_finished: bool = False) -> None:
        """Take the result for one case; what changed is written with other cases. Raises as `write_group` does.

        `skip_finished`: no person supplied the result, so it is left out if the case is finished.
        """
        self.case_count += 1
        number = result.snapshot.case_number if isinstance(result, CaseRead) else result.case_number
        if skip_finished and self.finished.include(number):
            return
        if isinstance(result, CaseRead):
            self._take_snapshot(result.snapshot, result.answers)
        elif isinstance(result, CaseUnchanged):
            self._note_read(result.case_number)
        elif isinstance(result.error, CaseNotFound):
            _log.info("case_not_found", account=self._account.name, case=result.case_number)
            self._not_found[result.case_number] = result.error
        else:
            self._record_failure(result)
        if self._group.is_due:
            self.write_group()

    def is_unchanged(self, case_number: str, answers: RawAnswers) -> bool:
        """Return whether these answers are byte for byte those that the stored case was read from."""
        known = self.known.get(case_number)
        return known is not None and known.answer_digest == digest_of_answers(answers, self._settings.language)

    def _record_failure(self, failure: CaseFailed) -> None:
        self.errors.append(failure.error)
        if failure.answers:
            strange = WriteSet(
                account=self._account.name,
                case_number=failure.case_number,
                answers=failure.answers,
                answers_unexpected=True,
            )
            self._context.record([strange], now=self._context.clock.now())

    def _take_snapshot(
        self, fresh: Snapshot, answers: RawAnswers, *, alert: bool = True, with_changes: bool = True
    ) -> None:
        """Add the case to the group that is written next, if anything changed."""
        fresh = printable_fields(fresh)
        if fresh.case_number in self.read:  # a second result of this check: compare it with the first
            self.write_group()
            self.known = self._store.known_cases(self._account.name)
        known = self._note_read(fresh.case_number)
        snapshot_digest = digest(fresh)
        if known is None or known.snapshot_digest != snapshot_digest:
            self._group.add(
                FreshCase(
                    snapshot=fresh,
                    snapshot_digest=snapshot_digest,
                    answers=answers,
                    known=known,
                    alert=alert,
                    with_changes=with_changes,
                )
            )

    def write_group(self) -> None:
        """Write the cases that were read and not yet written. Raises `StoreUnusable` and `LockLost`."""
        self._changes += self._group.write()

    def _note_read(self, case_number: str) -> StoredCase | None:
        """Count the case as read, changed or not, and return what the store has of it."""
        known = self.known.get(case_number)
        is_back = known is not None and known.was_read and known.missing_reads >= MISSING_AFTER
        if is_back and case_number not in self.read:
            self._returned.append(case_number)
        self.read.add(case_number)
        return known

    @property
    def _is_first_contact(self) -> bool:
        """Whether no earlier check of the account has read a case."""
        return self.health.last_read_at is None

    def finish(self, *, complete: bool = True) -> ReadResult:
        """Write the end of the check: the account's health, missing and returned cases, and the time of the next check.

        `complete`: all cases were asked for, so a known case without a result is missing; an error makes any check
        incomplete. Raises `StoreUnusable` and `LockLost`.
        """
        self.write_group()
        now = self._context.clock.now()
        finished = self.finished.among(self.known) - self.read
        watched = watched_numbers(self.read_before, self._account) - finished
        if not self.case_count and not self.errors and watched:
            self.errors.append(
                UnexpectedAnswer(_("the website listed no cases, but it listed {count} before", count=len(watched)))
            )
        complete = complete and not self.errors
        unknown = self._unknown(complete=complete)
        missing = (watched - self.read if complete else set()) | unknown.keys()
        asked_for = unknown.keys() & set(self._account.cases)
        self.errors += [CaseNotFound(f"{number}: {unknown[number]}") for number in sorted(asked_for)]
        first = self._first_contact(now)
        health, changes = self._health_after(now)
        end = ReadEnd(
            account=self._account.name,
            complete=complete,
            next_read_at=self._next_read(now, health),
            read=frozenset(self.read),
            missing=frozenset(missing),
            finished=finished,
        )
        writes = [
            *first,
            self._compose(changes, health=health),
            *self._newly_unknown(unknown),
            *self._newly_missing(watched & missing),
            *self._newly_returned(),
        ]
        self._changes += self._context.record(writes, now=now, read_end=end)
        if self.read and not self.errors:
            self._store.restore_marks.clear_uncertain(self._account.name)
        error = "; ".join(dict.fromkeys(str(error) for error in self.errors)) or None
        return self.result(outcome_of(self.errors, cases_read=len(self.read)), error=error)

    def rest(self) -> ReadResult:
        """Write the end of a check that sent no request, because all cases of the account are finished."""
        now = self._context.clock.now()
        health, finished = health_at_rest(self.health, now=now), self.finished.among(self.known)
        planned = self._next_read(now, health)
        end = ReadEnd(account=self._account.name, complete=True, next_read_at=planned, finished=finished)
        self._context.record([WriteSet(account=self._account.name, health=health)], now=now, read_end=end)
        return self.result(ReadOutcome.OK, error=None)

    def result(self, outcome: ReadOutcome, *, error: str | None) -> ReadResult:
        """Return the result of the check with all changes recorded so far."""
        return ReadResult(
            account=self._account.name,
            outcome=outcome,
            cases_read=len(self.read),
            changes=tuple(self._changes),
            error=error,
        )

    def _unknown(self, *, complete: bool) -> dict[str, CaseNotFound]:
        """Return the numbers that the portal does not know and never knew, each with what to say about it."""
        agency, never_read = self._portal.agency_of(self._account), set(self._account.cases) - self.read_before
        absent = never_read - self.read - self._not_found.keys() if complete else set()
        unknown = {
            number: CaseNotFound(_("{agency} does not list it. Check the number for a typo", agency=agency))
            for number in absent
        }
        unknown |= {number: error for number, error in self._not_found.items() if number not in self.read_before}
        watched = watched_numbers(unknown, self._account) - self.read
        return {number: unknown[number] for number in sorted(watched - self.finished.among(watched))}

    def _newly_unknown(self, unknown: Mapping[str, CaseNotFound]) -> Iterator[WriteSet]:
        """Report each number that the portal does not know once."""
        kind, agency = ChangeKind.CASE_NOT_FOUND, self._portal.agency_of(self._account)
        for number, error in unknown.items():
            if not self._store.history(accounts=[self._account.name], case_number=number, kinds={kind}, limit=1):
                elsewhere = error.out_of_reach or number not in self._account.cases
                new: Json = {"agency": agency, "reason": str(error), "elsewhere": elsewhere}
                yield self._compose((_presence(kind, number, new),))

    def _first_contact(self, now: datetime) -> list[WriteSet]:
        """Return the alerts after the first check that read a case; none after any other check."""
        if self._is_first_contact and self.read:
            return first_contact(self._account, self._portal, self._context, self.read, now=now)
        return []

    def _health_after(self, now: datetime) -> tuple[AccountHealth, tuple[Change, ...]]:
        # An alert during the check, or a correction after the clock was set back, is in the store only.
        self.health = self._store.accounts.health(self._account.name, now)
        if self.health.state.waits_for_person and not self.errors and not self._account.is_handed_over:
            # Results entered by hand do not end the pause: the portal still waits for a person.
            return replace(self.health, last_read_at=now if self.read else self.health.last_read_at), ()
        return after_read(
            self.health,
            self.errors,
            now=now,
            blind_after=self._settings.schedule.blind_after,
            cases_read=len(self.read),
            fingerprint=self.fingerprint if pauses(self.errors) else None,
        )

    def _newly_missing(self, missing: Iterable[str]) -> Iterator[WriteSet]:
        """Report a case as missing once: at the complete check that reaches `MISSING_AFTER`."""
        for number in sorted(missing):
            if self.known[number].missing_reads + 1 == MISSING_AFTER:
                yield self._compose((_presence(ChangeKind.CASE_MISSING, number, {"reads": MISSING_AFTER}),))

    def _newly_returned(self) -> Iterator[WriteSet]:
        for number in self._returned:
            yield self._compose((_presence(ChangeKind.CASE_RETURNED, number, None),))

    def _next_read(self, now: datetime, health: AccountHealth) -> datetime:
        if self._portal.is_manual or self._account.is_handed_over:
            return now  # Planned right after this. If that fails, a check that is too early sends no reminder.
        others = (moment for _, moment in self._store.accounts.all().values() if moment is not None)
        planned = next_check(now + self.interval, self._settings.schedule.jitter, others, self._context.random)
        return max(planned, health.not_before) if health.not_before else planned

    def _compose(self, changes: tuple[Change, ...], *, health: AccountHealth | None = None) -> WriteSet:
        """Return changes of one case, or of the account, with their summaries and alerts. Does not write."""
        number = changes[0].case_number if changes else None
        history: list[RecordedChange] = []
        if number is not None:
            history = self._store.history(
                accounts=[self._account.name],
                case_number=number,
                kinds=HISTORY_KINDS,
                limit=MAX_HISTORY,
            )
        return replace(self._context.compose(self._account, changes, history=tuple(history)), health=health)


def _presence(kind: ChangeKind, number: str, new: Json) -> Change:
    return Change(kind=kind, severity=severity_of(kind), case_number=number, new=new)
