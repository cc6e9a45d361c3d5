"""Fresh cases of a check that are compared and written together.

A transaction takes longer than comparing and writing a case, so a portal that rewords a thousand statuses at once costs
a few transactions. A group is limited in size, and in the time that its first case waits for the others.
"""

import time
from dataclasses import replace
from datetime import datetime

from watcher.context.context import Context
from watcher.model.change import ChangeKind, RecordedChange
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
_MAX_AGE = 1.0  # seconds (monotonic)
HISTORY_KINDS = frozenset(ChangeKind) - {ChangeKind.LOOK_REMINDER, ChangeKind.REMINDER, ChangeKind.NOTE}
"""The kinds of earlier changes that an alert may show: not what only the user says."""


class CaseGroup:
    """The cases of an account that were read and not yet written, in the order in which they arrived."""

    def __init__(self, account: AccountSettings, portal: Portal, context: Context, *, is_first_contact: bool) -> None:
        """Start empty. `is_first_contact`: no earlier check of the account has read a case."""
        self._account, self._portal, self._context = account, portal, context
        self._is_first_contact = is_first_contact
        self._cases: list[FreshCase] = []
        self._bytes, self._since = 0, 0.0

    def add(self, case: FreshCase) -> None:
        """Add a case that is not in the group."""
        if not self._cases:
            self._bytes, self._since = 0, time.monotonic()
        self._cases.append(case)
        self._bytes += sum(map(len, case.answers.values()))

    @property
    def is_due(self) -> bool:
        """Whether to write the group without waiting for more cases."""
        if not self._cases:
            return False
        is_full = len(self._cases) >= MAX_CASES or self._bytes >= _MAX_BYTES
        return is_full or time.monotonic() - self._since >= _MAX_AGE

    def write(self) -> list[RecordedChange]:
        """Compare the cases and write them in one transaction; return their changes. The group is empty afterwards.

        If a case cannot be compared, those before it are written nevertheless. Raises `StoreUnusable` and `LockLost`.
        """
        group, writes, recorded = self._cases, list[WriteSet](), list[RecordedChange]()
        self._cases = []
        if not group:
            return recorded
        now, earlier = self._context.clock.now(), self._earlier(group)
        try:
            for case in group:
                writes.append(self._compared(case, earlier.get(case.snapshot.case_number), now))
        finally:
            recorded = self._context.record(writes, now=now) if writes else recorded
        return recorded

    def _earlier(self, group: list[FreshCase]) -> dict[str, EarlierCase]:
        numbers = [case.snapshot.case_number for case in group if case.known is not None]
        store = self._context.store
        return store.earlier_cases(self._account.name, numbers, kinds=HISTORY_KINDS, limit=MAX_HISTORY)

    def _compared(self, fresh: FreshCase, earlier: EarlierCase | None, now: datetime) -> WriteSet:
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
        )
        if not fresh.alert:
            composed = replace(composed, drafts=())
        elif self._is_first_contact:
            composed = without_case_added(composed)
        if not fresh.with_changes:
            composed = replace(composed, changes=(), summaries=())
        return replace(composed, case_number=fresh.snapshot.case_number, case=compared.case, answers=fresh.answers)
