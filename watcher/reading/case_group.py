"""Fresh cases of a check that are compared and written together.

A transaction takes longer than comparing and writing a case, so a portal that rewords a thousand statuses at once costs
a few transactions. A group is limited in size, and in the time that its first case waits for the others. It is written
then even if the next case does not arrive, because the portal does not answer.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from threading import Lock, Timer

from watcher.context.context import Context
from watcher.model.change import ChangeKind, RecordedChange
from watcher.model.ledger import UserCase
from watcher.model.writes import WriteSet
from watcher.portal import Portal
from watcher.reading.compare import FreshCase, compare
from watcher.reading.first_contact import without_case_added
from watcher.settings import AccountSettings
from watcher.store import EarlierCase

MAX_CASES = 64
MAX_HISTORY = 5
"""Earlier changes that an alert may show."""

_MAX_BYTES = 1_000_000
_MAX_AGE = 1.0  # seconds
HISTORY_KINDS = frozenset(ChangeKind) - {
    ChangeKind.LOOK_REMINDER,
    ChangeKind.OFFICIAL_MAIL,
    ChangeKind.REMINDER,
    ChangeKind.NOTE,
}
"""The kinds of earlier changes that an alert may show: not what only the user says."""


class CaseGroup:
    """The cases of an account that were read and not yet written, in the order in which they arrived.

    A thread of its own writes those that have waited long enough. What that raises, the next `write` raises.
    """

    def __init__(self, account: AccountSettings, portal: Portal, context: Context, *, is_first_contact: bool) -> None:
        """Start empty. `is_first_contact`: no earlier check of the account has read a case."""
        self._account, self._portal, self._context = account, portal, context
        self._is_first_contact = is_first_contact
        self._cases: list[FreshCase] = []
        self._bytes = 0
        self._lock, self._timer = Lock(), Timer(0, self._write_late)
        self._written: list[RecordedChange] = []
        self._failure: Exception | None = None

    def add(self, case: FreshCase) -> None:
        """Add a case that is not in the group."""
        with self._lock:
            if not self._cases:
                self._bytes, self._timer = 0, Timer(_MAX_AGE, self._write_late)
                self._timer.daemon = True
                self._timer.start()
            self._cases.append(case)
            self._bytes += sum(map(len, case.answers.values()))

    @property
    def is_due(self) -> bool:
        """Whether to call `write` without waiting for more cases."""
        return len(self._cases) >= MAX_CASES or self._bytes >= _MAX_BYTES or self._failure is not None

    def write(self) -> list[RecordedChange]:
        """Compare the cases and write them in one transaction. The group is empty afterwards.

        Returns the changes since the last call. If a case cannot be compared, those before it are written nevertheless.
        Raises `StoreUnusable` and `LockLost`.
        """
        with self._lock:
            self._timer.cancel()
            failure, self._failure = self._failure, None
            if failure is not None:
                raise failure
            written, self._written = self._written + self._write(), []
        return written

    def _write_late(self) -> None:
        with self._lock:
            try:
                self._written += self._write()
            except Exception as error:  # noqa: BLE001 - the thread of the check raises it
                self._failure = error

    def _write(self) -> list[RecordedChange]:
        group, writes, recorded = self._cases, list[WriteSet](), list[RecordedChange]()
        self._cases, self._bytes = [], 0
        if not group:
            return recorded
        now, earlier = self._context.clock.now(), self._earlier(group)
        said = self._context.store.user_cases_of([case.snapshot.case_number for case in group])
        try:
            for case in group:
                number = case.snapshot.case_number
                writes.append(self._compared(case, earlier.get(number), said[number], now))
        finally:
            recorded = self._context.record(writes, now=now) if writes else recorded
        return recorded

    def _earlier(self, group: Sequence[FreshCase]) -> dict[str, EarlierCase]:
        numbers = [case.snapshot.case_number for case in group if case.known is not None]
        store = self._context.store
        return store.earlier_cases(self._account.name, numbers, kinds=HISTORY_KINDS, limit=MAX_HISTORY)

    def _compared(self, fresh: FreshCase, earlier: EarlierCase | None, said: UserCase, now: datetime) -> WriteSet:
        settings = self._context.settings
        compared = compare(
            fresh,
            earlier.snapshot(fallback=fresh.snapshot) if earlier else None,
            now=now,
            zone=settings.office_zone(self._account.name),
            vocabulary=self._portal.vocabulary_of(self._account),
            language=settings.language,
        )
        composed = self._context.compose(
            self._account,
            compared.changes,
            snapshot=compared.case.snapshot,
            history=earlier.history if earlier else (),
            baseline=earlier is None,
            said=said,
        )
        if not fresh.alert:
            composed = replace(composed, drafts=())
        elif self._is_first_contact:
            composed = without_case_added(composed)
        if not fresh.with_changes:
            composed = replace(composed, changes=(), summaries=())
        return replace(composed, case_number=fresh.snapshot.case_number, case=compared.case, answers=fresh.answers)
