"""Checks of the addresses that credentials are sent to: well-formed URLs and loopback hosts.

Imports no HTTP library, so that settings can be checked without loading one.
"""

from functools import lru_cache
from urllib.parse import urlsplit

from watcher.messages import _
from watcher.settings.addresses import web_address
from watcher.text import loopback


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Return whether this host name or address is the machine itself: `localhost`, 127.0.0.0/8, or ::1."""
    return loopback.is_loopback(f"//[{host}]" if ":" in host else f"//{host}")


def host_of(url: str) -> str:
    """Return the host of a valid address (see `check_base_url`) in lower case, without port or brackets."""
    return urlsplit(url).hostname or ""


def host_and_port(url: str) -> tuple[str, int | None]:
    """Return host, in lower case, and port of a valid address; None for the default port."""
    parts = urlsplit(url)
    is_default = parts.port == {"https": 443, "http": 80}.get(parts.scheme)
    return parts.hostname or "", None if is_default else parts.port


def check_base_url(url: str) -> str | None:
    """Return what is wrong with an address that credentials are sent to, or None if it is valid.

    It must be `https`, or `http` on a loopback host, without user name, query, or fragment.
    """
    try:
        web_address(url)
    except ValueError as error:
        return str(error)
    return None if url else _("must not be empty")
