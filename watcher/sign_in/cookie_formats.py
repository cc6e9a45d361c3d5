"""The forms in which browsers and their extensions export cookies. Pure.

- `cookies.txt` of Netscape: seven fields between tabs, as curl, wget, and many extensions write it.
- JSON: a list of cookies, alone or in `cookies`: EditThisCookie, Cookie-Editor, Playwright's storage state, Selenium.
- JSON of Cookie Quick Manager, whose fields have names of their own ("Host raw").
- A header string, `a=b; c=d`, alone or after `Cookie:` among a request's headers. It is for the account's own hosts.
- HAR, a browser's record of its network traffic (HTTP Archive 1.2): the cookies that were sent, the last ones count.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from watcher.messages import _, mark
from watcher.model.cookie import Cookie

_MAX_COOKIES: Final = 20_000
_LATEST: Final = 253402300799  # the end of the year 9999
_FIELDS: Final = 7
_HTTP_ONLY: Final = "#HttpOnly_"
_COOKIE_LINE: Final = re.compile(r"^cookie:[ \t]*(\S.*)$", re.IGNORECASE | re.MULTILINE)
_SPACES_FOR_TABS: Final = re.compile(r"\S+\s+(?:TRUE|FALSE)\s+/", re.IGNORECASE)
_OTHER_FORMS: Final = (
    (
        "SQLite format 3",
        mark("this is the browser's own database; export the cookies as cookies.txt or JSON with a browser extension"),
    ),
    ("cook", mark("this is Safari's own file; export the cookies as cookies.txt or JSON with a browser extension")),
    (
        "#LWP-Cookies",
        mark("this is the format of libwww-perl; export the cookies as cookies.txt or JSON with a browser extension"),
    ),
    ("curl ", mark("this is a curl command; export the cookies as cookies.txt or JSON with a browser extension")),
    ("<", mark("this is a web page; export the cookies as cookies.txt or JSON with a browser extension")),
)

_DOMAIN: Final = ("domain", "host", "Host raw")
_NAME: Final = ("name", "Name raw")
_VALUE: Final = ("value", "Content raw")
_PATH: Final = ("path", "Path raw")
_EXPIRES: Final = ("expirationDate", "expires", "expiry", "Expires raw")
_HOST_ONLY: Final = ("hostOnly", "This domain only raw")
_SECURE: Final = ("secure", "isSecure", "Send for raw")
_HTTP_ONLY_KEYS: Final = ("httpOnly", "httponly", "isHttpOnly", "HTTP only raw")


class BadCookieFile(ValueError):
    """A file, or an entry of it, that has none of the forms. The message names line or entry, never a value."""


Entry: TypeAlias = "tuple[str, Cookie] | BadCookieFile"
"""Where a cookie stands in the file, and the cookie, not checked; or what is wrong with this entry."""


def parse_export(text: str, hosts: Collection[str]) -> Iterator[Entry]:
    """Yield every cookie of an export, or what is wrong with that entry. `hosts` are the account's own.

    Raises `BadCookieFile` if the form is not known or there is no cookie at all.
    """
    for number, entry in enumerate(_entries(text, hosts)):
        if number == _MAX_COOKIES:
            raise BadCookieFile(_("the file has more than {limit} cookies", limit=_MAX_COOKIES))
        yield entry


def _entries(text: str, hosts: Collection[str]) -> Iterable[Entry]:
    if text.lstrip()[:1] in ("[", "{"):
        return _from_json(text)
    for beginning, form in _OTHER_FORMS:
        if text.startswith(beginning):
            raise BadCookieFile(_(form))
    if (header := _header_string(text)) is not None:
        return _from_header(header, hosts, _("the header"))
    return _from_netscape(text)


# --- text ---------------------------------------------------------------------------------------------------------


def _header_string(text: str) -> str | None:
    """Return the value of a `Cookie` header, if the text is one or holds one."""
    if (line := _COOKIE_LINE.search(text)) is not None:
        return line[1]
    lines = text.split("\n")
    if any(line.strip() for line in lines[1:]) or "=" not in text or "\t" in text or text.startswith("#"):
        return None
    return None if _SPACES_FOR_TABS.match(text) else lines[0]


def _from_header(header: str, hosts: Collection[str], location: str) -> Iterator[Entry]:
    for pair in header.split(";"):
        name, separator, value = (part.strip(" \t\r") for part in pair.partition("="))
        if not separator:
            name, value = "", name
        if name or value:
            yield from (
                (location, Cookie(name=name, value=value, domain=host, host_only=True)) for host in sorted(hosts)
            )


def _expiry(seconds: float | None) -> int | None:
    """Return None for a session cookie: exporters write 0, -1, or nothing."""
    if seconds is None or not seconds > 0:  # also false for NaN
        return None
    return int(min(seconds, _LATEST))


def _from_netscape(text: str) -> Iterator[Entry]:
    is_empty = True
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or (line.startswith("#") and not line.startswith(_HTTP_ONLY)):
            continue
        is_empty = False
        try:
            place = _("line {number}", number=number)
            yield place, _netscape_cookie(line.removesuffix("\r"), place)
        except BadCookieFile as fault:
            yield fault
    if is_empty:
        raise BadCookieFile(
            _("there are no cookies in the file; export them as cookies.txt or JSON with a browser extension")
        )


def _netscape_cookie(line: str, location: str) -> Cookie:
    fields = line.removeprefix(_HTTP_ONLY).split("\t", _FIELDS - 1)
    if len(fields) == _FIELDS - 1:  # an empty value whose tab an editor cut off
        fields.append("")
    if len(fields) != _FIELDS:
        raise BadCookieFile(
            _(
                "{place} has {found} fields separated by tabs, but a cookie in cookies.txt has {fields}",
                place=location,
                found=len(fields),
                fields=_FIELDS,
            )
        )
    domain, subdomains, path, secure, expires, name, value = fields
    for flag in (subdomains, secure):
        if flag.upper() not in ("TRUE", "FALSE"):
            raise BadCookieFile(
                _("{place}: the second and fourth field of a cookie must be TRUE or FALSE", place=location)
            )
    if not re.fullmatch(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?", expires):
        raise BadCookieFile(_("{place}: the fifth field of a cookie must be a time in seconds, or 0", place=location))
    return Cookie(
        name=name,
        value=value,
        domain=domain.lower().removeprefix("."),
        host_only=subdomains.upper() == "FALSE",
        path=path,
        secure=secure.upper() == "TRUE",
        http_only=line.startswith(_HTTP_ONLY),
        expires=_expiry(float(expires)),
    )


# --- JSON ---------------------------------------------------------------------------------------------------------


def _from_json(text: str) -> Iterator[Entry]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise BadCookieFile(_("the file starts like JSON but is not valid; it may be incomplete")) from None
    if isinstance(document, dict) and isinstance(document.get("log"), dict):
        yield from _from_archive(document["log"].get("entries"))
        return
    if isinstance(document, dict) and "cookies" not in document and _NAME[0] in document:
        document = [document]
    entries = document.get("cookies") if isinstance(document, dict) else document
    if not isinstance(entries, list) or not entries:
        raise BadCookieFile(_('the JSON is not a list of cookies and has none in "cookies"'))
    for number, entry in enumerate(entries, start=1):
        try:
            place = _("entry {number}", number=number)
            yield place, _json_cookie(entry, place)
        except BadCookieFile as fault:
            yield fault


def _json_cookie(entry: object, location: str) -> Cookie:
    if not isinstance(entry, dict):
        raise BadCookieFile(_("{place} is not a cookie", place=location))
    domain = _text(entry, _DOMAIN, location)
    if "://" in domain:
        domain = _host_of(domain)
    host_only = _first(entry, _HOST_ONLY)
    return Cookie(
        name=_text(entry, _NAME, location),
        value=_text(entry, _VALUE, location),
        domain=domain.lower().removeprefix("."),
        host_only=not domain.startswith(".") if host_only is None else _is_true(host_only),
        path=_text(entry, _PATH, location) if _first(entry, _PATH) is not None else "/",
        secure=_is_true(_first(entry, _SECURE)),
        http_only=_is_true(_first(entry, _HTTP_ONLY_KEYS)),
        expires=None if _is_true(entry.get("session")) else _expiry(_seconds(entry, location)),
    )


def _first(entry: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((entry[key] for key in keys if entry.get(key) is not None), None)


def _text(entry: Mapping[str, Any], keys: tuple[str, ...], location: str) -> str:
    value = _first(entry, keys)
    if not isinstance(value, str):
        raise BadCookieFile(_('{place} has no text in "{key}"', place=location, key=keys[0]))
    return value


def _is_true(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _seconds(entry: Mapping[str, Any], location: str) -> float | None:
    """Return Unix time in seconds, given as a number, its digits, or ISO 8601."""
    value = _first(entry, _EXPIRES)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    if isinstance(value, str) and len(value) <= 40:  # noqa: PLR2004 - longer than any time
        for parse in (float, lambda text: datetime.fromisoformat(text).timestamp()):
            try:
                return parse(value)
            except (ValueError, OverflowError):
                continue
    raise BadCookieFile(_('{place}: "expirationDate" or "expires" must be a time in seconds', place=location))


# --- HTTP archives ------------------------------------------------------------------------------------------------


def _from_archive(entries: object) -> Iterator[Entry]:
    is_empty = True
    for number, entry in enumerate(entries if isinstance(entries, list) else (), start=1):
        request = entry.get("request") if isinstance(entry, dict) else None
        if not isinstance(request, dict):
            continue
        host = _host_of(str(request.get("url")))
        for header in _sent_cookies(request):
            is_empty = False
            yield from _from_header(header, (host,), _("entry {number}", number=number))
    if is_empty:
        raise BadCookieFile(
            _(
                "this HAR file has no cookies; export it again with sensitive data, or export the cookies as "
                "cookies.txt or JSON"
            )
        )


def _sent_cookies(request: Mapping[str, Any]) -> Iterator[str]:
    """Yield the cookies of a request as header strings: those of the header, else of the list that HAR makes of it."""
    headers = [
        header["value"]
        for header in _dictionaries(request.get("headers"))
        if str(header.get("name")).lower() == "cookie" and isinstance(header.get("value"), str)
    ]
    listed = _dictionaries(request.get("cookies"))
    yield from headers or (f"{cookie.get('name')}={cookie.get('value')}" for cookie in listed)


def _dictionaries(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
