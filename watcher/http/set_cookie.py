"""The header `Set-Cookie`, read as browsers do (draft-ietf-httpbis-rfc6265bis, section 5.6 and 5.7). Pure.

Almost anything is a cookie: odd names and values, bytes in any encoding, no name at all. What browsers do not keep is
ignored: control characters, more than 4096 bytes, another site's domain.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from watcher.model.cookie import Cookie, CookieJar, domain_matches

_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_MAX_PAIR, _MAX_ATTRIBUTE = 4096, 1024  # bytes
_MAX_AGE: Final = 400 * 86_400  # seconds
_MIN_CLOCK_ERROR: Final = 60.0  # seconds
_BLANK: Final = b" \t"

_SEPARATORS: Final = re.compile(rb"[\t -/;-@[-`{-~]+")
_TIME: Final = re.compile(rb"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\D.*)?", re.DOTALL)
_DAY: Final = re.compile(rb"(\d{1,2})(?:\D.*)?", re.DOTALL)
_YEAR: Final = re.compile(rb"(\d{2,4})(?:\D.*)?", re.DOTALL)
_MONTHS: Final = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")
_CENTURY_TURN: Final = 70


def store_cookies(jar: CookieJar, headers: Iterable[tuple[bytes, bytes]], *, host: str, path: str, now: float) -> None:
    """Change a jar by a response's headers. `host` and `path` are those of the request, `now` is Unix time.

    Expiry dates are read by the portal's clock, where its `Date` differs from ours by more than a minute.
    """
    lines, date = [], None
    for name, value in headers:
        if name.lower() == b"set-cookie":
            lines.append(value)
        elif name.lower() == b"date":
            date = parse_cookie_date(value)
    error = now - date if date is not None and abs(now - date) > _MIN_CLOCK_ERROR else 0.0
    for line in lines:
        cookie = parse_set_cookie(line, host=host, path=path, now=now, clock_error=error)
        if cookie is None:
            continue
        if cookie.expires is not None and cookie.expires <= now:
            jar.remove(cookie)
        else:
            jar.put(cookie)


def parse_set_cookie(line: bytes, *, host: str, path: str, now: float, clock_error: float = 0.0) -> Cookie | None:
    """Return the cookie of one header; None if browsers ignore it. A cookie to be deleted has expired.

    `clock_error` is how many seconds our clock is ahead of the portal's.
    """
    pair, *rest = line.split(b";")
    name, value = _pair(pair)
    if _CONTROL.search(line) or not name + value or len(name + value) > _MAX_PAIR:
        return None
    attributes = dict(_attribute(text) for text in rest)
    domain = _text(attributes.get(b"domain", b"")).lower().removeprefix(".")
    if domain and not domain_matches(host, domain):
        return None
    given_path = _text(attributes.get(b"path", b""))
    cookie = Cookie(
        name=_text(name),
        value=_text(value),
        domain=domain or host,
        host_only=not domain or "." not in domain,
        path=given_path if given_path.startswith("/") else _default_path(path),
        secure=b"secure" in attributes,
        http_only=b"httponly" in attributes,
        expires=_expiry(attributes, now, clock_error),
    )
    return cookie if _keeps_promise(cookie) else None


def _pair(text: bytes) -> tuple[bytes, bytes]:
    name, separator, value = text.partition(b"=")
    return (name.strip(_BLANK), value.strip(_BLANK)) if separator else (b"", text.strip(_BLANK))


def _attribute(text: bytes) -> tuple[bytes, bytes]:
    """Return name, in lower case, and value. An attribute that is too long counts as one of no known name."""
    name, _, value = text.partition(b"=")
    value = value.strip(_BLANK)
    return (name.strip(_BLANK).lower(), value) if len(value) <= _MAX_ATTRIBUTE else (b"", b"")


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _default_path(path: str) -> str:
    """Return the folder of the request's path (section 5.1.4)."""
    return path[: path.rfind("/")] or "/"


def _keeps_promise(cookie: Cookie) -> bool:
    """Return whether a cookie is what the prefix of its name promises (section 4.1.3)."""
    name = (cookie.name or cookie.value).lower()
    if not name.startswith(("__secure-", "__host-")):
        return True
    if not cookie.name or not cookie.secure:
        return False
    return name.startswith("__secure-") or (cookie.host_only and cookie.path == "/")


def _expiry(attributes: dict[bytes, bytes], now: float, clock_error: float) -> int | None:
    """Return when a cookie expires: `Max-Age` counts before `Expires`, and neither for longer than 400 days."""
    age = attributes.get(b"max-age", b"")
    if re.fullmatch(rb"-?\d+", age):
        seconds = int(age[:12])
        return int(now) + min(seconds, _MAX_AGE) if seconds > 0 else 0
    moment = parse_cookie_date(attributes.get(b"expires", b""))
    return None if moment is None else int(min(moment + clock_error, now + _MAX_AGE))


def parse_cookie_date(text: bytes) -> int | None:
    """Return the Unix time of a date in any form that browsers understand (section 5.1.1); None if it is none."""
    time = day = month = year = None
    for token in _SEPARATORS.split(text):
        if time is None and (match := _TIME.fullmatch(token)):
            time = [int(part) for part in match.groups()]
        elif day is None and (match := _DAY.fullmatch(token)):
            day = int(match[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year is None and (match := _YEAR.fullmatch(token)):
            year = int(match[1])
    if time is None or day is None or month is None or year is None:
        return None
    hour, minute, second = time
    try:
        return int(datetime(_full_year(year), month, day, hour, minute, second, tzinfo=UTC).timestamp())
    except ValueError:
        return None


def _full_year(year: int) -> int:
    if year >= 100:  # noqa: PLR2004 - more than two digits
        return year
    return year + (1900 if year >= _CENTURY_TURN else 2000)
