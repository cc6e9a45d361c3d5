"""A restore that is killed leaves the old database or the new one, and the next restore removes what it left."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tests.store.database_rows import stored_rows
from tests.store.temporary_store import NOW, NUMBER, StoreAddress, a_draft, a_snapshot, case_write, record_alerts
from tests.support.waiting import eventually
from watcher.errors import StoreUnusable
from watcher.model.writes import WriteSet
from watcher.privacy import private_file
from watcher.store.backup import restoring, server_rows
from watcher.store.backup.backup_files import create_backup, sqlite_path
from watcher.store.backup.restoring import Restore

_FILES = frozenset(str(module.__file__) for module in (restoring, server_rows, private_file))
_STRIDES = {"sqlite": 6, "postgresql": 150}
"""A kill at every line would take minutes."""


def survives(action: Callable[[], object], last: int) -> bool:
    """Run the action in a process that is killed at a line of the modules above. Return whether it ended before."""
    child = os.fork()
    if child == 0:
        failed = 1
        try:
            sys.settrace(_killer(last))
            action()
            failed = 0
        finally:
            os._exit(failed)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL)
    return status == 0


def _killer(last: int) -> Callable[[FrameType, str, Any], Any]:
    lines = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal lines
        if frame.f_code.co_filename not in _FILES:
            return None
        lines += event == "line"
        if lines == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


def restore_of(copy: Path, address: StoreAddress, *, force: bool = True) -> None:
    restore = Restore(
        copy=copy, accounts=["family"], now=NOW + timedelta(days=2), add_note=lambda text, *_: text, force=force
    )
    restore.run(address.url, address.locks.parent / "watcher.sqlite3")


@pytest.fixture
def backup(address: StoreAddress, tmp_path: Path) -> Path:
    """Return a backup of a database in which more has been recorded since. With SQLite, a killed process left it."""
    copy = tmp_path / "backup.sqlite3"
    with address.open() as opened:
        record_alerts(opened.store, a_draft("first"))
        create_backup(address.url, copy)
        case = WriteSet(account="family", case_number=NUMBER, case=case_write(a_snapshot()))
        opened.store.record([case], now=NOW)
        record_alerts(opened.store, a_draft("second"), now=NOW + timedelta(days=1))
        database = sqlite_path(address.url)
        if database is not None:
            left = tmp_path / "left"
            left.mkdir()
            for name in ("", "-wal"):
                shutil.copyfile(f"{database}{name}", f"{left / database.name}{name}")
    if database is not None:
        for file in left.iterdir():
            file.replace(database.parent / file.name)
        assert database.with_name(f"{database.name}-wal").stat().st_size > 0
    return copy


def rows_after_kill(url: str, folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows once the server has noticed that the killed client is gone, and has ended its transaction."""
    states: list[dict[str, list[tuple[Any, ...]]]] = []

    def is_released() -> bool:
        with suppress(StoreUnusable):
            states.append(stored_rows(url, folder))
        return bool(states)

    assert eventually(is_released)
    return states[0]


def test_kill_leaves_the_old_database_or_the_new_one(address: StoreAddress, backup: Path, tmp_path: Path) -> None:
    folder, old = address.locks.parent, stored_rows(address.url, tmp_path)
    kept = tmp_path / "kept"
    states, lines, survived = [], 0, False
    if (database := sqlite_path(address.url)) is not None:
        shutil.copytree(folder, kept)
    while not survived:
        lines += _STRIDES[address.url.partition(":")[0]]
        survived = survives(lambda: restore_of(backup, address), lines)
        states.append(rows_after_kill(address.url, tmp_path))
        if database is not None and not survived:
            shutil.rmtree(folder)
            shutil.copytree(kept, folder)
    new = states[-1]
    assert new != old
    assert len(states) > 5
    assert all(state in (old, new) for state in states)
    assert [file.name for file in folder.iterdir() if file.name.endswith(".tmp")] == []
