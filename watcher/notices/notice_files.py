"""Saved letters on disk: written completely or not at all, for the owner only, in the folder of their case."""

import hashlib
import os
from contextlib import suppress
from itertools import count
from pathlib import Path

from watcher.model.ledger import TrackedNotice
from watcher.notices.file_names import file_name, folder_name
from watcher.privacy.private_file import remove_temporary_files, write_private_file

FOLDER = "notices"
"""Relative to state_dir."""


class NoticeFiles:
    """The letters in one state_dir. Callers hold the account's lock."""

    def __init__(self, state_dir: Path) -> None:
        """Does not access the disk yet."""
        self._state_dir = state_dir

    def save(self, notice: TrackedNotice, content: bytes, *, extension: str) -> tuple[str, str]:
        """Save a document. Returns its path, relative to state_dir, and its SHA-256.

        Uses an existing file with the same content. Raises OSError, and then leaves nothing behind.
        """
        folder = self._folder(notice)
        self._create_folder(folder)
        digest = hashlib.sha256(content).hexdigest()
        file = _file_with(folder, content)
        if file is None:
            file = _unused_path(folder, notice, extension)
            write_private_file(file, content)
        return str(file.relative_to(self._state_dir)), digest

    def remove_temporary_files(self, account: str) -> None:
        """Remove what an interrupted download of the account left behind."""
        for folder in (self._state_dir / FOLDER / folder_name(account)).glob("*"):
            with suppress(OSError):
                remove_temporary_files(folder)

    def _folder(self, notice: TrackedNotice) -> Path:
        return self._state_dir / FOLDER / folder_name(notice.account) / folder_name(notice.case_number)

    def _create_folder(self, folder: Path) -> None:
        for path in (folder.parent.parent, folder.parent, folder):
            path.mkdir(mode=0o700, exist_ok=True)
            path.chmod(0o700)


def _file_with(folder: Path, content: bytes) -> Path | None:
    """Return a file with the same content. A kill may have prevented the store from recording it."""
    for file in sorted(folder.iterdir()):
        if file.name.startswith(".") or file.is_symlink() or not file.is_file():
            continue
        if file.stat().st_size == len(content) and file.read_bytes() == content:
            return file
    return None


def _unused_path(folder: Path, notice: TrackedNotice, extension: str) -> Path:
    """Return the first path that does not exist, not even as a broken link."""
    names = (
        file_name(notice.notice.title, notice.notice.dated, extension=extension, number=number) for number in count(1)
    )
    return next(folder / name for name in names if not os.path.lexists(folder / name))
