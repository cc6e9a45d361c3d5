"""The proxy for a host, from the environment, by the rules of curl. Pure.

Sources: curl's manual page, "ENVIRONMENT" and `--noproxy` (https://curl.se/docs/manpage.html), and its lib/noproxy.c.

- The first that is set and not empty counts: `https_proxy`, `HTTPS_PROXY`, `all_proxy`, `ALL_PROXY`.
- `no_proxy`, else `NO_PROXY`, lists hosts that are reached directly, between commas or spaces. `example.org` (also with
  a dot before or after it) covers that host and every name below it; a single `*` covers all hosts. An address is
  covered by the same address or by a network that contains it (`10.0.0.0/8`), never by a name. An entry with a port
  (`example.org:8443`) covers nothing.
- Loopback hosts are always reached directly.
- Unlike in curl, a proxy without a port listens at port 80, and `SOCKS` and TLS to the proxy are not supported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import unquote, urlsplit

from watcher.http.hosts import is_loopback
from watcher.messages import _

_PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_EXCEPTION_VARIABLES = ("no_proxy", "NO_PROXY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP proxy that tunnels with CONNECT. `credentials` are a user name and a password; their `repr` is hidden."""

    origin: str
    credentials: tuple[str, str] | None = field(default=None, repr=False)


class UnusableProxy(ValueError):
    """A proxy variable that cannot be used. The message names the variable, never its value."""


def proxy_for(host: str, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy through which a host is reached over HTTPS; None if it is reached directly.

    Raises `UnusableProxy` for a kind of proxy that is not supported and for an invalid address.
    """
    variable = _first_set(_PROXY_VARIABLES, environ)
    if variable is None or is_loopback(host):
        return None
    exceptions = _first_set(_EXCEPTION_VARIABLES, environ)
    if exceptions is not None and _is_covered(host, environ[exceptions]):
        return None
    return _parsed(environ[variable].strip(), variable)


def _first_set(names: tuple[str, ...], environ: Mapping[str, str]) -> str | None:
    return next((name for name in names if environ.get(name, "").strip()), None)


def _parsed(value: str, variable: str) -> Proxy:
    scheme, separator, _rest = value.partition("://")
    if separator and scheme.lower() != "http":
        raise UnusableProxy(
            _(
                "the proxy of the environment ({variable}={scheme}://…) is not supported; use http://",
                variable=variable,
                scheme=scheme,
            )
        )
    try:
        parts = urlsplit(value if separator else f"http://{value}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise UnusableProxy(
            _("the proxy of the environment ({variable}) is not an address; use http://HOST:PORT", variable=variable)
        )
    origin = f"http://[{host}]" if ":" in host else f"http://{host}"
    return Proxy(
        origin=origin if port is None else f"{origin}:{port}",
        credentials=(unquote(parts.username), unquote(parts.password or "")) if parts.username else None,
    )


def _is_covered(host: str, exceptions: str) -> bool:
    if exceptions.strip() == "*":
        return True
    entries = exceptions.replace(",", " ").split()
    if (address := _address(host)) is not None:
        return any(_contains(entry, address) for entry in entries)
    name = f".{host.lower().removesuffix('.')}"
    return any(name.endswith(f".{suffix}") for entry in entries if (suffix := _suffix(entry)))


def _suffix(entry: str) -> str:
    return entry.lower().removesuffix(".").removeprefix(".")


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _contains(entry: str, address: IPv4Address | IPv6Address) -> bool:
    try:
        return address in ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return False
