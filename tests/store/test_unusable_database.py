"""A disk that is full, a folder that cannot be written to: a clear word, and nothing lost."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.temporary_store import NUMBER, TemporaryStore, a_draft, record_alerts, temporary_store
from watcher.errors import StoreUnusable
from watcher.store.database.locks import FileLocks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes. Only root can make one; elsewhere this says that it was not tried."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or not _mount("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)):
        pytest.skip("no small disk can be mounted here; the full disk was not tried")
    try:
        yield place
    finally:
        _mount("umount", str(place))


def _mount(*command: str) -> bool:
    program = shutil.which(command[0])
    return (
        program is not None and not subprocess.run([program, *command[1:]], capture_output=True, check=False).returncode
    )


def _fill(kept: TemporaryStore) -> None:
    for _ in range(400):
        record_alerts(kept.store, a_draft("much " * 2000))


def test_a_full_disk_is_told_and_what_was_there_is_still_there(small_disk: Path) -> None:
    with temporary_store(small_disk) as kept:
        record_alerts(kept.store, a_draft("before"))
        with pytest.raises(StoreUnusable, match="disk is full"):
            _fill(kept)
        before = len(kept.store.history())
        assert len(kept.store.outbox.list()) == before
    with temporary_store(small_disk) as kept:
        assert len(kept.store.history()) == before
        assert {change.change.case_number for change in kept.store.history()} == {NUMBER}


def test_a_disk_that_is_read_only_is_told(small_disk: Path) -> None:
    with temporary_store(small_disk) as kept:
        record_alerts(kept.store)
    assert _mount("mount", "-o", "remount,ro", str(small_disk))
    with pytest.raises(StoreUnusable, match="check its folder"), temporary_store(small_disk):
        pass


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="No such file"), temporary_store(tmp_path / "nowhere"):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; the read-only folder was not tried")
def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreUnusable, match="owner and mode"), temporary_store(tmp_path):
        pass


def test_locks_that_are_out_of_reach_are_told(tmp_path: Path) -> None:
    (tmp_path / "locks").write_bytes(b"a file where the folder should be")
    with pytest.raises(StoreUnusable, match="check its folder"), FileLocks(tmp_path / "locks").acquire("delivery"):
        pass
