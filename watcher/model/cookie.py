"""Cookies, and a jar that keeps and sends them as browsers do (draft-ietf-httpbis-rfc6265bis).

Names and values are the bytes that the portal sent, decoded as UTF-8 with `surrogateescape`, so that they are sent back
byte for byte whatever they are.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

_MAX_PER_DOMAIN: Final = 180
"""How many cookies Chromium keeps for one domain; the oldest ones are dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """One cookie. Its `repr` does not show the value. `expires` is Unix time in seconds; None for a session cookie.

    `domain` is in lower case, without a leading dot. A cookie without a name has `name` "".
    """

    name: str
    value: str = field(repr=False)
    domain: str
    host_only: bool
    path: str = "/"
    secure: bool = False
    http_only: bool = False
    expires: int | None = None

    def is_for(self, host: str, path: str = "") -> bool:
        """Return whether a request to this host and path sends the cookie; every path if it is empty."""
        if not (domain_matches(host, self.domain) if not self.host_only else host == self.domain):
            return False
        return not path or path == self.path or path.startswith(self.path.removesuffix("/") + "/")


def domain_matches(host: str, domain: str) -> bool:
    """Return whether a cookie of `domain` belongs to `host` (section 5.1.3). A top-level domain covers only itself."""
    return host == domain or ("." in domain and host.endswith(f".{domain}") and not _is_address(host))


class CookieJar:
    """The cookies of one session, oldest first. Threads may share it."""

    def __init__(self, cookies: tuple[Cookie, ...] = ()) -> None:
        self._cookies: dict[tuple[str, str, bool, str], Cookie] = {}
        self._lock = Lock()
        for cookie in cookies:
            self.put(cookie)

    def __iter__(self) -> Iterator[Cookie]:
        with self._lock:
            return iter(tuple(self._cookies.values()))

    def __len__(self) -> int:
        return len(self._cookies)

    def put(self, cookie: Cookie) -> None:
        """Keep a cookie instead of the earlier one with the same name, domain, and path."""
        with self._lock:
            self._cookies[_key(cookie)] = cookie
            same = [key for key, other in self._cookies.items() if other.domain == cookie.domain]
            for key in same[:-_MAX_PER_DOMAIN]:
                del self._cookies[key]

    def remove(self, cookie: Cookie) -> None:
        """Forget the cookie with the same name, domain, and path, if there is one."""
        with self._lock:
            self._cookies.pop(_key(cookie), None)

    def clear(self) -> None:
        """Forget every cookie."""
        with self._lock:
            self._cookies.clear()

    def header(self, host: str, path: str, now: float) -> bytes | None:
        """Return the value of the header `Cookie` (section 5.8.3) at `now`, Unix time; None if nothing is to be sent.

        Cookies with longer paths come first, then older ones. `Secure` is not looked at: nothing is ever sent without
        TLS except to this machine, which browsers treat as secure too.
        """
        sent = [cookie for cookie in self if cookie.is_for(host, path) and not _has_expired(cookie, now)]
        sent.sort(key=lambda cookie: -len(cookie.path))
        pairs = (f"{cookie.name}={cookie.value}" if cookie.name else cookie.value for cookie in sent)
        return "; ".join(pairs).encode("utf-8", "surrogateescape") or None


def _key(cookie: Cookie) -> tuple[str, str, bool, str]:
    return cookie.name, cookie.domain, cookie.host_only, cookie.path


def _has_expired(cookie: Cookie, now: float) -> bool:
    return cookie.expires is not None and cookie.expires <= now


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
