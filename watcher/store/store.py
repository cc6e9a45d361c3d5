"""The store: one database, with everything that can be read from it and written to it."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import bindparam

from watcher.clock import Clock
from watcher.errors import StoreUnusable
from watcher.model.change import ChangeKind, RecordedChange
from watcher.model.reminder import SentReminder
from watcher.model.writes import ReadEnd, WriteSet
from watcher.privacy.state_keys import StateKeys
from watcher.store.database.engine import Database, queries_on
from watcher.store.database.known_databases import KnownDatabases
from watcher.store.database.locks import HeldLock
from watcher.store.database.migrate import bring_up_to_date
from watcher.store.database.server_locks import locks_of
from watcher.store.database.server_url import password_of
from watcher.store.database.tables import NOTICES
from watcher.store.queries import cases, changes
from watcher.store.queries.accounts import last_read
from watcher.store.queries.cases import EarlierCase, StoredCase
from watcher.store.view import StoreReader
from watcher.store.writes import clock_correction
from watcher.store.writes.accounts import Accounts, DailyQuota
from watcher.store.writes.clock_correction import Plans, StoredTimes
from watcher.store.writes.ledger import Ledger
from watcher.store.writes.outbox import Outbox
from watcher.store.writes.published_lists import PublishedLists
from watcher.store.writes.raw_answers import RawAnswerStore
from watcher.store.writes.recording import write, write_read_end
from watcher.store.writes.restore_marks import RestoreMarks
from watcher.store.writes.saved_values import SavedValues
from watcher.store.writes.sign_in_guard import StoredSignInGuard
from watcher.store.writes.user_cases import UserCases
from watcher.store.writes.web import WebKeys

_NOTICE = NOTICES.update().where(NOTICES.c.id == bindparam("notice_id_"))
_SAVED = _NOTICE.values(saved_as=bindparam("saved_as_"), sha256=bindparam("sha256_"), last_error=None)
_FAILED = _NOTICE.values(attempts=NOTICES.c.attempts + bindparam("attempts_"), last_error=bindparam("reason_"))
_RETRY = (
    NOTICES.update()
    .where(NOTICES.c.saved_as.is_(None), NOTICES.c.last_error.is_not(None))
    .values(attempts=0, last_error=None)
)


class Store(StoreReader):
    """The database, for reading and writing.

    Safe to share between threads; locks and transactions separate processes.
    """

    accounts: Accounts
    outbox: Outbox
    web: WebKeys

    def __init__(
        self, url: str, *, locks: Path, keys: Sequence[SecretStr] = (), known: KnownDatabases | None = None
    ) -> None:
        """Open the database; create it if there is none, and upgrade an older one.

        `locks` is the folder of lock files, used if the database is a file. `keys` encrypt the raw answers of portals:
        the first one is used for writing, all of them for reading; if the first one has changed, everything is
        encrypted again. A database in `known` is not created again. Raises `StoreUnusable`, also for a database of a
        newer release.
        """
        self._database = database = Database(url, known)
        super().__init__(database.queries)
        self.display_name, self.shared, self.file = database.display_name, database.shared, database.file
        self.locks = locks_of(database, locks)
        try:
            bring_up_to_date(self._database)
            self._answers = RawAnswerStore(self._database, keys)
            database.opened(self.locks.verify)
        except StoreUnusable:
            self.close()
            raise
        self.accounts = Accounts(self._database)
        self.outbox = Outbox(self._database)
        self.ledger = Ledger(self._database)
        self.user = UserCases(self._database)
        self.web = WebKeys(self._database)
        self.lists = PublishedLists(self._database)
        self.restore_marks = RestoreMarks(self._database)

    def ping(self) -> None:
        """Make the database itself answer, not a cache. Raises `StoreUnusable` if it does not."""
        self._database.ping()

    def verify(self) -> None:
        """Raise `StoreLost` if the database or a lock that is held was deleted, moved, or replaced."""
        self._database.verify()

    def probe_writing(self) -> None:
        """Find out whether a write would succeed, without writing anything. Raises `StoreUnusable` if not."""
        self._database.probe_writing()

    def newest_ids(self) -> tuple[int, ...]:
        """Return the highest ids of changes, alerts, and submissions, read from the file and not from a cache."""
        return self._database.newest_ids()

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def record(
        self,
        writes: Iterable[WriteSet],
        *,
        now: datetime,
        read_end: ReadEnd | None = None,
        held: HeldLock | None = None,
    ) -> list[RecordedChange]:
        """Write everything in one transaction: snapshots, changes, and the alerts they cause.

        Writes nothing and raises `LockLost` if the lock `held`, under which they came about, was lost.
        """
        sealed = [self._answers.sealed(write_set) for write_set in writes]
        with self._database.writing() as connection:
            if held is not None:
                held.verify()
            read_before = last_read(queries_on(connection), read_end.account) if read_end else None
            recorded = write(connection, sealed, now)
            if read_end is not None:
                write_read_end(connection, read_end, now, read_before=read_before)
        return recorded

    def known_cases(self, account: str) -> dict[str, StoredCase]:
        """Return the account's cases by number, for comparison with a fresh check."""
        with self._database.queries() as run:
            return cases.stored_cases(run, account)

    def earlier_cases(
        self, account: str, numbers: Sequence[str], *, kinds: Collection[ChangeKind] | None = None, limit: int
    ) -> dict[str, EarlierCase]:
        """Return what is stored of these cases, by number, with the newest `limit` changes (of these kinds) of each."""
        with self._database.queries() as run:
            documents = cases.documents(run, account, numbers)
            history = changes.newest(run, account, list(documents), kinds=kinds, limit=limit)
        return {
            number: EarlierCase(document=document, history=tuple(history.get(number, ())))
            for number, document in documents.items()
        }

    def set_saved(self, notice_id: int, *, saved_as: str, sha256: str) -> None:
        """Record that the notice was saved to this file, relative to state_dir."""
        with self._database.writing() as connection:
            connection.execute(_SAVED, {"notice_id_": notice_id, "saved_as_": saved_as, "sha256_": sha256})

    def note_download_failed(self, notice_id: int, reason: str, *, counts: bool = True) -> None:
        """Record a failed download. `counts`: the notice itself is the cause, so that it is not tried forever."""
        with self._database.writing() as connection:
            connection.execute(_FAILED, {"notice_id_": notice_id, "attempts_": int(counts), "reason_": reason})

    def retry_downloads(self) -> int:
        """Reset the notices that could not be downloaded, so that they are tried again; return how many."""
        with self._database.writing() as connection:
            return connection.execute(_RETRY).rowcount

    def reminders(self) -> frozenset[SentReminder]:
        """Return the reminders that were sent because of time."""
        with self._database.queries() as run:
            return changes.sent_reminders(run)

    def answers(self, account: str, case_number: str) -> dict[tuple[str, str], bytes]:
        """Return the raw answers about a case that can be decrypted, by quality ("good", "strange") and endpoint."""
        return self._answers.about(account, case_number)

    def saved_values(self, keys: Sequence[SecretStr], *, machine_key: Path) -> SavedValues:
        """Return the sessions, submitted codes, and used one-time codes.

        `keys` encrypt them: the first one is used for writing, all of them for reading. Without any, a key is made from
        the password of the database's server, or else kept in the file `machine_key`.
        """
        password = password_of(self._database.engine.url)
        return SavedValues(self._database, StateKeys(keys, password=password, file=machine_key))

    def stored_times(self) -> StoredTimes:
        """Return what shows whether the clock was ahead."""
        with self._database.reading() as connection:
            return clock_correction.stored_times(connection)

    def first_change_after(self, moment: datetime) -> int | None:
        """Return the id of the first recorded change that is dated after `moment`."""
        with self._database.reading() as connection:
            return clock_correction.first_change_after(connection, moment)

    def correct_clock(
        self, now: datetime, plans: Plans, *, undo_reminders: bool, writes: Iterable[WriteSet] = ()
    ) -> list[RecordedChange]:
        """Correct every stored moment that is too late, and write `writes`, in one transaction.

        `undo_reminders`: reminders that are dated after `now` count as not sent.
        """
        with self._database.writing() as connection:
            clock_correction.correct_clock(connection, now, plans, undo_reminders=undo_reminders)
            return write(connection, list(writes), now)

    def quota(self, account: str) -> DailyQuota:
        """Return the account's daily request quota."""
        return DailyQuota(self._database, account)

    def sign_in_guard(
        self,
        account: str,
        *,
        clock: Clock,
        fingerprint: Callable[[], str | None],
        max_sign_ins_per_day: int,
        login: str | None = None,
    ) -> StoredSignInGuard:
        """Return the guard that decides whether the account's credential may be submitted."""
        return StoredSignInGuard(
            self._database,
            account,
            clock=clock,
            login=login,
            fingerprint=fingerprint,
            max_sign_ins_per_day=max_sign_ins_per_day,
        )
