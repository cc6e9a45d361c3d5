"""A full disk or a read-only folder gives a clear error, and loses nothing."""

import errno
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.api_workspace import api_workspace
from tests.store.temporary_store import NUMBER, TemporaryStore, a_draft, record_alerts, temporary_store
from watcher.errors import StoreUnusable
from watcher.store.backup.backup_files import create_backup
from watcher.store.database.locks import FileLocks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes. Only root can mount one; otherwise the test is skipped with a message."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or not _mount("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)):
        pytest.skip("a small disk cannot be mounted here; the full disk was not tested")
    try:
        yield folder
    finally:
        _mount("umount", str(folder))


def _mount(*command: str) -> bool:
    program = shutil.which(command[0])
    return (
        program is not None and not subprocess.run([program, *command[1:]], capture_output=True, check=False).returncode
    )


def _fill(temporary: TemporaryStore) -> None:
    for _ in range(400):
        record_alerts(temporary.store, a_draft("much " * 2000))


def test_full_disk_is_reported_and_earlier_data_is_still_there(small_disk: Path) -> None:
    with temporary_store(small_disk) as temporary:
        record_alerts(temporary.store, a_draft("before"))
        with pytest.raises(StoreUnusable, match="disk is full"):
            _fill(temporary)
        before = len(temporary.store.history())
        assert len(temporary.store.outbox.list()) == before
    with temporary_store(small_disk) as temporary:
        assert len(temporary.store.history()) == before
        assert {change.change.case_number for change in temporary.store.history()} == {NUMBER}


def test_read_only_disk_is_reported(small_disk: Path) -> None:
    with temporary_store(small_disk) as temporary:
        record_alerts(temporary.store)
    assert _mount("mount", "-o", "remount,ro", str(small_disk))
    with pytest.raises(StoreUnusable, match="check the owner and mode"), temporary_store(small_disk):
        pass


def test_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="No such file"), temporary_store(tmp_path / "nowhere"):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere; the read-only folder was not tested")
def test_read_only_folder_is_reported(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreUnusable, match="owner and mode"), temporary_store(tmp_path):
        pass


def test_unusable_lock_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "locks").write_bytes(b"a file where the folder should be")
    with (
        pytest.raises(StoreUnusable, match="check the owner and mode"),
        FileLocks(tmp_path / "locks").acquire("delivery"),
    ):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF])
def test_file_system_without_locks_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def flock(_file: int, _operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", flock)
    with (
        pytest.raises(StoreUnusable, match=r"locks is on a file system without locks .*; set state_dir"),
        FileLocks(tmp_path / "locks").acquire("delivery"),
    ):
        pass


def test_backup_to_a_full_disk_says_so(small_disk: Path, tmp_path: Path) -> None:
    with temporary_store(tmp_path) as temporary:
        _fill(temporary)
        with pytest.raises(StoreUnusable, match="the disk is full"):
            create_backup(temporary.url, small_disk / "copy.sqlite3")
    assert list(small_disk.glob("*.sqlite3")) == []


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE \"case\" SET document = replace(document, '{', '~')",
        "UPDATE item SET document = replace(document, '\"kind\"', '\"kond\"')",
        "UPDATE change SET new = 'x' || new, at = '2026x'",
        "UPDATE alert SET severity = 'urgenu'",
        "UPDATE account SET state = 'oj'",
    ],
)
def test_damaged_value_is_reported_in_one_sentence(tmp_path: Path, damage: str) -> None:
    with api_workspace(tmp_path) as workspace:
        workspace.check()
        workspace.ask_for_evidence()
        workspace.check()
        with closing(sqlite3.connect(workspace.database)) as database, database:
            database.execute(damage)
        errors = [workspace.run(command, expect=(0, 1)).err for command in ("status", "history", "alerts", "check")]
        assert any("a stored row is damaged" in error for error in errors)
        assert not any("Traceback" in error for error in errors)
