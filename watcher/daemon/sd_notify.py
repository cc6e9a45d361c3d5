"""Notifications to systemd by the protocol of sd_notify(3): one datagram for each message.

Nothing is sent if the program was not started by systemd or another manager with this protocol.
"""

import logging
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

_MAX_STATUS_LENGTH = 200
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceManager:
    """The service manager that started the program.

    `address` is its socket, as in $NOTIFY_SOCKET; None if there is no manager. `watchdog` is the time after which it
    ends the program unless `keep_alive` is called; None if it has no watchdog.
    """

    address: str | None = None
    watchdog: timedelta | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], *, pid: int | None = None) -> "ServiceManager":
        """Return the manager that the environment names. `pid` is this process unless given.

        A watchdog that is set for another process (sd_watchdog_enabled(3)) is ignored.
        """
        watched_pid = environ.get("WATCHDOG_PID")
        is_ours = watched_pid is None or watched_pid == str(pid or os.getpid())
        timeout = environ.get("WATCHDOG_USEC", "")
        watchdog = timedelta(microseconds=int(timeout)) if is_ours and timeout.isascii() and timeout.isdigit() else None
        return cls(address=environ.get("NOTIFY_SOCKET") or None, watchdog=watchdog or None)

    def ready(self) -> None:
        """Report that the program runs: after its start, and again after `reloading`."""
        self._send("READY=1")

    def reloading(self) -> None:
        """Report that the configuration is being reloaded. `ready` must follow."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """Report that the program is ending, as requested."""
        self._send("STOPPING=1", "STATUS=ending")

    def keep_alive(self, status: str) -> None:
        """Reset the watchdog, and set the line that `systemctl status` shows."""
        self._send("WATCHDOG=1", f"STATUS={' '.join(status.split())[:_MAX_STATUS_LENGTH]}")

    def _send(self, *lines: str) -> None:
        """Send one datagram. An unreachable manager is only logged; checks go on."""
        if self.address is None:
            return
        # @ stands for the zero byte that begins an address in the kernel's abstract namespace.
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
                client.settimeout(1.0)
                client.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            details = {"notification": lines[0], "reason": error.strerror}
            _log.warning("service_manager_unreachable", extra=details)
