"""Validators of the addresses in the configuration."""

import re
from ipaddress import ip_network
from urllib.parse import urlsplit

from watcher.messages import _
from watcher.text.loopback import is_loopback


def web_address(value: str) -> str:
    """Return the address without a trailing slash. An empty one stands for the portal's default.

    Raises ValueError for anything but https, or http on loopback, so that no credential is sent unencrypted.
    """
    if not value:
        return value
    try:
        parts = urlsplit(value)
        is_valid = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_valid = False
    if not is_valid or (parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(value))):
        raise ValueError(
            _('use an address such as "https://portal.example.org"; http is allowed for this machine only')
        )
    if parts.username or parts.query or parts.fragment:
        raise ValueError(_("the address must not have a user name, a query, or a fragment"))
    return value.rstrip("/")


def listening_address(value: str) -> str:
    """Return a host and port, such as "127.0.0.1:8787" or "[::1]:8787", or an empty text. Raises ValueError."""
    if not value:
        return value
    try:
        parts = urlsplit(f"//{value}")
        is_valid = bool(parts.hostname) and parts.port is not None and parts.netloc == value
    except ValueError:
        is_valid = False
    if not is_valid:
        raise ValueError(_('use a host and a port, such as "127.0.0.1:8787"'))
    return value


def page_address(value: str) -> str:
    """Return the address of a page, unchanged. Raises ValueError for anything but http and https."""
    try:
        parts = urlsplit(value)
        is_valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_valid = False
    if not is_valid or re.search(r"[^!-~]", value):
        raise ValueError(_('use the address of a page, such as "https://hc.example.org/ping/your-uuid"'))
    return value


def own_address(value: str) -> str:
    """Return the address of the page, without a trailing slash, or an empty text. A path is allowed.

    Raises ValueError. Whether http is allowed depends on other keys.
    """
    if not value:
        return value
    try:
        page_address(value)
    except ValueError:
        raise ValueError(_('use the address of the page, such as "https://watcher.example.org"')) from None
    parts = urlsplit(value)
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(_("the address must not have a user name, a query, or a fragment"))
    if not re.fullmatch(r"(/[\w.~-]+)*/?", parts.path, re.ASCII) or re.search(r"/\.{1,2}(/|$)", parts.path):
        raise ValueError(_('its path may only have letters, digits, and "-", ".", "_", "~", such as "/watcher"'))
    return value.rstrip("/")


def proxy_address(value: str) -> str:
    """Return an IP address or network, such as "127.0.0.1" or "10.0.0.0/8", unchanged. Raises ValueError."""
    try:
        ip_network(value, strict=False)
    except ValueError:
        raise ValueError(_('use an IP address or a network, such as "127.0.0.1" or "172.16.0.0/12"')) from None
    return value
