"""The time zone of the machine, by its IANA name: the one that `date` uses.

`TZ` and `/etc/localtime` may hold a zone without its name: a POSIX rule ("EST5EDT,M3.2.0,M11.1.0", as on OpenWrt), or a
plain file (as if mounted into a container). Then the name is that of a zone whose clocks agree for a year, if possible
with the same abbreviations.
"""

import os
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import structlog

_LOCALTIME = Path("/etc/localtime")
_FOLDER = "zoneinfo/"
_BEST_KNOWN = (
    *("UTC", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Toronto"),
    *("America/Sao_Paulo", "Europe/London", "Europe/Madrid", "Europe/Paris", "Australia/Sydney"),
)
"""Preferred among zones whose clocks agree."""
_WEEK, _HOUR = timedelta(weeks=1), timedelta(hours=1)

_log = structlog.get_logger(__name__)


def machine_zone() -> ZoneInfo:
    """Return the machine's zone. If none with a name has the same rules, log one warning and return UTC."""
    zone = find_zone(os.environ, _LOCALTIME)
    if zone is None:
        _warn_once()
    return zone or ZoneInfo("UTC")


def find_zone(environ: Mapping[str, str], localtime: Path, *, year: int | None = None) -> ZoneInfo | None:
    """Return the zone that `TZ` in `environ` states, else the file `localtime`; UTC if there is neither.

    None if it has no name. Clocks are compared in `year` (None: the present one).
    """
    text = environ.get("TZ")
    if text is None:
        return _zone_of_file(localtime, year)
    text = text.removeprefix(":")
    if text.startswith("/"):
        return _zone_of_file(Path(text), year)
    return _named(text or "UTC") or _same_clocks(_rule_as_file(text), year)


def _zone_of_file(file: Path, year: int | None) -> ZoneInfo | None:
    _, folder, name = os.path.realpath(file).rpartition(_FOLDER)
    if folder and (zone := _named(name)) is not None:
        return zone
    try:
        return _same_clocks(file.read_bytes(), year)
    except FileNotFoundError:
        return ZoneInfo("UTC")
    except OSError:
        return None


def _named(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _rule_as_file(rule: str) -> bytes:
    """Return a file in TZif format (RFC 8536) that has only this POSIX rule."""
    utc = struct.pack(">4sc15x6llbb4s", b"TZif", b"2", 0, 0, 0, 0, 1, 4, 0, 0, 0, b"UTC\0")
    return utc + utc + b"\n" + rule.encode(errors="replace") + b"\n"


def _same_clocks(content: bytes, year: int | None) -> ZoneInfo | None:
    """Return a named zone whose clocks agree with those of this TZif file at every hour of the year."""
    try:
        nameless = ZoneInfo.from_file(BytesIO(content))
    except (ValueError, EOFError, struct.error):
        return None
    start = datetime(year or datetime.now(UTC).year, 1, 1, tzinfo=UTC)
    zones = [zone for name in sorted(available_timezones(), key=_preference) if (zone := _named(name)) is not None]
    for clock in (_clock_with_abbreviation, _clock):
        for zone in zones:
            if all(_agree(clock, nameless, zone, start, step) for step in (_WEEK, _HOUR)):
                return zone
    return None


def _preference(name: str) -> tuple[int, bool, str]:
    position = _BEST_KNOWN.index(name) if name in _BEST_KNOWN else len(_BEST_KNOWN)
    return position, "/" not in name or name.startswith(("Etc/", "US/", "SystemV/")), name


def _agree(
    clock: Callable[[datetime, ZoneInfo], object], one: ZoneInfo, other: ZoneInfo, start: datetime, step: timedelta
) -> bool:
    moments = (start + number * step for number in range(timedelta(days=366) // step))
    return all(clock(moment, one) == clock(moment, other) for moment in moments)


def _clock(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _clock_with_abbreviation(moment: datetime, zone: ZoneInfo) -> tuple[datetime, str | None]:
    return _clock(moment, zone), moment.astimezone(zone).tzname()


@cache
def _warn_once() -> None:
    _log.warning(
        "machine_zone_without_name", used="UTC", hint='set your time zone, such as timezone = "America/New_York"'
    )
