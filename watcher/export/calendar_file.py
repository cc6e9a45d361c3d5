"""The calendar file on disk, which a calendar program can subscribe to."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from watcher.model.ledger import TrackedCase
from watcher.privacy.private_file import write_private_file
from watcher.settings import Settings
from watcher.store import Busy

if TYPE_CHECKING:
    from watcher.context.context import Context  # the page reads calendars without it: 20 MiB

_WAIT = 10.0
_log = structlog.get_logger(__name__)


def update_calendar_file(context: "Context") -> bool:
    """Write `calendar_file` if it is configured and its content has changed. Return whether it was written.

    Only its owner can read the file. It is replaced as a whole, so no program reads a part of it. If it cannot be
    written, that is only logged. Raises `StoreUnusable`.
    """
    file = context.settings.calendar_file
    if file is None:
        return False
    try:
        with context.store.locks.acquire("calendar", wait=_WAIT, stop=context.stop):
            return _replace(file, calendar_content(context.watched_cases(), context.settings))
    except Busy:
        return False  # another process is updating it from the same database
    except OSError as error:
        _log.warning("calendar_file_not_written", file=str(file), reason=error.strerror)
        return False


def calendar_content(cases: Iterable[TrackedCase], settings: Settings) -> bytes:
    """Return the dates of these cases for a calendar program, in the language of the configuration."""
    from watcher.export.ics import calendar  # noqa: PLC0415 - load icalendar only if needed

    zone, office_zone = settings.timezone, settings.office_zone
    return calendar(cases, language=settings.language, zone=zone, office_zone=office_zone, masked=False)


def _replace(file: Path, content: bytes) -> bool:
    with suppress(FileNotFoundError):
        if file.read_bytes() == content:
            return False
    write_private_file(file, content)
    return True
