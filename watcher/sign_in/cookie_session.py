"""Cookies as the content of a saved session, which the next check starts with.

`{"cookies": [{"name", "value", "domain", "hostOnly", "path", "expires", "secure", "httpOnly"}]}`: what Playwright and
browser extensions write and `read_cookies` reads. Beside them, `began_at` is when somebody signed in.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from watcher.clock.timestamps import parse_utc, utc_text
from watcher.model.cookie import Cookie, CookieJar
from watcher.model.session_life import SessionLife
from watcher.portal import SavedSession
from watcher.sign_in.cookie_files import read_cookies
from watcher.sign_in.cookie_formats import BadCookieFile
from watcher.text.json import load_or_none


def dump_cookies(cookies: Iterable[Mapping[str, Any]], *, began_at: datetime | None = None) -> bytes:
    """Return the content of a saved session with these cookies. `began_at` is when somebody signed in, if known."""
    began = {} if began_at is None else {"began_at": utc_text(began_at)}
    return json.dumps({"cookies": [dict(cookie) for cookie in cookies], **began}).encode()


def session_began_at(session: SavedSession) -> datetime | None:
    """Return when somebody signed in, at the latest; None if that is not known."""
    try:
        return parse_utc(str(load_or_none(session.load())["began_at"]))
    except (KeyError, TypeError, ValueError):
        return None


def session_end(
    session: SavedSession, *, hosts: Collection[str], life: SessionLife, used_at: datetime | None
) -> datetime | None:
    """Return when the session ends at the latest; None if that is not known. `used_at` is its last use.

    It has ended when its last cookie expires, and when the portal's limits are reached.
    """
    cookies, began_at = load_cookies(session, hosts=hosts, now=0), session_began_at(session)
    if not cookies:
        return None
    expiries = [cookie.expires for cookie in cookies]
    ends = [datetime.fromtimestamp(max(filter(None, expiries)), UTC)] if all(expiries) else []
    ends += [began_at + life.absolute] if began_at and life.absolute else []
    used = max(filter(None, (began_at, used_at)), default=None)
    ends += [used + life.idle] if used and life.idle else []
    return min(ends, default=None)


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


def save_cookies(session: SavedSession, cookies: Iterable[Mapping[str, Any]], *, began_at: datetime) -> None:
    """Save cookies as the session of a sign-in."""
    session.save(dump_cookies(cookies, began_at=began_at))


def cookies_in(jar: CookieJar) -> list[dict[str, Any]]:
    """Return the cookies of a jar, as renewed by the portal, in a fixed order."""
    return sorted(map(exported, jar), key=lambda cookie: (cookie["domain"], cookie["path"], cookie["name"]))
