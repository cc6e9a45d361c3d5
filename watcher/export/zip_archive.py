"""All saved letters in one ZIP file, in folders by account and case."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from zipfile import ZIP_DEFLATED, ZipFile

from watcher.model.ledger import TrackedNotice
from watcher.notices.notice_files import FOLDER


def write_archive(notices: Iterable[TrackedNotice], state_dir: Path, file: Path) -> tuple[int, list[str]]:
    """Writes FILE, mode 0600, whole or not at all; returns how many letters it holds, and which are gone from disk.

    Raises OSError.
    """
    names = sorted({kept.saved_as for kept in notices if kept.saved_as})
    gone = [name for name in names if not (state_dir / name).is_file()]
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(8)}.tmp")
    try:
        made = os.fdopen(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")
        with made, ZipFile(made, "w", ZIP_DEFLATED, strict_timestamps=False) as archive:
            for name in names:
                if name not in gone:
                    archive.write(state_dir / name, str(PurePosixPath(name).relative_to(FOLDER)))
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return len(names) - len(gone), gone
