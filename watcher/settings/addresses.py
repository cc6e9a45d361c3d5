"""Web addresses that a person may write into the configuration."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine: `localhost`, 127.0.0.0/8 or ::1. False for what is no URL."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def web_address(value: str) -> str:
    """The address without a trailing slash; an empty one stands for the portal's own.

    Raises ValueError for anything but https, or http on loopback: a credential never crosses a network in the clear.
    """
    if not value:
        return value
    try:
        parts = urlsplit(value)
        whole = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        whole = False
    if not whole or (parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(value))):
        raise ValueError('write an address such as "https://portal.example.org"; http is for this machine only')
    if parts.username or parts.query or parts.fragment:
        raise ValueError("an address here has no user name, no query and no fragment")
    return value.rstrip("/")


def listening_address(value: str) -> str:
    """A host and a port to listen on, "127.0.0.1:8787" or "[::1]:8787"; empty: do not listen. Raises ValueError."""
    if not value:
        return value
    try:
        parts = urlsplit(f"//{value}")
        whole = bool(parts.hostname) and parts.port is not None and parts.netloc == value
    except ValueError:
        whole = False
    if not whole:
        raise ValueError('write a host and a port, such as "127.0.0.1:8787"')
    return value


def page_address(value: str) -> str:
    """The address of a page, as it is. Raises ValueError for anything but http and https."""
    try:
        parts = urlsplit(value)
        whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        whole = False
    if not whole or re.search(r"[^!-~]", value):
        raise ValueError('write the address of a page, such as "https://hc.example.org/ping/your-uuid"')
    return value
