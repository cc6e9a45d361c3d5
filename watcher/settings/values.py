"""The types of single values in the configuration: how each is written, and what is wrong with others."""

import re
from datetime import time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, SecretStr

from watcher.clock.durations import parse_duration
from watcher.clock.quiet_hours import Digest, QuietHours, parse_day_time
from watcher.messages import _
from watcher.settings.addresses import own_address, page_address, proxy_address, web_address

MAX_PROCESSING_DAYS = 3660
"""No processing time is longer than ten years."""

_CASE_NUMBER = re.compile(r"\w[\w ./-]{0,63}")


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int) or (isinstance(value, int) and value != 0):
        raise ValueError(_('a duration is text: a whole number and a unit, such as "30m", "4h", or "90d"'))
    return parse_duration(str(value))


def _zone(value: object) -> ZoneInfo:
    if isinstance(value, ZoneInfo):
        return value
    if not isinstance(value, str):
        raise ValueError(_('a time zone is text, such as "America/New_York"'))
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(_("use a time zone such as America/New_York or Europe/Madrid")) from None


def _positive(span: timedelta) -> timedelta:
    if not span:
        raise ValueError(_("must be more than 0"))
    return span


def _quiet_hours(value: object) -> QuietHours | None:
    if value is None or isinstance(value, QuietHours):
        return value
    if not isinstance(value, str):
        raise ValueError(_('quiet hours are text, such as "22:00-07:00"; use "" for none'))
    return QuietHours.parse(value) if value.strip() else None


def _digest(value: object) -> Digest | None:
    if value is None or isinstance(value, Digest):
        return value
    if not isinstance(value, str):
        raise ValueError(_('a digest is text, such as "daily 08:00" or "weekly mon 08:00"; use "" for none'))
    return Digest.parse(value) if value.strip() else None


def _day_time(value: object) -> time | None:
    if value is None or isinstance(value, time):
        return value
    if not isinstance(value, str):
        raise ValueError(_('a time of the day is text, such as "18:00"'))
    return parse_day_time(value) if value.strip() else None


def _optional_duration(value: object) -> timedelta | None:
    return None if value is None or value == "" else _duration(value) or None


def _processing_time(value: object) -> timedelta:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_PROCESSING_DAYS:
        return timedelta(days=value)
    if isinstance(value, str | timedelta):
        return _positive(_duration(value))
    raise ValueError(_('a processing time is a number of days, such as 420, or a duration, such as "420d"'))


def _case_number(value: str) -> str:
    """Return the number as it is written. It is compared without spaces, dashes, and letter case."""
    number = value.strip()
    if not _CASE_NUMBER.fullmatch(number):
        raise ValueError(_('must be a case number, such as "IOE0000000001": at most 64 letters, digits, and dashes'))
    return number


def _person(value: str) -> str:
    name = " ".join(value.split())
    if not name or not name.isprintable():
        raise ValueError(
            _('must be the name of a person, such as "Maria Lopez", as in `watcher label CASE --person NAME`')
        )
    return name


def _secret_page_address(value: SecretStr) -> SecretStr:
    return SecretStr(page_address(value.get_secret_value()))


def _not_empty(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().strip():
        raise ValueError(_("is empty; give it a value"))
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
PositiveDuration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_positive)]
OptionalDuration = Annotated[timedelta | None, BeforeValidator(_optional_duration)]
ProcessingTime = Annotated[timedelta, BeforeValidator(_processing_time)]
QuietWindow = Annotated[QuietHours | None, BeforeValidator(_quiet_hours)]
DayTime = Annotated[time | None, BeforeValidator(_day_time)]
DigestPlan = Annotated[Digest | None, BeforeValidator(_digest)]
CaseNumber = Annotated[str, AfterValidator(_case_number)]
PersonName = Annotated[str, AfterValidator(_person)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
PageUrl = Annotated[str, AfterValidator(own_address)]
ProxyAddress = Annotated[str, AfterValidator(proxy_address)]
WebAddress = Annotated[str, AfterValidator(web_address)]
SecretText = Annotated[SecretStr, AfterValidator(_not_empty)]
SecretPageAddress = Annotated[SecretStr, AfterValidator(_secret_page_address)]
