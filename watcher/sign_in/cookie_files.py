"""Cookie files exported from a person's own browser (`watcher login ACCOUNT --cookies FILE`).

Two formats are supported: Netscape's `cookies.txt` (seven fields separated by tabs, as curl and browser extensions
write it), and the JSON of browser extensions and of Playwright's storage state (an array of cookies, or an object with
such an array in `cookies`). Only the cookies of the portal's own hosts are kept; others are counted and dropped.
"""

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from http.cookiejar import Cookie, CookieJar
from typing import Any, Final

_MAX_COOKIES: Final = 20_000
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_VALUE: Final = re.compile(r"[\x20-\x3a\x3c-\x7e]{0,8192}")
_PATH: Final = re.compile(r"/[\x21-\x3a\x3c-\x7e]{0,1024}")
_LATEST: Final = 253402300799  # the end of the year 9999
_FIELDS: Final = 7
_HTTP_ONLY: Final = "#HttpOnly_"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserCookie:
    """One cookie. Its `repr` does not show the value. `expires` is Unix time in seconds; None for a session cookie."""

    name: str
    value: str = field(repr=False)
    domain: str
    host_only: bool
    path: str = "/"
    secure: bool = False
    http_only: bool = False
    expires: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieFileContent:
    """The cookies of the portal's hosts in a file, and how many were of other hosts or had expired."""

    cookies: tuple[BrowserCookie, ...]
    foreign: int = 0
    expired: int = 0


class BadCookieFile(ValueError):
    """The file has none of the supported formats. The message names the line or entry, never a value."""


