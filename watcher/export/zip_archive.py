"""A ZIP file with all saved letters, in folders by account and case."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from zipfile import ZIP_DEFLATED, ZipFile

from watcher.model.ledger import TrackedNotice
from watcher.notices.notice_files import FOLDER
from watcher.privacy.private_file import replace_private_file


def write_archive(notices: Iterable[TrackedNotice], state_dir: Path, file: Path) -> tuple[int, list[str]]:
    """Write `file` with mode 0600, as a whole. Return the number of letters in it and the names of missing ones.

    Raises OSError.
    """
    names = sorted({notice.saved_as for notice in notices if notice.saved_as})
    missing = [name for name in names if not (state_dir / name).is_file()]
    with (
        replace_private_file(file) as stream,
        ZipFile(stream, "w", ZIP_DEFLATED, strict_timestamps=False) as archive,
    ):
        for name in names:
            if name not in missing:
                archive.write(state_dir / name, str(PurePosixPath(name).relative_to(FOLDER)))
    return len(names) - len(missing), missing
