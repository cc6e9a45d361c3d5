"""Where notices lie on disk: whole or not at all, for their owner alone, nowhere but in the folder of their case."""

import hashlib
import os
from contextlib import suppress
from itertools import count
from pathlib import Path

from watcher.model.ledger import TrackedNotice
from watcher.notices.file_names import file_name, folder_name
from watcher.privacy.private_file import remove_temporary_files, write_private_file

FOLDER = "notices"
"""Within state_dir."""


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
        file = _same(folder, content)
        if file is None:
            file = _free(folder, kept, ending)
            write_private_file(file, content)
        return str(file.relative_to(self._state_dir)), digest

    def clear(self, account: str) -> None:
        """Removes what an interrupted download of the account left behind."""
        for folder in (self._state_dir / FOLDER / folder_name(account)).glob("*"):
            with suppress(OSError):
                remove_temporary_files(folder)

    def _folder(self, kept: TrackedNotice) -> Path:
        return self._state_dir / FOLDER / folder_name(kept.account) / folder_name(kept.case_number)

    def _make(self, folder: Path) -> None:
        for each in (folder.parent.parent, folder.parent, folder):
            each.mkdir(mode=0o700, exist_ok=True)
            each.chmod(0o700)


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
