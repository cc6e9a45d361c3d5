"""All saved letters in one ZIP file, in folders by account and case."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from zipfile import ZIP_DEFLATED, ZipFile

from watcher.model.ledger import TrackedNotice
from watcher.notices.notice_files import FOLDER
from watcher.privacy.private_file import replace_private_file


def write_archive(notices: Iterable[TrackedNotice], state_dir: Path, file: Path) -> tuple[int, list[str]]:
    """Writes FILE, mode 0600, whole or not at all; returns how many letters it holds, and which are gone from disk.

    Raises OSError.
    """
    names = sorted({kept.saved_as for kept in notices if kept.saved_as})
    gone = [name for name in names if not (state_dir / name).is_file()]
    with (
        replace_private_file(file) as stream,
        ZipFile(stream, "w", ZIP_DEFLATED, strict_timestamps=False) as archive,
    ):
        for name in names:
            if name not in gone:
                archive.write(state_dir / name, str(PurePosixPath(name).relative_to(FOLDER)))
    return len(names) - len(gone), gone
