"""Cookies of a person's own browser as the content of a session file, which the portal's next read begins with."""

import json
from collections.abc import Iterable

from watcher.sign_in.cookies import BrowserCookie


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
