"""Cookies as the content of a saved session, which the next check starts with.

`{"cookies": [{"name", "value", "domain", "hostOnly", "path", "expires", "secure", "httpOnly"}]}`: what Playwright and
browser extensions write and `read_cookies` reads.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from watcher.model.cookie import Cookie, CookieJar
from watcher.portal import SavedSession
from watcher.sign_in.cookie_files import read_cookies
from watcher.sign_in.cookie_formats import BadCookieFile


def dump_cookies(cookies: Iterable[Mapping[str, Any]]) -> bytes:
    """Return the content of a saved session with these cookies."""
    return json.dumps({"cookies": [dict(cookie) for cookie in cookies]}).encode()


def exported(cookie: Cookie) -> dict[str, str | int | bool | None]:
    """Return a cookie in the form of browser extensions."""
    return {
        "name": cookie.name,
        "value": cookie.value,
        "domain": cookie.domain if cookie.host_only else f".{cookie.domain}",
        "hostOnly": cookie.host_only,
        "path": cookie.path,
        "secure": cookie.secure,
        "httpOnly": cookie.http_only,
        "expires": cookie.expires,
    }


def load_cookies(session: SavedSession, *, hosts: Collection[str], now: float) -> tuple[Cookie, ...]:
    """Return the cookies of `hosts` that have not expired at `now` (Unix time); none without a session."""
    content = session.load()
    if content is None:
        return ()
    try:
        return read_cookies(content, hosts=hosts, now=now).cookies
    except BadCookieFile:
        return ()


def save_cookies(session: SavedSession, cookies: Iterable[Mapping[str, Any]]) -> None:
    """Save cookies as the session."""
    session.save(dump_cookies(cookies))


def cookies_in(jar: CookieJar) -> list[dict[str, Any]]:
    """Return the cookies of a jar, as renewed by the portal, in a fixed order."""
    return sorted(map(exported, jar), key=lambda cookie: (cookie["domain"], cookie["path"], cookie["name"]))
