"""What a recipe's account keeps from one read to the next: cookies, taken values, and what the last good read found.

The content is JSON: `cookies` as browsers' extensions write them, so that a session taken over from a browser is one
too, `taken`, `found`, and `owner`, which ties all of it to one user name at one address.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from http.cookiejar import Cookie, CookieJar

from watcher.model.change import Json
from watcher.recipe.run.last_found import FoundFields
from watcher.sign_in.cookie_files import BadCookieFile, cookie_jar, read_cookies
from watcher.text.json import load_or_none


@dataclass(slots=True, kw_only=True)
class Session:
    """The state of one account, as the portal moves it along. `taken` may hold tokens."""

    owner: str
    cookies: CookieJar = field(default_factory=CookieJar, repr=False)
    taken: dict[str, str] = field(default_factory=dict, repr=False)
    last_found: dict[str, FoundFields] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it that a portal could know us by."""
        return not self.taken and not list(self.cookies)

    def clear(self) -> None:
        """Forgets what the portal gave, and keeps what was found."""
        self.cookies.clear()
        self.taken.clear()

    def dump(self) -> bytes:
        """As it is saved; the same for the same content."""
        cookies = sorted((_written(cookie) for cookie in self.cookies), key=str)
        found = {number: [one.status, *sorted(one.fields)] for number, one in sorted(self.last_found.items())}
        content = {"owner": self.owner, "cookies": cookies, "taken": self.taken, "found": found}
        return json.dumps(content, sort_keys=True).encode()


def owner_of(base_url: str, username: str) -> str:
    """What ties a session to a user name at an address, without showing either."""
    return hashlib.sha256(f"{base_url}\n{username}".encode()).hexdigest()


def load_session(content: bytes | None, *, owner: str, hosts: Collection[str], now: datetime) -> Session:
    """The session in a saved content; an empty one for no content, a damaged one, or that of another owner."""
    session = Session(owner=owner)
    read = load_or_none(content)
    if not isinstance(read, dict) or read.get("owner", owner) != owner:
        return session
    for cookie in _list(read.get("cookies")):
        try:
            taken_over = read_cookies(json.dumps([cookie]).encode(), hosts=hosts, now=now.timestamp())
        except BadCookieFile:
            continue  # one that no browser would send; without it the portal will say that the session has ended
        for one in cookie_jar(taken_over.cookies):
            session.cookies.set_cookie(one)
    session.taken.update((name, value) for name, value in _dict(read.get("taken")).items() if isinstance(value, str))
    for number, entry in _dict(read.get("found")).items():
        words = [word for word in _list(entry) if isinstance(word, str)]
        if words:
            session.last_found[number] = FoundFields(status=words[0], fields=frozenset(words[1:]))
    return session


def _written(cookie: Cookie) -> dict[str, Json]:
    return {
        "name": cookie.name,
        "value": cookie.value or "",
        "domain": cookie.domain,
        "hostOnly": not cookie.domain_specified,
        "path": cookie.path,
        "secure": bool(cookie.secure),
        "httpOnly": cookie.has_nonstandard_attr("HttpOnly"),
        "expires": cookie.expires,
    }


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
