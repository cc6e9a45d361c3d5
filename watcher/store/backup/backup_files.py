"""Backups of an SQLite database: created while it is in use, examined by reading them, and restored.

PostgreSQL has its own tools for this (`pg_dump`).
"""

import errno
import shutil
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from glob import escape
from pathlib import Path

from watcher.errors import StoreUnusable, os_error_text
from watcher.privacy.private_file import remove_temporary_files, replace_private_file
from watcher.store.backup.replaced_database import DAMAGE, open_for_reading
from watcher.store.backup.restore_merge import AddRestoreNote, merge_into
from watcher.store.database.engine import parse_url
from watcher.store.database.schema import HEAD
from watcher.store.database.sqlite_errors import reason_of

_FOLDER_ERRORS = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS)
_SIDE_FILES = ("-wal", "-shm")
_STALE_AFTER = 3600.0  # seconds after which a temporary file is assumed to be left by a killed process
_OF_THE_DISK = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})
_TEMPORARY = ("-journal", *_SIDE_FILES)
_LAST_MOMENTS = (
    "SELECT max(last_attempt_at) FROM account",
    "SELECT max(at) FROM change",
    "SELECT max(created_at) FROM alert",
    "SELECT max(sent_at) FROM alert",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFile:
    """A database that is not damaged. `newest` is the last moment recorded in it, UTC, as SQLite stores it, or None."""

    file: Path
    schema: str
    cases: int
    newest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreResult:
    """The result of a restore. `previous_file` is the copy of the replaced database; None if there was none.

    `alerts_known`: the replaced database could be read, so that nothing reported since the backup is reported again.
    `ledger_known`: everything that the user recorded about items since was taken over.
    """

    previous_file: Path | None
    alerts_known: bool
    ledger_known: bool


def sqlite_path(url: str) -> Path:
    """Return the file of an SQLite database. Raises `StoreUnusable` for another database."""
    parsed = parse_url(url)
    if parsed is None:
        raise StoreUnusable("database_url: it should look like sqlite:///FILE")
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise StoreUnusable(
            f"database_url: {parsed.get_backend_name()} has its own tools for copies (pg_dump, pg_restore);"
            " this copies SQLite files only"
        )
    return Path(parsed.database)


def examine(file: Path) -> BackupFile:
    """Read all of a database. Raises `StoreUnusable` if it is damaged or not from this program."""
    with _translated_errors(file):
        exists = file.is_file()
    if not exists:
        raise StoreUnusable(f"{file}: there is no such file")
    with _translated_errors(file), open_for_reading(file) as database:
        results = [str(row[0]) for row in database.execute("PRAGMA quick_check(3)")]
        if results != ["ok"]:
            damage = "; ".join(line for text in results for line in text.splitlines() if not line.startswith("***"))
            raise StoreUnusable(f"{file}: the database is damaged: {damage}")
        schema = database.execute("SELECT version_num FROM alembic_version").fetchone()
        cases = database.execute('SELECT count(*) FROM "case"').fetchone()
        moments = [database.execute(query).fetchone()[0] for query in _LAST_MOMENTS]
    return BackupFile(
        file=file, schema=str(schema[0]), cases=int(cases[0]), newest=max(filter(None, moments), default=None)
    )


def create_backup(database: Path, target: Path, *, force: bool = False) -> BackupFile:
    """Copy a database that may be in use to one file of mode 0600, and examine the copy before it appears.

    An existing `target` is replaced only with `force`, and only by a good copy. Raises `StoreUnusable`.
    """
    if not database.is_file():
        raise StoreUnusable(f"{database}: there is no database yet; nothing to back up")
    with _translated_errors(target):
        exists = target.exists()
    if exists and not force:
        raise StoreUnusable(f"{target}: is there already; name another file, or say --force to replace it")
    with _translated_errors(target):
        remove_temporary_files(target.parent, escape(target.name), older_than=_STALE_AFTER)
    with _translated_errors(target), replace_private_file(target, suffixes=_TEMPORARY) as stream:
        temporary = Path(stream.name)
        _copy(database, temporary)
        _remove_sessions(temporary)
        backup = examine(temporary)
    return replace(backup, file=target)


def restore(
    copy: Path,
    database: Path,
    *,
    accounts: Collection[str],
    now: datetime,
    add_note: AddRestoreNote,
    force: bool = False,
) -> RestoreResult:
    """Replace the database by a copy of `copy`, and leave the replaced one beside it.

    What cannot be undone is taken over from the replaced database, see `watcher.store.backup.restore_merge`. `add_note`
    adds to an alert that it may have been sent before. `accounts` are those of the configuration. The caller makes sure
    that nothing uses the database. Raises `StoreUnusable` if the copy is damaged or from a newer release, and without
    `force` if the database is newer than the copy.
    """
    backup = examine(copy)
    if backup.schema > HEAD:
        raise StoreUnusable(f"{copy}: was made by a newer release (schema {backup.schema}); install that release")
    if not force:
        _refuse_newer(database, backup)
    with _translated_errors(database):
        remove_temporary_files(database.parent, escape(database.name))
    with _translated_errors(database), replace_private_file(database, suffixes=_TEMPORARY) as stream:
        temporary = Path(stream.name)
        _copy(copy, temporary)
        since = _last_moment(backup)
        merged = merge_into(database, temporary, accounts=accounts, since=since, now=now, add_note=add_note)
        examine(temporary)
        previous = _copy_as_it_is(database, now) if database.exists() else None
        for suffix in _SIDE_FILES:
            Path(f"{database}{suffix}").unlink(missing_ok=True)
    return RestoreResult(previous_file=previous, alerts_known=merged.alerts_known, ledger_known=merged.ledger_known)


def _last_moment(backup: BackupFile) -> datetime:
    """Return the last moment recorded in a backup; if nothing is, when the file was written."""
    if backup.newest is None:
        return datetime.fromtimestamp(backup.file.stat().st_mtime, UTC)
    return datetime.fromisoformat(backup.newest).replace(tzinfo=UTC)


def _refuse_newer(database: Path, backup: BackupFile) -> None:
    """Raise if the database is newer than the backup; a damaged one may be replaced, as backups exist for that."""
    if not database.exists():
        return
    try:
        present = examine(database)
    except StoreUnusable:
        return
    if present.newest is not None and (backup.newest is None or present.newest > backup.newest):
        until = "of nothing yet" if backup.newest is None else f"until {backup.newest} UTC"
        raise StoreUnusable(
            f"{database}: is newer: it tells of what happened until {present.newest} UTC, {backup.file} {until}; what"
            " is in between would be forgotten until the portal is read again. --force does it all the same, and keeps"
            " the newer one beside it"
        )


def _copy_as_it_is(database: Path, now: datetime) -> Path:
    """Copy the files of the database, damaged or not, including those that SQLite puts beside it."""
    previous = database.with_name(f"{database.name}.before-restore-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    for suffix in ("", *_SIDE_FILES):
        source, target = Path(f"{database}{suffix}"), Path(f"{previous}{suffix}")
        if source.exists():
            with source.open("rb") as original, replace_private_file(target) as stream:
                shutil.copyfileobj(original, stream)
    return previous


def _copy(source: Path, target: Path) -> None:
    """Copy one consistent state with SQLite's online backup, also during writes. The copy is a file without a WAL."""
    with open_for_reading(source) as origin, closing(sqlite3.connect(target)) as copy:
        origin.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


def _remove_sessions(copy: Path) -> None:
    """Remove sessions, so that a backup lets nobody sign in. An older database has no such table."""
    with closing(sqlite3.connect(copy)) as database, database:
        database.execute("PRAGMA secure_delete=ON")
        if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'sealed'").fetchone():
            database.execute("DELETE FROM sealed")


@contextmanager
def _translated_errors(file: Path) -> Iterator[None]:
    """Raise errors of the system and of SQLite as `StoreUnusable`."""
    try:
        yield
    except DAMAGE as error:
        if isinstance(error, UnicodeDecodeError):
            raise StoreUnusable(f"{file}: the database is damaged") from None
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _OF_THE_DISK:
            raise StoreUnusable(f"{file}: {reason_of(error)}") from None
        raise StoreUnusable(f"{file}: is no database of case-watcher, or a damaged one ({error})") from None
    except OSError as error:
        remedy = "; its folder has to be there, and open to you" if error.errno in _FOLDER_ERRORS else ""
        raise StoreUnusable(f"{file}: {os_error_text(error)}{remedy}") from None
