"""Files for their owner only, replaced as a whole: a kill or a full disk leaves the old file or the new one."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BufferedRandom
from pathlib import Path
from secrets import token_hex

_OWNER_ONLY = 0o600
_OWNER_ONLY_FOLDER = 0o700


def write_private_file(file: Path, content: bytes, *, mode: int = _OWNER_ONLY) -> None:
    """Replace `file` with `content`. Its folder must exist. Raises OSError."""
    with replace_private_file(file, mode=mode) as stream:
        stream.write(content)


@contextmanager
def replace_private_file(
    file: Path, *, mode: int = _OWNER_ONLY, suffixes: Sequence[str] = ()
) -> Iterator[BufferedRandom]:
    """Open a temporary file beside `file` that replaces it when the block ends without an error.

    The content is on the disk itself before the rename. After an error the temporary file is removed, and so are files
    with its name and one of `suffixes`, which a library may have created beside it. The name of the stream is the path.
    """
    with temporary_private_file(file, suffixes=suffixes) as stream:
        yield stream
        stream.flush()
        if mode != _OWNER_ONLY:  # not every file system can change a mode
            os.fchmod(stream.fileno(), mode)
        os.fsync(stream.fileno())
        Path(stream.name).replace(file)
    _sync_folder(file.parent)


@contextmanager
def temporary_private_file(file: Path, *, suffixes: Sequence[str] = ()) -> Iterator[BufferedRandom]:
    """Open a temporary file that belongs to `file` and lies beside it. It is removed at the end of the block.

    So are files with its name and one of `suffixes`. `remove_temporary_files` finds what a kill has left.
    """
    temporary = file.with_name(f".{file.name}.{token_hex(8)}.tmp")
    try:
        with open(temporary, "x+b", opener=_open_private) as stream:
            yield stream
    finally:
        for suffix in ("", *suffixes):
            with suppress(OSError):
                Path(f"{temporary}{suffix}").unlink(missing_ok=True)


def create_private_folder(folder: Path) -> None:
    """Create a folder and its missing parents, all for the owner only, whatever the umask. Raises OSError."""
    if not folder.is_dir():
        create_private_folder(folder.parent)
        folder.mkdir(mode=_OWNER_ONLY_FOLDER, exist_ok=True)


def create_private_file(file: Path) -> None:
    """Create an empty file. One that exists keeps its content and mode. Raises OSError."""
    os.close(_open_private(file, os.O_CREAT | os.O_RDWR))


def remove_temporary_files(folder: Path, name: str = "*", *, older_than: float = 0.0) -> None:
    """Remove what killed writers of the file `name` (a glob pattern) left in `folder`. Raises OSError.

    `older_than` is in seconds; younger files may belong to another process that is still writing. A file that is from
    as far in the future was written while the clock was ahead.
    """
    now = time.time()
    for temporary in folder.glob(f".{name}.*.tmp*"):
        with suppress(FileNotFoundError):  # another process has just renamed or removed it
            if abs(now - temporary.stat().st_mtime) >= older_than:
                temporary.unlink()


def _open_private(file: str | Path, flags: int) -> int:
    return os.open(file, flags, _OWNER_ONLY)


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut. Network file systems may refuse; the file is in place all the same."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
