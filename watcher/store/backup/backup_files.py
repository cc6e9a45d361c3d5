"""Backups: SQLite databases, whatever the database they are made from. Created while it is in use, and examined."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from glob import escape
from pathlib import Path

from watcher.errors import StoreDamaged, StoreUnusable, os_error_text
from watcher.messages import _, mark
from watcher.privacy.private_file import remove_temporary_files, replace_private_file
from watcher.store.backup.left_out import LEFT_OUT
from watcher.store.backup.replaced_database import DAMAGE, last_moment, open_for_reading
from watcher.store.backup.server_rows import CountRows, no_count, save_rows
from watcher.store.database.engine import Database, parse_url
from watcher.store.database.open_file import SIDE_FILES
from watcher.store.database.sqlite_errors import reason_of

_FOLDER_ERRORS = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS)
_STALE_AFTER = 3600.0  # seconds after which a temporary file is assumed to be left by a killed process
_OF_THE_DISK = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})
TEMPORARY = ("-journal", *SIDE_FILES)
"""What SQLite creates beside a file while it writes to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFile:
    """A database that is not damaged. `newest` is the last moment recorded in it, UTC, as SQLite stores it, or None."""

    file: Path
    schema: str
    cases: int
    newest: str | None


def sqlite_path(url: str) -> Path | None:
    """Return the file of an SQLite database; None for a database on a server."""
    parsed = parse_url(url)
    is_file = parsed is not None and parsed.get_backend_name() == "sqlite" and parsed.database
    return Path(str(parsed.database)) if parsed is not None and is_file else None


def examine(file: Path) -> BackupFile:
    """Read all of a database. Raises `StoreUnusable` if it is damaged or not from this program."""
    with translated_errors(file):
        exists = file.is_file()
    if not exists:
        raise StoreUnusable(_("{file}: there is no such file", file=file))
    with translated_errors(file), open_for_reading(file) as database:
        results = [str(row[0]) for row in database.execute("PRAGMA quick_check(3)")]
        if results != ["ok"]:
            damage = "; ".join(line for text in results for line in text.splitlines() if not line.startswith("***"))
            raise StoreDamaged(_("{file}: the database is damaged: {damage}", file=file, damage=damage))
        schema = database.execute("SELECT version_num FROM alembic_version").fetchone()
        cases = database.execute('SELECT count(*) FROM "case"').fetchone()
        newest = last_moment(database)
    return BackupFile(file=file, schema=str(schema[0]), cases=int(cases[0]), newest=newest)


def create_backup(url: str, target: Path, *, force: bool = False, count: CountRows = no_count) -> BackupFile:
    """Copy a database that may be in use to one file of mode 0600, and examine the copy before it appears.

    An existing `target` is replaced only with `force`, and only by a good copy. Raises `StoreUnusable`.
    """
    database = sqlite_path(url)
    if database is not None and not database.is_file():
        raise StoreUnusable(
            _("{database}: there is no database yet, so there is nothing to back up", database=database)
        )
    with translated_errors(target):
        exists = target.exists()
    if exists and not force:
        raise StoreUnusable(
            _("{target}: already exists; choose another file, or use --force to replace it", target=target)
        )
    with translated_errors(target):
        remove_temporary_files(target.parent, escape(target.name), older_than=_STALE_AFTER)
    with translated_errors(target), replace_private_file(target, suffixes=TEMPORARY) as stream:
        temporary = Path(stream.name)
        if database is not None:
            copy_file(database, temporary)
            remove_left_out(temporary)
        else:
            _copy_server(url, temporary, count)
        backup = examine(temporary)
    return replace(backup, file=target)


def _copy_server(url: str, target: Path, count: CountRows) -> None:
    with closing(Database(url)) as server, server.reading() as connection:
        save_rows(connection, server.display_name, target, count)


def copy_file(source: Path, target: Path) -> None:
    """Copy one consistent state with SQLite's online backup, also during writes. The copy is a file without a WAL."""
    with open_for_reading(source) as origin, closing(sqlite3.connect(target)) as copy:
        origin.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


def remove_left_out(copy: Path) -> None:
    """Remove the rows that a backup does not carry from a copy, with their traces."""
    with closing(sqlite3.connect(copy)) as database, database:
        database.execute("PRAGMA secure_delete=ON")
        for table in LEFT_OUT:
            if database.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone():
                database.execute(f'DELETE FROM "{table}"')  # noqa: S608 - our own names


@contextmanager
def translated_errors(file: Path) -> Iterator[None]:
    """Raise errors of the system and of SQLite as `StoreUnusable`."""
    try:
        yield
    except DAMAGE as error:
        if isinstance(error, UnicodeDecodeError):
            raise StoreDamaged(_("{file}: the database is damaged", file=file)) from None
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _OF_THE_DISK:
            raise StoreUnusable(f"{file}: {reason_of(error)}") from None
        raise StoreDamaged(
            _("{file}: is not a database of case-watcher, or is damaged ({reason})", file=file, reason=error)
        ) from None
    except OSError as error:
        text = "{file}: {reason}"
        if error.errno in _FOLDER_ERRORS:
            text = mark("{file}: {reason}; check that its folder exists and that you may use it")
        raise StoreUnusable(_(text, file=file, reason=os_error_text(error))) from None