def read_cookies(content: bytes, *, hosts: Collection[str], now: float) -> CookieFileContent:
    """Return the cookies that a request to one of `hosts` would send. `now` is Unix time in seconds.

    Raises `BadCookieFile` if the file cannot be parsed, or if one of the portal's own cookies is invalid.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadCookieFile("the file is not text (UTF-8); export the cookies as JSON or as cookies.txt") from None
    entries = list(_from_json(text) if text.lstrip()[:1] in ("[", "{") else _from_netscape(text))
    own = [_checked(raw) for raw in entries if any(_matches(raw, host.lower()) for host in hosts)]
    valid = [cookie for cookie in own if cookie.expires is None or cookie.expires > now]
    return CookieFileContent(cookies=tuple(valid), foreign=len(entries) - len(own), expired=len(own) - len(valid))


def cookie_jar(cookies: Iterable[BrowserCookie]) -> CookieJar:
    """Return a jar of the standard library with these cookies, for an HTTP client."""
    jar = CookieJar()
    for cookie in cookies:
        jar.set_cookie(_standard(cookie))
    return jar


@dataclass(frozen=True, slots=True, kw_only=True)
class _Raw:
    """A cookie as given in the file. `location` is its line or entry; `domain` is in lower case, without a dot."""

    location: str
    name: str
    value: str = field(repr=False)
    domain: str
    host_only: bool
    path: str
    secure: bool
    http_only: bool
    expires: float | None


def _matches(raw: _Raw, host: str) -> bool:
    """Domain matching of RFC 6265, section 5.1.3. A cookie for a top-level domain (`.gov`) matches no host."""
    if raw.domain == host:
        return True
    return not raw.host_only and "." in raw.domain and host.endswith(f".{raw.domain}")


def _standard(cookie: BrowserCookie) -> Cookie:
    return Cookie(
        version=0,
        name=cookie.name,
        value=cookie.value,
        port=None,
        port_specified=False,
        domain=cookie.domain if cookie.host_only else f".{cookie.domain}",
        domain_specified=not cookie.host_only,
        domain_initial_dot=not cookie.host_only,
        path=cookie.path,
        path_specified=True,
        secure=cookie.secure,
        expires=cookie.expires,
        discard=cookie.expires is None,
        comment=None,
        comment_url=None,
        rest={"HttpOnly": ""} if cookie.http_only else {},
    )


def _from_netscape(text: str) -> Iterable[_Raw]:
    count = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or (line.startswith("#") and not line.startswith(_HTTP_ONLY)):
            continue
        count += 1
        _check_count(count)
        yield _netscape_cookie(line.removesuffix("\r"), f"line {number}")
    if not count:
        raise BadCookieFile("there is no cookie in the file; wanted is cookies.txt or JSON from a browser extension")


def _netscape_cookie(line: str, location: str) -> _Raw:
    fields = line.removeprefix(_HTTP_ONLY).split("\t")
    if len(fields) == _FIELDS - 1:  # an empty value whose tab an editor cut off
        fields.append("")
    if len(fields) != _FIELDS:
        raise BadCookieFile(f"{location} has {len(fields)} fields between tabs, a cookie in cookies.txt has {_FIELDS}")
    domain, subdomains, path, secure, expires, name, value = fields
    for flag in (subdomains, secure):
        if flag.upper() not in ("TRUE", "FALSE"):
            raise BadCookieFile(f"{location}: the second and fourth field of a cookie must be TRUE or FALSE")
    if not re.fullmatch(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?", expires):
        raise BadCookieFile(f"{location}: the fifth field of a cookie must be a time in seconds, or 0")
    return _Raw(
        location=location,
        name=name,
        value=value,
        domain=domain.lower().removeprefix("."),
        host_only=subdomains.upper() == "FALSE",
        path=path,
        secure=secure.upper() == "TRUE",
        http_only=line.startswith(_HTTP_ONLY),
        expires=float(expires),
    )


def _from_json(text: str) -> Iterable[_Raw]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise BadCookieFile("the file begins like JSON and is not; was it cut off?") from None
    entries = document.get("cookies") if isinstance(document, dict) else document
    if not isinstance(entries, list) or not entries:
        raise BadCookieFile('the JSON holds no list of cookies, neither as a whole nor in "cookies"')
    _check_count(len(entries))
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            raise BadCookieFile(f"entry {number} is not a cookie")
        yield _json_cookie(entry, f"entry {number}")


def _json_cookie(entry: dict[str, Any], location: str) -> _Raw:
    domain = _text(entry, "domain", location)
    host_only = entry.get("hostOnly")
    return _Raw(
        location=location,
        name=_text(entry, "name", location),
        value=_text(entry, "value", location),
        domain=domain.lower().removeprefix("."),
        host_only=host_only if isinstance(host_only, bool) else not domain.startswith("."),
        path=_text(entry, "path", location) if "path" in entry else "/",
        secure=entry.get("secure") is True,
        http_only=entry.get("httpOnly") is True,
        expires=None if entry.get("session") is True else _seconds(entry, location),
    )


def _text(entry: dict[str, Any], key: str, location: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str):
        raise BadCookieFile(f'{location} has no "{key}" that is text')
    return value


def _seconds(entry: dict[str, Any], location: str) -> float | None:
    for key in ("expirationDate", "expires", "expiry"):
        value = entry.get(key)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadCookieFile(f'{location}: "{key}" must be a time in seconds')
        return value
    return None


def _checked(raw: _Raw) -> BrowserCookie:
    for part, match in (
        ("name", _TOKEN.fullmatch(raw.name)),
        ("value", _VALUE.fullmatch(raw.value)),
        ("path", _PATH.fullmatch(raw.path)),
    ):
        if not match:
            raise BadCookieFile(f"{raw.location}: the {part} of the cookie is not one that a browser would send")
    return BrowserCookie(
        name=raw.name,
        value=raw.value,
        domain=raw.domain,
        host_only=raw.host_only,
        path=raw.path,
        secure=raw.secure,
        http_only=raw.http_only,
        expires=_expiry(raw.expires),
    )


def _expiry(seconds: float | None) -> int | None:
    """Return None for a session cookie: exporters write 0, -1, or nothing."""
    if seconds is None or not seconds > 0:  # also false for NaN
        return None
    return int(min(seconds, _LATEST))


def _check_count(count: int) -> None:
    if count > _MAX_COOKIES:
        raise BadCookieFile(f"the file holds more than {_MAX_COOKIES} cookies")
