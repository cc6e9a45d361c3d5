"""Where notices lie on disk: whole or not at all, for their owner alone, nowhere but in the folder of their case."""

import hashlib
import os
import secrets
from contextlib import suppress
from itertools import count
from pathlib import Path

from watcher.model.ledger import TrackedNotice
from watcher.notices.file_names import file_name, folder_name

FOLDER = "notices"
"""Within state_dir."""

_UNFINISHED = ".unfinished-"


class NoticeFiles:
    """The notices below one state_dir. One caller at a time for each account: the account's lock is held."""

    def __init__(self, state_dir: Path) -> None:
        """Touches nothing yet."""
        self._state_dir = state_dir

    def put(self, kept: TrackedNotice, content: bytes, *, ending: str) -> tuple[str, str]:
        """Writes the document down; returns its path, relative to state_dir, and its SHA-256.

        What lies there already with the same content is taken instead. Raises OSError, and leaves nothing then.
        """
        folder = self._folder(kept)
        self._make(folder)
        digest = hashlib.sha256(content).hexdigest()
        file = _same(folder, content) or self._write(folder, kept, content, ending)
        return str(file.relative_to(self._state_dir)), digest

    def clear(self, account: str) -> None:
        """Removes what an interrupted download of the account left behind."""
        for left in (self._state_dir / FOLDER / folder_name(account)).glob(f"*/{_UNFINISHED}*"):
            with suppress(OSError):
                left.unlink()

    def _folder(self, kept: TrackedNotice) -> Path:
        return self._state_dir / FOLDER / folder_name(kept.account) / folder_name(kept.case_number)

    def _make(self, folder: Path) -> None:
        for each in (folder.parent.parent, folder.parent, folder):
            each.mkdir(mode=0o700, exist_ok=True)
            each.chmod(0o700)

    def _write(self, folder: Path, kept: TrackedNotice, content: bytes, ending: str) -> Path:
        unfinished = folder / f"{_UNFINISHED}{secrets.token_hex(8)}"
        try:
            _write_through(unfinished, content)
            file = _free(folder, kept, ending)
            unfinished.rename(file)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink()
            raise
        _sync_folder(folder)
        return file


def _write_through(file: Path, content: bytes) -> None:
    """Writes a new file, mode 0600, to the disk itself."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())


def _sync_folder(folder: Path) -> None:
    """Makes the name outlive a power cut, where the system lets a folder be opened."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _same(folder: Path, content: bytes) -> Path | None:
    """A file with this very content. It may have been written just before a kill, and be in no book yet."""
    for file in sorted(folder.iterdir()):
        if file.name.startswith(".") or file.is_symlink() or not file.is_file():
            continue
        if file.stat().st_size == len(content) and file.read_bytes() == content:
            return file
    return None


def _free(folder: Path, kept: TrackedNotice, ending: str) -> Path:
    """The first name that nothing in the folder has, not even a broken link."""
    names = (file_name(kept.notice.title, kept.notice.dated, ending=ending, number=number) for number in count(1))
    return next(folder / name for name in names if not os.path.lexists(folder / name))
