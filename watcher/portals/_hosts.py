"""Where a credential may go: which addresses are well formed, and which hosts are this machine itself.

Free of any HTTP library, so that settings can be checked without loading one.
"""

import ipaddress
import re
from urllib.parse import urlsplit

_ADDRESS = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~%/+-]*)?")
_HIGHEST_PORT = 65535


def is_loopback(host: str) -> bool:
    """Whether this host name or address is the machine itself: `localhost`, 127.0.0.0/8 or ::1."""
    bare = host.strip("[]").lower()
    if bare == "localhost":
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """The host of an address that `check_base_url` found no fault with, in lower case, without port or brackets."""
    return (urlsplit(url).hostname or "").lower()


def check_base_url(url: str) -> str | None:
    """What is wrong with an address to send credentials to, or None where nothing is.

    It must be `https`, or `http` on a loopback host; without user name, query or fragment.
    """
    if not _ADDRESS.fullmatch(url):
        return 'an address such as "https://host.example" is wanted, without user name, query or fragment'
    parts = urlsplit(url)
    try:
        in_range = parts.port is None or 0 < parts.port <= _HIGHEST_PORT
    except ValueError:
        in_range = False
    if not in_range:
        return f"the port must lie between 1 and {_HIGHEST_PORT}"
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        return "must begin with https:// (http:// is for a test server on this machine only)"
    return None
