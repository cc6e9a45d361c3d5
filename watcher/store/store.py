"""The store: one database and everything that is kept in it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlmodel import col, select, update

from watcher.clock import Clock
from watcher.errors import StoreUnusable
from watcher.model.case import Snapshot
from watcher.model.change import RecordedChange
from watcher.model.reminder import SentReminder
from watcher.model.writes import CaseWrite, ReadEnd, WriteSet
from watcher.store.database.engine import Database
from watcher.store.database.migrate import bring_up_to_date
from watcher.store.database.query import select_rows
from watcher.store.database.server_locks import locks_of
from watcher.store.database.tables import NoticeRow, ReminderRow
from watcher.store.queries.snapshot_json import decode
from watcher.store.view import StoreReader
from watcher.store.writes.accounts import Accounts, DailyQuota
from watcher.store.writes.ledger import Ledger
from watcher.store.writes.outbox import Outbox
from watcher.store.writes.raw_answers import RawAnswerStore
from watcher.store.writes.recording import last_complete_read, write, write_read_end
from watcher.store.writes.restore_marks import RestoreMarks
from watcher.store.writes.sign_in_guard import StoredSignInGuard

__all__ = ["CaseWrite", "ReadEnd", "Store", "StoredCase", "WriteSet"]


_KNOWN = select_rows(
    "case",
    "case_number seen heard revision stage_since stage_since_told touched_at missing_reads",
    "WHERE account = :account",
)
_DOCUMENT = select_rows("case", "document", "WHERE account = :account AND case_number = :case_number")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCase:
    """What comparing a fresh read needs to know of a case, before its snapshot is needed at all.

    `seen` is the digest of the last fresh snapshot: where it is the same now, nothing moved. `heard` is that of the
    answers it was read from: where it is the same now, they need not even be read.
    """

    case_number: str
    snapshot_digest: bytes | None
    answer_digest: bytes | None
    revision: int
    stage_since: date | None
    stage_since_from_portal: bool
    silent_update_at: datetime | None
    missing_reads: int


class Store(StoreReader):
    """Everything that is kept, to be seen and to be written.

    Safe to share between threads; locks and transactions keep processes apart.
    """

    accounts: Accounts
    outbox: Outbox

    def __init__(self, url: str, *, locks: Path, keys: Sequence[SecretStr] = ()) -> None:
        """Opens the database, makes it where there is none, and brings an older one up to date.

        `locks` is the folder of lock files, where the database is a file too. `keys` seal the raw answers of portals:
        the first one writes, every one reads; what was written before is sealed anew where the first one has changed.
        Raises `StoreUnusable`, also for a database of a newer release.
        """
        self._database = database = Database(url)
        super().__init__(database.queries)
        self.display_name, self.shared, self.locks = database.display_name, database.shared, locks_of(database, locks)
        try:
            bring_up_to_date(self._database)
            self._answers = RawAnswerStore(self._database, keys)
        except StoreUnusable:
            self.close()
            raise
        self.accounts = Accounts(self._database)
        self.outbox = Outbox(self._database)
        self.ledger = Ledger(self._database)
        self.restore_marks = RestoreMarks(self._database)

    def ping(self) -> None:
        """Has the database itself answer, not what is remembered of it. Raises `StoreUnusable` where it does not."""
        self._database.ping()

    def close(self) -> None:
        """Closes every connection."""
        self._database.close()

    def record(
        self, writes: Iterable[WriteSet], *, now: datetime, read_end: ReadEnd | None = None
    ) -> list[RecordedChange]:
        """Writes all of it in one transaction: what was seen, what changed, and the alerts this causes."""
        writes = [self._answers.sealed(each) for each in writes]
        with self._database.writing_statements() as connection:
            read_before = last_complete_read(connection, read_end.account) if read_end else None
            recorded = [change for each in writes for change in write(connection, each, now)]
            if read_end is not None:
                write_read_end(connection, read_end, now, read_before=read_before)
        return recorded

    def known_cases(self, account: str) -> dict[str, StoredCase]:
        """The account's cases by number, as a fresh read is compared with them."""
        with self._database.queries() as ask:
            return {row.case_number: _known(row) for row in ask(_KNOWN, account=account)}

    def snapshot(self, account: str, case_number: str, *, fallback: Snapshot) -> Snapshot | None:
        """The stored snapshot of a case; what it never knew is taken from `beside`. None for one never read."""
        with self._database.queries() as ask:
            document = next((row.document for row in ask(_DOCUMENT, account=account, case_number=case_number)), None)
        return None if document is None else decode(document, fallback=fallback)

    def set_saved(self, notice_id: int, *, saved_as: str, sha256: str) -> None:
        """The notice lies in this file, relative to state_dir."""
        with self._database.writing() as session:
            row = session.get_one(NoticeRow, notice_id)
            row.saved_as, row.sha256, row.last_error = saved_as, sha256, None
            session.add(row)

    def note_download_failed(self, notice_id: int, reason: str, *, counts: bool = True) -> None:
        """The notice could not be downloaded; `counts`: for its own sake, so that it is not tried for ever."""
        with self._database.writing() as session:
            row = session.get_one(NoticeRow, notice_id)
            row.attempts += int(counts)
            row.last_error = reason
            session.add(row)

    def retry_downloads(self) -> int:
        """Notices that could not be downloaded are tried again, as if for the first time; returns how many."""
        failed = update(NoticeRow).where(col(NoticeRow.saved_as).is_(None), col(NoticeRow.last_error).is_not(None))
        with self._database.writing() as session:
            return session.exec(failed.values(attempts=0, last_error=None)).rowcount

    def reminders(self) -> frozenset[SentReminder]:
        """What time alone has brought and people were told of."""
        with self._database.reading() as session:
            return frozenset(
                SentReminder(account=row.account, case_number=row.case_number, subject=row.subject, mark=row.mark)
                for row in session.exec(select(ReminderRow))
            )

    def answers(self, account: str, case_number: str) -> dict[tuple[str, str], bytes]:
        """The kept raw answers about a case, by quality ("good", "strange") and endpoint; those that can be opened."""
        return self._answers.about(account, case_number)

    def quota(self, account: str) -> DailyQuota:
        """The account's daily request budget."""
        return DailyQuota(self._database, account)

    def sign_in_guard(
        self, account: str, *, clock: Clock, fingerprint: Callable[[], str | None], max_sign_ins_per_day: int
    ) -> StoredSignInGuard:
        """What stands between the account's credential and the portal."""
        return StoredSignInGuard(
            self._database,
            account,
            clock=clock,
            fingerprint=fingerprint,
            max_sign_ins_per_day=max_sign_ins_per_day,
        )


def _known(row: Any) -> StoredCase:
    return StoredCase(
        case_number=row.case_number,
        snapshot_digest=row.seen,
        answer_digest=row.heard,
        revision=row.revision,
        stage_since=row.stage_since,
        stage_since_from_portal=row.stage_since_told,
        silent_update_at=row.touched_at,
        missing_reads=row.missing_reads,
    )
