"""Cookie files exported from a person's own browser (`watcher login ACCOUNT --cookies FILE`), and saved sessions. Pure.

See `watcher.sign_in.cookie_formats` for the forms. Only the cookies of the portal's own hosts are kept. A cookie that
cannot be used is left out, never the others.
"""

import codecs
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from watcher.messages import _, mark
from watcher.model.cookie import Cookie, CookieJar
from watcher.sign_in.cookie_formats import BadCookieFile, parse_export

_MAX_PAIR: Final = 16 * 1024
"""The longest name and value together, in bytes. Browsers keep 4096."""

_MAX_PATH: Final = 8192
_BAD_VALUE: Final = mark("{place}: the value of the cookie is not valid")
_BLANK: Final = " \t"
_UNSENDABLE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f;]")


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieFileContent:
    """The cookies of the portal's hosts in a file, and how many were of other hosts or had expired.

    `faults` says of each entry that was left out what is wrong with it, and never a value.
    """

    cookies: tuple[Cookie, ...]
    foreign: int = 0
    expired: int = 0
    faults: tuple[str, ...] = ()


def read_cookies(content: bytes, *, hosts: Collection[str], now: float) -> CookieFileContent:
    """Return the cookies that a request to one of `hosts` would send. `now` is Unix time in seconds.

    Raises `BadCookieFile` if the file has no known form, or if a fault leaves none of the portal's own cookies.
    """
    jar, foreign, faults = CookieJar(), 0, list[str]()
    own_hosts = {host.lower() for host in hosts}
    for entry in parse_export(_decoded(content), own_hosts):
        if isinstance(entry, BadCookieFile):
            faults.append(str(entry))
            continue
        location, given = entry
        cookie = replace(given, name=given.name.strip(_BLANK), value=given.value.strip(_BLANK))
        if not any(cookie.is_for(host) for host in own_hosts):
            foreign += 1
        elif (fault := _sending_fault(cookie)) is not None:
            faults.append(_(fault, place=location))
        else:
            jar.put(cookie)
    if faults and not len(jar):
        raise BadCookieFile(faults[0])
    valid = tuple(cookie for cookie in jar if cookie.expires is None or cookie.expires > now)
    return CookieFileContent(cookies=valid, foreign=foreign, expired=len(jar) - len(valid), faults=tuple(faults))


def _decoded(content: bytes) -> str:
    """Return a file as text. Bytes that are not UTF-8 are kept as they are: some portal may have set them."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError:
            raise BadCookieFile(_("the file is not text; export the cookies as cookies.txt or JSON")) from None
    return content.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")


def _sending_fault(cookie: Cookie) -> str | None:
    """Return the fault of a cookie that no browser would send, with a field {place}; None if it is fine."""
    if not cookie.path.startswith("/") or len(cookie.path) > _MAX_PATH or _UNSENDABLE.search(cookie.path):
        return mark("{place}: the path of the cookie is not valid")
    if "=" in cookie.name or _UNSENDABLE.search(cookie.name):
        return mark("{place}: the name of the cookie is not valid")
    if _UNSENDABLE.search(cookie.value):
        return _BAD_VALUE
    try:
        pair = (cookie.name + cookie.value).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return _BAD_VALUE
    return None if pair and len(pair) <= _MAX_PAIR else _BAD_VALUE
