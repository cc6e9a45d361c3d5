"""Whole addresses out of what a recipe and a page say. Whether a host may be spoken to is decided at the door."""

import re
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from watcher.errors import UnexpectedAnswer

_LONGEST: Final = 8000
_SAFE: Final = "!#$%&'()*+,/:;=?@[]~"
_AUTHORITY: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?")


def whole_address(address: str, *, base_url: str, replaces: str) -> str:
    """`address` as it is sent: a path belongs to `base_url`, which also takes the place of `replaces`.

    Raises `UnexpectedAnswer` for what is no web address; it may have come from a page.
    """
    if address == replaces or address.startswith((f"{replaces}/", f"{replaces}?")):
        address = base_url + address.removeprefix(replaces)
    elif address.startswith("/"):
        address = base_url + address
    return address_from(f"{base_url}/", address)


def address_from(page: str, address: str) -> str:
    """Where an address leads from a page. Raises `UnexpectedAnswer` for what is no web address."""
    try:
        whole = urljoin(page, quote(address, safe=_SAFE))
        parts = urlsplit(whole)
    except ValueError:
        raise UnexpectedAnswer("an address that a page gave is none") from None
    if parts.scheme not in {"http", "https"} or not _AUTHORITY.fullmatch(parts.netloc) or len(whole) > _LONGEST:
        raise UnexpectedAnswer("an address that a page gave is none that can be fetched")
    return parts._replace(fragment="").geturl()
