"""The session of a recipe's account between checks: cookies, values from `take`, and the fields found last.

The saved session is JSON: `cookies` in the format of browser extensions, so that cookies imported from a browser are a
valid session, `taken`, `found`, and `owner`, which binds all of it to one user name at one address.
"""

import hashlib
import json
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from watcher.model.cookie import CookieJar
from watcher.recipe.run.last_found import FoundFields
from watcher.sign_in.cookie_files import read_cookies
from watcher.sign_in.cookie_formats import BadCookieFile
from watcher.sign_in.cookie_session import cookies_in
from watcher.text.json import load_or_none


@dataclass(slots=True, kw_only=True)
class Session:
    """The state of one account, updated by the portal's answers. `taken` may contain tokens."""

    owner: str
    cookies: CookieJar = field(default_factory=CookieJar, repr=False)
    taken: dict[str, str] = field(default_factory=dict, repr=False)
    last_found: dict[str, FoundFields] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether it contains nothing by which a portal could recognize the session."""
        return not self.taken and not len(self.cookies)

    def clear(self) -> None:
        """Delete cookies and taken values, but not the fields found last."""
        self.cookies.clear()
        self.taken.clear()

    def dump(self) -> bytes:
        """Return the content of the saved session; equal sessions have equal content."""
        found = {number: [case.status, *sorted(case.fields)] for number, case in sorted(self.last_found.items())}
        content = {"owner": self.owner, "cookies": cookies_in(self.cookies), "taken": self.taken, "found": found}
        return json.dumps(content, sort_keys=True).encode()


def owner_of(base_url: str, username: str, *others: str) -> str:
    """Return what binds a session to a user name at an address, without revealing either.

    `others` are further values that the sign-in sends.
    """
    return hashlib.sha256("\n".join((base_url, username, *others)).encode()).hexdigest()


def load_session(content: bytes | None, *, owner: str, hosts: Collection[str], now: datetime) -> Session:
    """Return the saved session; an empty one if there is no content, it is damaged, or it has another owner."""
    session = Session(owner=owner)
    document = load_or_none(content)
    if not isinstance(document, dict) or document.get("owner", owner) != owner:
        return session
    with suppress(BadCookieFile):  # without cookies the portal will report that the session has ended
        saved = json.dumps(_list(document.get("cookies"))).encode()
        session.cookies = CookieJar(read_cookies(saved, hosts=hosts, now=now.timestamp()).cookies)
    session.taken.update(
        (name, value) for name, value in _dict(document.get("taken")).items() if isinstance(value, str)
    )
    for number, entry in _dict(document.get("found")).items():
        texts = [text for text in _list(entry) if isinstance(text, str)]
        if texts:
            session.last_found[number] = FoundFields(status=texts[0], fields=frozenset(texts[1:]))
    return session


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
