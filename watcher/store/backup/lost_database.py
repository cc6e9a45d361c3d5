"""What becomes of a database that was deleted, moved, or replaced while it was open.

Its content is still in an open connection. It is kept beside the place where it was, and a file that replaced it is
restored as `watcher restore` does, so that nothing recorded is lost and nothing is reported or submitted again.
"""

import filecmp
import shlex
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from watcher.errors import StoreLost, StoreUnusable
from watcher.messages import _
from watcher.privacy.private_file import replace_private_file
from watcher.store.backup.backup_files import TEMPORARY, examine, translated_errors
from watcher.store.backup.restoring import RestoreResult
from watcher.store.database.known_databases import KnownDatabases
from watcher.store.database.open_file import SIDE_FILES, OpenFiles

RestoreCopy: TypeAlias = Callable[[Path], RestoreResult]
"""Restores a file at the path of the database."""


def keep_lost_database(
    connection: sqlite3.Connection,
    files: OpenFiles,
    lost: StoreLost,
    *,
    known: KnownDatabases,
    now: datetime,
    restore: RestoreCopy,
) -> str | None:
    """Save what the open connection still sees, and return what was done. The caller holds the daemon's lock.

    Returns None if nothing is lost: the paths still name the database, or its replacement has the same content. A
    folder that was deleted is made again, so that the next start knows that a database is missing. Raises
    `StoreUnusable` if the content cannot be saved, such as on a full disk.

    The caller ends the process without closing the connection: closing would write what its log holds into the file.
    """
    if not (lost.in_place or _is_lost(files)):
        return None
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    kept = files.database.with_name(f"{files.database.name}.lost-{stamp}")
    if lost.in_place:
        return _overwritten(connection, files, kept)
    with translated_errors(kept):
        files.database.parent.mkdir(mode=0o700, exist_ok=True)
        known.add(str(files.database))
        exists, moved = files.database.exists(), files.new_path()
        is_moved = moved is not None and not exists
        if is_moved or not files.is_replaced:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the log stayed behind, or is gone
        if is_moved:
            return _("it is now {file}; stop what uses it there, then put it back", file=moved)
        _save(connection, kept)
        if not exists:
            _remove_side_files(files)  # all that they held is in the copy
            return _text(files, kept)
    return _compare(files, kept, files.database.with_name(f"{files.database.name}.new-{stamp}"), restore)


def _compare(files: OpenFiles, kept: Path, replacement: Path, restore: RestoreCopy) -> str | None:
    """Decide what becomes of the content that was kept, now that the path names another file or the log is gone."""
    with translated_errors(kept):
        if _has_content_of(files.database, kept):
            kept.unlink()
            return None
    return _restore_replacement(files, kept, replacement, restore) if files.is_replaced else _text(files, kept)


def _overwritten(connection: sqlite3.Connection, files: OpenFiles, kept: Path) -> str | None:
    """Keep what an emptied database held, which may still be in its log; else see `_without_outdated_log`."""
    with translated_errors(kept):
        if files.database.stat().st_size:
            return _without_outdated_log(files)
        _save(connection, kept)
        _remove_side_files(files)
    return _text(files, kept)


def _without_outdated_log(files: OpenFiles) -> str | None:
    """Remove the log of what was in the file before another program wrote a good database into it.

    Does nothing if the file is damaged without its log too.
    """
    copy = files.database.with_name(f".{files.database.name}.alone.tmp")
    try:
        shutil.copy(files.database, copy)
        examine(copy)
    except (OSError, StoreUnusable):
        return None
    finally:
        copy.unlink(missing_ok=True)
    with translated_errors(files.database):
        _remove_side_files(files)
    return _("another program overwrote {file}; what was recorded before is lost", file=files.database)


def _text(files: OpenFiles, kept: Path) -> str:
    command = shlex.join(["mv", str(kept), str(files.database)])
    return _("its content is kept as {file}; to continue with it, run: {command}", file=kept, command=command)


def _remove_side_files(files: OpenFiles) -> None:
    for side_file in files.side_files():
        side_file.unlink(missing_ok=True)


def _is_lost(files: OpenFiles) -> bool:
    try:
        files.verify()
    except StoreLost:
        return True
    return False


def _restore_replacement(files: OpenFiles, kept: Path, replacement: Path, restore: RestoreCopy) -> str:
    """Restore the file that replaced the database over what the database held."""
    with translated_errors(files.database):
        _remove_side_files(files)
        _move(files.database, replacement)
        shutil.copy(kept, files.database)
    try:
        result = restore(replacement)
    except StoreUnusable as error:
        with translated_errors(files.database):
            _move(replacement, files.database)
        return _(
            "the file that replaced it cannot be used ({reason}); {advice}", reason=error, advice=_text(files, kept)
        )
    if result.previous_file is not None:
        kept.unlink()
    return _(
        "the file that replaced it was restored like a backup; it is kept as {replacement}, and the previous"
        " content as {previous}",
        replacement=replacement,
        previous=result.previous_file or kept,
    )


def _move(file: Path, target: Path) -> None:
    """Rename a database with its side files."""
    for suffix in (*SIDE_FILES, ""):
        if (source := Path(f"{file}{suffix}")).exists():
            source.replace(f"{target}{suffix}")


def _save(connection: sqlite3.Connection, target: Path) -> None:
    with replace_private_file(target, suffixes=TEMPORARY) as stream:
        temporary = Path(stream.name)
        with closing(sqlite3.connect(temporary)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        examine(temporary)


def _has_content_of(file: Path, kept: Path) -> bool:
    """Return whether a program that opens the file now sees what was kept. Looks at a copy of the file and its log."""
    copy, content = kept.with_name(f".{kept.name}.tmp"), kept.with_name(f".{kept.name}.content.tmp")
    try:
        for suffix in ("", SIDE_FILES[0]):
            if (source := Path(f"{file}{suffix}")).exists():
                shutil.copy(source, f"{copy}{suffix}")
        with closing(sqlite3.connect(copy)) as connection:
            _save(connection, content)
        return filecmp.cmp(content, kept, shallow=False)
    except (sqlite3.Error, StoreUnusable):
        return False
    finally:
        for path in (*(Path(f"{copy}{suffix}") for suffix in ("", *TEMPORARY)), content):
            path.unlink(missing_ok=True)
