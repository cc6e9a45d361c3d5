"""Files that are replaced as a whole, on a real folder: kills at every step, a full disk, and concurrent writers."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.doubles.disk import largest_file
from watcher.privacy.private_file import (
    create_private_file,
    remove_temporary_files,
    replace_private_file,
    write_private_file,
)

OLD, NEW = b"old " * 50_000, b"new " * 50_000


def mode_of(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some [file]*.txt"


class TestWriting:
    def test_content_is_replaced_and_nothing_else_is_left(self, file: Path) -> None:
        for content in (NEW, b"", b"short"):
            write_private_file(file, content)
            assert file.read_bytes() == content
            assert list(file.parent.iterdir()) == [file]

    def test_file_is_private_whatever_the_umask_and_the_old_mode(self, file: Path) -> None:
        file.touch(mode=0o666)
        with umask(0):
            write_private_file(file, NEW)
        assert mode_of(file) == 0o600

    def test_mode_can_be_chosen_and_the_umask_does_not_change_it(self, file: Path) -> None:
        with umask(0o077):
            write_private_file(file, NEW, mode=0o644)
        assert mode_of(file) == 0o644

    def test_temporary_file_is_private_while_it_is_written(self, file: Path) -> None:
        with umask(0), replace_private_file(file, mode=0o644) as stream:
            assert mode_of(Path(stream.name)) == 0o600
            assert Path(stream.name).parent == file.parent
            assert not file.exists()

    def test_link_is_replaced_and_its_target_is_untouched(self, file: Path) -> None:
        target = file.with_name("target")
        target.write_bytes(OLD)
        file.symlink_to(target)
        write_private_file(file, NEW)
        assert (target.read_bytes(), file.read_bytes(), file.is_symlink()) == (OLD, NEW, False)

    def test_open_reader_keeps_the_old_content(self, file: Path) -> None:
        file.write_bytes(OLD)
        with file.open("rb") as reader:
            write_private_file(file, NEW)
            assert reader.read() == OLD

    def test_two_writers_do_not_mix(self, file: Path) -> None:
        with replace_private_file(file) as first, replace_private_file(file) as second:
            first.write(OLD)
            second.write(NEW)
        assert file.read_bytes() == OLD
        assert list(file.parent.iterdir()) == [file]


class TestFailure:
    def test_error_in_the_block_leaves_the_old_file_and_nothing_else(self, file: Path) -> None:
        file.write_bytes(OLD)

        def write_in_part() -> None:
            with replace_private_file(file, suffixes=["-wal"]) as stream:
                stream.write(NEW)
                Path(f"{stream.name}-wal").write_bytes(NEW)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_in_part()
        assert file.read_bytes() == OLD
        assert list(file.parent.iterdir()) == [file]

    @pytest.mark.parametrize("room", [0, 1, 4096, len(NEW) - 1])
    def test_full_disk_leaves_the_old_file_and_nothing_else(self, file: Path, room: int) -> None:
        file.write_bytes(OLD)
        with largest_file(room), pytest.raises(OSError, match="File too large"):
            write_private_file(file, NEW)
        assert file.read_bytes() == OLD
        assert list(file.parent.iterdir()) == [file]

    def test_folder_in_the_place_of_the_file_is_an_error(self, file: Path) -> None:
        file.mkdir()
        with pytest.raises(IsADirectoryError):
            write_private_file(file, NEW)
        assert list(file.parent.iterdir()) == [file]

    @pytest.mark.parametrize("parent", ["missing", "file"])
    def test_missing_folder_is_an_error(self, tmp_path: Path, parent: str) -> None:
        (tmp_path / "file").touch()
        with pytest.raises((FileNotFoundError, NotADirectoryError)):
            write_private_file(tmp_path / parent / "name", NEW)


class TestCreating:
    def test_new_file_is_empty_and_private(self, file: Path) -> None:
        with umask(0):
            create_private_file(file)
        assert (file.read_bytes(), mode_of(file)) == (b"", 0o600)

    def test_existing_file_keeps_content_and_mode(self, file: Path) -> None:
        file.write_bytes(OLD)
        file.chmod(0o640)
        create_private_file(file)
        assert (file.read_bytes(), mode_of(file)) == (OLD, 0o640)


class TestTemporaryFiles:
    def test_only_those_of_the_named_file_are_removed(self, tmp_path: Path) -> None:
        for name in (".mine.01.tmp", ".other.01.tmp", "mine", "mine.tmp"):
            (tmp_path / name).touch()
        remove_temporary_files(tmp_path, "mine")
        assert sorted(file.name for file in tmp_path.iterdir()) == [".other.01.tmp", "mine", "mine.tmp"]
        remove_temporary_files(tmp_path)
        assert sorted(file.name for file in tmp_path.iterdir()) == ["mine", "mine.tmp"]

    def test_young_ones_are_left_to_their_writer(self, tmp_path: Path) -> None:
        old, young = tmp_path / ".mine.01.tmp", tmp_path / ".mine.02.tmp"
        for file in (old, young):
            file.touch()
        os.utime(old, (1_700_000_000, 1_700_000_000))
        remove_temporary_files(tmp_path, "mine", older_than=3600)
        assert list(tmp_path.iterdir()) == [young]
        os.utime(young, (4_000_000_000, 4_000_000_000))
        remove_temporary_files(tmp_path, "mine", older_than=3600)
        assert list(tmp_path.iterdir()) == [], "a file from the future was written while the clock was ahead"

    def test_missing_folder_is_no_error(self, tmp_path: Path) -> None:
        remove_temporary_files(tmp_path / "missing")


KILLED_AT_EVERY_LINE = """
import os, signal, sys
from pathlib import Path
from watcher.privacy import private_file

folder = Path(sys.argv[1])
file, mode = folder / "file", int(sys.argv[2], 8)
OLD, NEW = b"old " * 50_000, b"new " * 50_000

def write_and_die_at(last):
    lines = 0
    def trace(frame, event, argument):
        nonlocal lines
        if frame.f_code.co_filename != private_file.__file__:
            return None
        lines += 1
        if lines == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace
    sys.settrace(trace)
    private_file.write_private_file(file, NEW, mode=mode)
    sys.settrace(None)
    os._exit(0)

deaths, seen, survived = 0, [], False
while not survived:
    private_file.remove_temporary_files(folder)
    private_file.write_private_file(file, OLD, mode=mode)
    child = os.fork()
    if child == 0:
        write_and_die_at(deaths + 1)
    survived = os.waitpid(child, 0)[1] == 0
    deaths += not survived
    content = file.read_bytes()
    assert content in (OLD, NEW), f"half-written after {deaths} steps"
    assert file.stat().st_mode & 0o777 == mode
    seen.append(content == NEW)
    for left in folder.iterdir():
        assert left.stat().st_mode & 0o777 in (0o600, mode), f"{left.name} is open to others"
    assert all(left == file or left.match(".file.*.tmp") for left in folder.iterdir())
assert seen == sorted(seen), "the old content never returns"
assert seen[-1] and not seen[0]
print(deaths)
"""


@pytest.mark.parametrize("mode", ["600", "644"])
def test_kill_at_any_step_leaves_the_old_file_or_the_new_one(tmp_path: Path, mode: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT_EVERY_LINE, str(tmp_path), mode],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20
