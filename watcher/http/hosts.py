"""Where a credential may go: which addresses are well formed, and which hosts are this machine itself.

Free of any HTTP library, so that settings can be checked without loading one.
"""

from functools import lru_cache
from urllib.parse import urlsplit

from watcher.settings import addresses


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Whether this host name or address is the machine itself: `localhost`, 127.0.0.0/8 or ::1."""
    return addresses.is_loopback(f"//[{host}]" if ":" in host else f"//{host}")


def host_of(url: str) -> str:
    """The host of an address that `check_base_url` found no fault with, in lower case, without port or brackets."""
    return urlsplit(url).hostname or ""


def check_base_url(url: str) -> str | None:
    """What is wrong with an address to send credentials to, or None where nothing is.

    It must be `https`, or `http` on a loopback host; without user name, query or fragment.
    """
    try:
        addresses.web_address(url)
    except ValueError as error:
        return str(error)
    return None if url else "must not be empty"
