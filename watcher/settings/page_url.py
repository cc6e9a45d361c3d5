"""The address of the page, as a browser on another device reaches it."""

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from watcher.settings import WebSettings


def page_url(web: WebSettings) -> str:
    """Return the address that the page's links begin with, without a slash at the end; empty if the page is off."""
    if web.url or not web.listen:
        return web.url if web.listen else ""
    parts = urlsplit(f"//{web.listen}")
    host = parts.hostname or ""
    try:
        is_any = ip_address(host).is_unspecified
    except ValueError:
        is_any = False
    shown = _own_address() if is_any else host
    bracketed = f"[{shown}]" if ":" in shown else shown
    return f"{'https' if web.serves_tls else 'http'}://{bracketed}:{parts.port}"


def _own_address() -> str:
    """Return the address of this machine in its network. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # reserved for documentation; choosing a route needs no packet
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
