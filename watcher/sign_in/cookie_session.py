"""Cookies of a person's own browser as the content of a session file, which the portal's next read begins with."""

import json
from collections.abc import Collection, Iterable, Mapping
from http.cookiejar import CookieJar
from typing import Any

from watcher.portal import SessionFile
from watcher.sign_in.cookie_files import BadCookieFile, BrowserCookie, cookie_jar, read_cookies


def session_content(cookies: Iterable[BrowserCookie]) -> bytes:
    """`{"cookies": [...]}`, each cookie in the form that browsers' extensions write and `read_cookies` reads."""
    return json.dumps({"cookies": [_written(cookie) for cookie in cookies]}).encode()


def _written(cookie: BrowserCookie) -> dict[str, str | int | bool | None]:
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


def load_cookies(session: SessionFile, *, hosts: Collection[str], now: float) -> tuple[BrowserCookie, ...]:
    """The cookies of `hosts` that have not run out by `now` (Unix time); none where there is no session."""
    content = session.load()
    if content is None:
        return ()
    try:
        return read_cookies(content, hosts=hosts, now=now).cookies
    except BadCookieFile:
        return ()


def save_cookies(session: SessionFile, cookies: Iterable[Mapping[str, Any]]) -> None:
    """Keeps cookies in the form that browsers' tools write."""
    session.save(as_content(cookies))


def as_content(cookies: Iterable[Mapping[str, Any]]) -> bytes:
    """Cookies as the session file holds them."""
    return json.dumps({"cookies": [dict(cookie) for cookie in cookies]}).encode()


def jar_of(cookies: Iterable[BrowserCookie]) -> CookieJar:
    """The cookies for plain HTTP."""
    return cookie_jar(cookies)


def cookies_in(jar: CookieJar) -> list[dict[str, Any]]:
    """The cookies of a jar, as the portal has renewed them, in a fixed order."""
    return sorted(
        (
            {
                "name": cookie.name,
                "value": cookie.value or "",
                "domain": cookie.domain,
                "path": cookie.path,
                "expires": cookie.expires,
                "secure": cookie.secure,
                "httpOnly": cookie.has_nonstandard_attr("HttpOnly"),
            }
            for cookie in jar
        ),
        key=lambda cookie: (cookie["domain"], cookie["path"], cookie["name"]),
    )
