"""Replace a database, in a file or on a server, by a backup."""

import shutil
import sqlite3
import time
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from glob import escape
from pathlib import Path

from sqlalchemy import Connection, exists, select

from watcher.errors import StoreUnusable
from watcher.messages import _, mark
from watcher.privacy.private_file import (
    create_private_folder,
    remove_temporary_files,
    replace_private_file,
    temporary_private_file,
)
from watcher.store.backup.backup_files import (
    TEMPORARY,
    BackupFile,
    copy_file,
    examine,
    sqlite_path,
    translated_errors,
)
from watcher.store.backup.replaced_database import open_for_reading
from watcher.store.backup.restore_merge import AddRestoreNote, MergeResult, merge_into
from watcher.store.backup.server_rows import CountRows, load_rows, no_count, open_alone, save_rows
from watcher.store.database.engine import Database
from watcher.store.database.migrate import bring_up_to_date, upgrade
from watcher.store.database.open_file import SIDE_FILES
from watcher.store.database.schema import HEAD
from watcher.store.database.server_in_use import hold_alone, machines_using
from watcher.store.database.tables import ACCOUNTS

_COMMAND_WAIT = 3.0  # seconds for a command that is about to end
_PAUSE = 0.2  # seconds
_NO_TIMEOUT = "SET LOCAL idle_in_transaction_session_timeout = 0"  # the server hears nothing while files are merged
_NEWER = mark(
    "{name}: is newer: its history ends at {end} UTC, and that of {backup} ends at {until} UTC. The changes in between"
    " would be missing until the next check. Use --force to restore anyway; the newer database is kept"
)
_NEWER_THAN_EMPTY = mark(
    "{name}: is newer: its history ends at {end} UTC, and that of {backup} is empty. The changes in between would be"
    " missing until the next check. Use --force to restore anyway; the newer database is kept"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreResult:
    """The result of a restore. `database` is the name of what was restored, for messages.

    `previous_file` is the copy of the replaced database; None if there was none.
    `alerts_known`: the replaced database could be read, so that nothing reported since the backup is reported again.
    `ledger_known`: everything that the user recorded about items since was taken over.
    """

    database: str
    previous_file: Path | None
    alerts_known: bool
    ledger_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """One restore of the file `copy`, by the time `now`.

    What cannot be undone is taken over from the replaced database, see `watcher.store.backup.restore_merge`. `add_note`
    adds to an alert that it may have been sent before. `accounts` are those of the configuration. With `force`, a
    database that is newer than the copy is replaced, too.
    """

    copy: Path
    accounts: Collection[str]
    now: datetime
    add_note: AddRestoreNote
    force: bool = False
    count: CountRows = no_count

    def run(self, url: str, default_file: Path) -> RestoreResult:
        """Replace the database of a `database_url` by a copy of the backup, and keep the replaced one as a file.

        `default_file` is the database without a `database_url`: a server's database that is still empty continues it.
        A kill leaves the old or the new state. The caller makes sure that nothing uses a database file; a server's
        database that is in use is refused. Raises `StoreUnusable` if the copy is damaged or from a newer release, and
        without `force` if the database is newer than the copy.
        """
        with translated_errors(self.copy):
            _refuse_newer_release(self.copy)
        backup = examine(self.copy)
        database = sqlite_path(url)
        return self._to_server(backup, url, default_file) if database is None else self._to_file(backup, database)

    def _to_file(self, backup: BackupFile, database: Path) -> RestoreResult:
        self._refuse_newer(database, str(database), backup)
        with translated_errors(database):
            remove_temporary_files(database.parent, escape(database.name))
        with translated_errors(database), replace_private_file(database, suffixes=TEMPORARY) as stream:
            merged = self._merge(backup, database, Path(stream.name))
            previous = _copy_as_it_is(database, self._previous(database)) if database.exists() else None
            _remove_side_files(database)
        return _result(str(database), previous, merged)

    def _to_server(self, backup: BackupFile, url: str, default_file: Path) -> RestoreResult:
        with translated_errors(default_file):
            create_private_folder(default_file.parent)
            remove_temporary_files(default_file.parent, escape(default_file.name) + "*")
        with closing(Database(url)) as server:
            bring_up_to_date(server)
            with _writing_alone(server) as connection:
                previous = self._save_server(connection, server.display_name, backup, self._previous(default_file))
                with translated_errors(default_file), _temporary(default_file) as temporary:
                    merged = self._merge(backup, previous or default_file, temporary)
                    load_rows(temporary, connection, self.count, name=str(self.copy))
        return _result(server.display_name, previous, merged)

    def _save_server(self, server: Connection, name: str, backup: BackupFile, target: Path) -> Path | None:
        """Write the database that is replaced to a file. Return it, or None if the database is empty."""
        if not server.execute(select(exists(select(ACCOUNTS.c.name)))).scalar():
            return None
        with translated_errors(target), replace_private_file(target, suffixes=TEMPORARY) as stream:
            temporary = Path(stream.name)
            save_rows(server, name, temporary, self.count)
            self._refuse_newer(temporary, _("database {name}", name=name), backup)
        return target

    def _merge(self, backup: BackupFile, replaced: Path, temporary: Path) -> MergeResult:
        """Make `temporary` what the database will be."""
        copy_file(self.copy, temporary)
        if backup.schema != HEAD:
            with open_alone(temporary) as connection:
                upgrade(connection, str(self.copy))
        merged = merge_into(
            replaced,
            temporary,
            accounts=self.accounts,
            since=_last_moment(backup),
            now=self.now,
            add_note=self.add_note,
        )
        examine(temporary)
        return merged

    def _previous(self, database: Path) -> Path:
        return database.with_name(f"{database.name}.before-restore-{self.now.astimezone(UTC):%Y%m%dT%H%M%SZ}")

    def _refuse_newer(self, database: Path, name: str, backup: BackupFile) -> None:
        """Raise if the database is newer than the backup; a damaged one may be replaced, as backups exist for that."""
        if self.force or not database.exists():
            return
        try:
            present = examine(database)
        except StoreUnusable:
            return
        if present.newest is not None and (backup.newest is None or present.newest > backup.newest):
            text = _NEWER_THAN_EMPTY if backup.newest is None else _NEWER
            raise StoreUnusable(_(text, name=name, end=present.newest, backup=backup.file, until=backup.newest))


@contextmanager
def _writing_alone(server: Database) -> Iterator[Connection]:
    """Open a transaction that keeps every other process out. Raises `StoreUnusable` if one keeps using the database.

    Does not hold back the writes of a command that is waited for.
    """
    deadline = time.monotonic() + _COMMAND_WAIT
    while True:
        with server.writing() as connection:
            if hold_alone(connection):
                connection.exec_driver_sql(_NO_TIMEOUT)
                yield connection
                return
            if time.monotonic() >= deadline:
                raise StoreUnusable(
                    _(
                        "database {name}: a `watcher` process is using it, connected from {machines}. Stop every"
                        " `watcher run` that shares this database, on every machine, then restore",
                        name=server.display_name,
                        machines=", ".join(machines_using(connection)),
                    )
                )
        time.sleep(_PAUSE)


def _result(database: str, previous: Path | None, merged: MergeResult) -> RestoreResult:
    return RestoreResult(
        database=database,
        previous_file=previous,
        alerts_known=merged.alerts_known,
        ledger_known=merged.ledger_known,
    )


@contextmanager
def _temporary(file: Path) -> Iterator[Path]:
    with temporary_private_file(file, suffixes=TEMPORARY) as stream:
        yield Path(stream.name)


def _refuse_newer_release(copy: Path) -> None:
    """Raise for a database of a newer release, which may have other tables. All others are left to `examine`."""
    if not copy.is_file():
        return
    with suppress(sqlite3.Error, UnicodeDecodeError), open_for_reading(copy) as database:
        (schema,) = database.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
        # A damaged page may read as any value, NULL included: only a release's own spelling counts.
        if isinstance(schema, str) and schema.isdecimal() and len(schema) == len(HEAD) and schema > HEAD:
            raise StoreUnusable(
                _(
                    "{file}: was created by a newer release (schema {schema}); install that release",
                    file=copy,
                    schema=schema,
                )
            )


def _last_moment(backup: BackupFile) -> datetime:
    """Return the last moment recorded in a backup; if nothing is, when the file was written."""
    if backup.newest is None:
        return datetime.fromtimestamp(backup.file.stat().st_mtime, UTC)
    return datetime.fromisoformat(backup.newest).replace(tzinfo=UTC)


def _copy_as_it_is(database: Path, previous: Path) -> Path:
    """Copy the files of the database, damaged or not, including those that SQLite puts beside it."""
    for suffix in ("", *SIDE_FILES):
        source, target = Path(f"{database}{suffix}"), Path(f"{previous}{suffix}")
        if source.exists():
            with source.open("rb") as original, replace_private_file(target) as stream:
                shutil.copyfileobj(original, stream)
    return previous


def _remove_side_files(database: Path) -> None:
    """Remove the files that SQLite puts beside a database, after what a killed process left in them is in the database.

    So a kill between this and the replacement loses nothing.
    """
    if database.exists():
        with suppress(sqlite3.Error, UnicodeDecodeError), closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in SIDE_FILES:
        Path(f"{database}{suffix}").unlink(missing_ok=True)
