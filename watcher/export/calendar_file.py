"""The calendar file on disk, which a calendar program can subscribe to."""

from contextlib import suppress
from pathlib import Path

import structlog

from watcher.context.context import Context
from watcher.privacy.private_file import write_private_file
from watcher.store import Busy

_WAIT = 10.0
_log = structlog.get_logger(__name__)


def update_calendar_file(context: Context) -> bool:
    """Write `calendar_file` if it is configured and its content has changed. Return whether it was written.

    Only its owner can read the file. It is replaced as a whole, so no program reads a part of it. If it cannot be
    written, that is only logged. Raises `StoreUnusable`.
    """
    file = context.settings.calendar_file
    if file is None:
        return False
    from watcher.export.ics import calendar  # noqa: PLC0415 - load icalendar only if needed

    try:
        with context.store.locks.acquire("calendar", wait=_WAIT, stop=context.stop):
            settings = context.settings
            content = calendar(
                context.watched_cases(),
                language=settings.language,
                zone=settings.timezone,
                office_zone=settings.office_zone,
                masked=False,
            )
            return _replace(file, content)
    except Busy:
        return False  # another process is updating it from the same database
    except OSError as error:
        _log.warning("calendar_file_not_written", file=str(file), reason=error.strerror)
        return False


def _replace(file: Path, content: bytes) -> bool:
    with suppress(FileNotFoundError):
        if file.read_bytes() == content:
            return False
    write_private_file(file, content)
    return True
