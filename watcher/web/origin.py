"""Under which names the page is reached."""

import socket
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from watcher.settings import WebSettings
from watcher.text.loopback import is_loopback

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Scheme and host, with the port if it is not the scheme's own, in lower case."""

    scheme: str
    host: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}"


class PageNames:
    """The names under which the page is reached."""

    def __init__(self, settings: WebSettings) -> None:
        """Use the section [web]."""
        self._settings = settings
        self._url = origin_of(settings.url)
        self._listening = urlsplit(f"//{settings.listen}").hostname or ""

    def origin(self, host: str, scheme: str) -> Origin | None:
        """Return the origin that the browser sees; None if `host` is not a name of the page (DNS rebinding).

        `host` is the header `Host`, `scheme` that of the connection. A proxy that speaks HTTPS may not have said so:
        then the host of `[web] url` does.
        """
        origin = origin_of(f"{scheme}://{host}")
        if origin is None or not self._is_name(_name_of(origin)):
            return None
        is_url = self._url is not None and origin_of(f"{self._url.scheme}://{host}") == self._url
        return self._url if is_url else origin

    def accepts(self, sent: str, origin: Origin) -> bool:
        """Return whether a form for a page of this origin may come from where the header `Origin` says."""
        return origin_of(sent) in {origin, self._url} - {None}

    def _is_name(self, name: str) -> bool:
        if self._url is not None and name == _name_of(self._url):
            return True
        if self._settings.is_local:
            return is_loopback(f"//{_bracketed(name)}")
        own = socket.gethostname().lower()
        return is_address(name) or name in {"localhost", own, f"{own.partition('.')[0]}.local", self._listening}


def origin_of(address: str) -> Origin | None:
    """Return the origin of an http or https address; None if it is none."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.scheme not in _DEFAULT_PORTS or parts.username is not None:
        return None
    shown = "" if port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{port}"
    return Origin(scheme=parts.scheme, host=f"{_bracketed(host.lower())}{shown}")


def _name_of(origin: Origin) -> str:
    return urlsplit(str(origin)).hostname or ""


def is_address(name: str) -> bool:
    """Return whether a host is an IP address and not a name."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
