"""Absolute addresses from those in a recipe and on a page. The HTTP client decides whether a host is allowed."""

import re
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from watcher.errors import UnexpectedAnswer
from watcher.messages import _

_MAX_LENGTH: Final = 8000
_SAFE: Final = "!#$%&'()*+,/:;=?@[]~"
_AUTHORITY: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?")


def absolute_address(address: str, *, base_url: str, replaces: str) -> str:
    """Return the absolute address: a path is below `base_url`, which also replaces the prefix `replaces`.

    Raises `UnexpectedAnswer` if `address`, which may be from a page, is not a web address.
    """
    if address == replaces or address.startswith((f"{replaces}/", f"{replaces}?")):
        address = base_url + address.removeprefix(replaces)
    elif address.startswith("/"):
        address = base_url + address
    return resolve_address(f"{base_url}/", address)


def resolve_address(page_url: str, address: str) -> str:
    """Resolve an address against that of a page. Raises `UnexpectedAnswer` if it is not a web address."""
    try:
        absolute = urljoin(page_url, quote(address, safe=_SAFE))
        parts = urlsplit(absolute)
    except ValueError:
        raise UnexpectedAnswer(_("the page contains an invalid address")) from None
    if parts.scheme not in {"http", "https"} or not _AUTHORITY.fullmatch(parts.netloc) or len(absolute) > _MAX_LENGTH:
        raise UnexpectedAnswer(_("the page contains an address that cannot be requested"))
    return parts._replace(fragment="").geturl()
