"""Copies of the database: taken while it is in use, checked by reading them, and put back without losing anything.

Only SQLite is copied here; other databases have tools of their own (`pg_dump`).
"""

import errno
import shutil
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from watcher.errors import StoreUnusable, os_error_text
from watcher.privacy.private_file import replace_private_file
from watcher.store.backup.restore_merge import AddRestoreNote, merge_into
from watcher.store.database.schema import HEAD

_NO_PLACE = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS)
_BESIDE = ("-wal", "-shm")
_TEMPORARY = ("-journal", *_BESIDE)
_LAST_WORDS = (
    "SELECT max(last_attempt_at) FROM account",
    "SELECT max(at) FROM change",
    "SELECT max(created_at) FROM alert",
    "SELECT max(sent_at) FROM alert",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFile:
    """A database that was found whole. `newest` is the last moment it tells of, UTC, as text; None where none."""

    file: Path
    schema: str
    cases: int
    newest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreResult:
    """What a restore came to. `kept`: where the replaced database is now, None where there was none.

    `known`: it could be read, so that nothing of what was told since the backup is told again. `marks`: what the user
    has said of pending items since was all taken over.
    """

    previous_file: Path | None
    alerts_known: bool
    ledger_known: bool


def sqlite_path(url: str) -> Path:
    """The file of an SQLite database. Raises `StoreUnusable` for a database that is none."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreUnusable("database_url: it should look like sqlite:///FILE") from None
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise StoreUnusable(
            f"database_url: {parsed.get_backend_name()} has its own tools for copies (pg_dump, pg_restore);"
            " this copies SQLite files only"
        )
    return Path(parsed.database)


def examine(file: Path) -> BackupFile:
    """Reads a database through and through. Raises `StoreUnusable` where it is damaged or none of this program's."""
    with _telling(file):
        there = file.is_file()
    if not there:
        raise StoreUnusable(f"{file}: there is no such file")
    with _telling(file), _opened(file) as database:
        faults = [str(row[0]) for row in database.execute("PRAGMA quick_check(3)")]
        if faults != ["ok"]:
            said = "; ".join(line for fault in faults for line in fault.splitlines() if not line.startswith("***"))
            raise StoreUnusable(f"{file}: the database is damaged: {said}")
        schema = database.execute("SELECT version_num FROM alembic_version").fetchone()
        cases = database.execute('SELECT count(*) FROM "case"').fetchone()
        moments = [database.execute(query).fetchone()[0] for query in _LAST_WORDS]
    return BackupFile(
        file=file, schema=str(schema[0]), cases=int(cases[0]), newest=max(filter(None, moments), default=None)
    )


def create_backup(database: Path, target: Path, *, force: bool = False) -> BackupFile:
    """A consistent copy of a database that may be in use, as one file of mode 0600, examined before it is there.

    An existing `target` is replaced only with `force`, and only by a good copy. Raises `StoreUnusable`.
    """
    if not database.is_file():
        raise StoreUnusable(f"{database}: there is no database yet; nothing to back up")
    with _telling(target):
        there = target.exists()
    if there and not force:
        raise StoreUnusable(f"{target}: is there already; name another file, or say --force to replace it")
    with _telling(target), replace_private_file(target, suffixes=_TEMPORARY) as stream:
        temporary = Path(stream.name)
        _copy(database, temporary)
        found = examine(temporary)
    return BackupFile(file=target, schema=found.schema, cases=found.cases, newest=found.newest)


def restore(
    copy: Path,
    database: Path,
    *,
    accounts: Collection[str],
    now: datetime,
    add_note: AddRestoreNote,
    force: bool = False,
) -> RestoreResult:
    """Puts a copy in the place of the database, which is kept beside it.

    What cannot be undone is taken over from the replaced database, see `watcher.store.backup.restore_merge`;
    `doubting` says of an alert that it may have gone out before, and `accounts` are those of the configuration. The
    caller makes sure that nobody uses the database. Raises `StoreUnusable` where the copy is damaged or of a newer
    release, and without
    `force` where the database tells of more than the copy does.
    """
    found = examine(copy)
    if found.schema > HEAD:
        raise StoreUnusable(f"{copy}: was made by a newer release (schema {found.schema}); install that release")
    if not force:
        _refuse_newer(database, found)
    with _telling(database), replace_private_file(database, suffixes=_TEMPORARY) as stream:
        temporary = Path(stream.name)
        _copy(copy, temporary)
        since = _moment(found.newest) or _written(copy)
        carried = merge_into(database, temporary, accounts=accounts, since=since, now=now, add_note=add_note)
        examine(temporary)
        kept = _keep(database, now) if database.exists() else None
        for suffix in _BESIDE:
            Path(f"{database}{suffix}").unlink(missing_ok=True)
    return RestoreResult(previous_file=kept, alerts_known=carried.alerts_known, ledger_known=carried.ledger_known)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


def _written(copy: Path) -> datetime:
    """A copy that tells of nothing yet ends no later than this."""
    return datetime.fromtimestamp(copy.stat().st_mtime, UTC)


def _refuse_newer(database: Path, found: BackupFile) -> None:
    """A damaged database is no reason not to restore: it is what a backup is for."""
    if not database.exists():
        return
    try:
        present = examine(database)
    except StoreUnusable:
        return
    if present.newest is not None and (found.newest is None or present.newest > found.newest):
        told = "of nothing yet" if found.newest is None else f"until {found.newest} UTC"
        raise StoreUnusable(
            f"{database}: is newer: it tells of what happened until {present.newest} UTC, {found.file} {told}; what is"
            " in between would be forgotten until the portal is read again. --force does it all the same, and keeps the"
            " newer one beside it"
        )


def _keep(database: Path, now: datetime) -> Path:
    """Copies the database as it lies there, damaged or not, with what SQLite keeps beside it."""
    kept = database.with_name(f"{database.name}.before-restore-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    for suffix in ("", *_BESIDE):
        source, target = Path(f"{database}{suffix}"), Path(f"{kept}{suffix}")
        if source.exists():
            with source.open("rb") as original, replace_private_file(target) as stream:
                shutil.copyfileobj(original, stream)
    return kept


def _copy(source: Path, target: Path) -> None:
    """One step of SQLite's online backup: a single consistent state, whoever writes meanwhile. A file without a WAL."""
    with _opened(source) as origin, closing(sqlite3.connect(target)) as copy:
        origin.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{quote(str(file.absolute()))}?mode=ro", uri=True, timeout=10)) as database:
        yield database


@contextmanager
def _telling(file: Path) -> Iterator[None]:
    """What the system or SQLite objects to, as one of our errors."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise StoreUnusable(f"{file}: is no database of case-watcher, or a damaged one ({error})") from None
    except OSError as error:
        remedy = "; its folder has to be there, and open to you" if error.errno in _NO_PLACE else ""
        raise StoreUnusable(f"{file}: {os_error_text(error)}{remedy}") from None
