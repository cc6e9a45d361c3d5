"""The calendar that a calendar program subscribes to, kept up to date on disk."""

from contextlib import suppress
from pathlib import Path

import structlog

from watcher.context.context import Context
from watcher.privacy.private_file import write_private_file
from watcher.store import Busy

_WAIT = 10.0
_log = structlog.get_logger(__name__)


def update_calendar_file(context: Context) -> bool:
    """Writes `calendar_file` where one is wanted and its content has changed; returns whether it was written.

    The file is for its owner alone and is replaced whole, so that no program reads half of it. A place that cannot be
    written to is logged, and ends nothing. Raises `StoreUnusable`.
    """
    file = context.settings.calendar_file
    if file is None:
        return False
    from watcher.export.ics import calendar  # noqa: PLC0415 - icalendar is loaded only where there is a calendar

    try:
        with context.store.locks.acquire("calendar", wait=_WAIT, stop=context.stop):
            settings = context.settings
            content = calendar(
                context.watched_cases(), language=settings.language, zone=settings.timezone, masked=False
            )
            return _replace(file, content)
    except Busy:
        return False  # another process has just read the same books
    except OSError as error:
        _log.warning("calendar_file could not be written", file=str(file), reason=error.strerror)
        return False


def _replace(file: Path, content: bytes) -> bool:
    with suppress(FileNotFoundError):
        if file.read_bytes() == content:
            return False
    write_private_file(file, content)
    return True
