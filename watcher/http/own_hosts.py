"""The hosts of a portal, the only ones that requests go to."""

from collections.abc import Collection

from watcher.errors import ForeignHost
from watcher.http.hosts import host_and_port, is_loopback
from watcher.messages import _


class OwnHosts:
    """One portal's hosts, and the only ports beside the default one; None stands for any port."""

    def __init__(self, portal: str, hosts: Collection[str], origins: Collection[str] | None) -> None:
        """`origins` have the ports."""
        self._portal = portal
        self._hosts = frozenset(host.lower() for host in hosts)
        self._ports = None if origins is None else frozenset(map(host_and_port, origins))

    def check(self, scheme: str, host: str, port: int | None) -> None:
        """Raise `ForeignHost` for any other host or port, and for plain HTTP unless the host is a loopback one.

        `port` None is the default one.
        """
        portal = self._portal
        if not host:
            raise ForeignHost(_("{portal}: an address has no host; nothing was sent there", portal=portal))
        if host not in self._hosts:
            text = _("{portal}: {host} is not one of its hosts; nothing was sent there", portal=portal, host=host)
            raise ForeignHost(text)
        if self._ports is not None and port is not None and (host, port) not in self._ports:
            text = _(
                "{portal}: port {port} of {host} is not one of its ports; nothing was sent there",
                portal=portal,
                port=port,
                host=host,
            )
            raise ForeignHost(text)
        if scheme != "https" and not (scheme == "http" and is_loopback(host)):
            text = _(
                "{portal}: the connection to {host} would have been without TLS; nothing was sent there",
                portal=portal,
                host=host,
            )
            raise ForeignHost(text)
