import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from watcher.cli.terminal.input_file import read_input


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.fixture
def silent_writer(pipe: Path) -> Iterator[None]:
    descriptor = os.open(pipe, os.O_RDWR)
    yield
    os.close(descriptor)


def test_file_is_read_up_to_the_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abcdef")
    assert read_input(tmp_path / "file", max_bytes=10) == b"abcdef"
    assert read_input(tmp_path / "file", max_bytes=4) == b"abcd"


def write_and_close(descriptor: int, content: bytes) -> None:
    with suppress(BrokenPipeError), os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def test_pipe_is_read_to_its_end_or_the_limit() -> None:
    for limit in (1_000_000, 300_000):
        reader, writer = os.pipe()
        sender = Thread(target=write_and_close, args=(writer, b"x" * 500_000), daemon=True)
        sender.start()
        assert read_input(Path(f"/dev/fd/{reader}"), max_bytes=limit) == b"x" * min(limit, 500_000)
        os.close(reader)
        sender.join(10)


def test_pipe_without_a_writer_is_an_error(pipe: Path) -> None:
    with pytest.raises(OSError, match="nothing writes to it"):
        read_input(pipe, max_bytes=10)


@pytest.mark.usefixtures("silent_writer")
def test_silent_pipe_is_an_error(pipe: Path) -> None:
    with pytest.raises(OSError, match="sent nothing for"):
        read_input(pipe, max_bytes=10, max_wait=0.05)
