"""What systemd is told of the daemon: the notify protocol of sd_notify(3), which is one datagram for each message.

Where systemd (or another manager that speaks this protocol) did not start the program, nothing is said to anybody.
"""

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog

_LONGEST_STATUS = 200
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceManager:
    """Who started the program and wants to hear from it.

    `address` is the manager's socket, as $NOTIFY_SOCKET has it; None: nobody listens. `watchdog` is within what time
    it wants a sign of life, else it ends the program; None: it wants none.
    """

    address: str | None = None
    watchdog: timedelta | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str], *, pid: int | None = None) -> "ServiceManager":
        """The one that the environment names. `pid`: this process, if it is not the present one.

        A watchdog that is meant for another process (sd_watchdog_enabled(3)) is none of ours.
        """
        meant_for = environ.get("WATCHDOG_PID")
        ours = meant_for is None or meant_for == str(pid or os.getpid())
        span = environ.get("WATCHDOG_USEC", "")
        watchdog = timedelta(microseconds=int(span)) if ours and span.isascii() and span.isdigit() else None
        return cls(address=environ.get("NOTIFY_SOCKET") or None, watchdog=watchdog or None)

    def ready(self) -> None:
        """The program is at work: after its start, and again after `reloading`."""
        self._say("READY=1")

    def reloading(self) -> None:
        """The configuration is being reread; `ready` ends it."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """The program ends now, because it was asked to."""
        self._say("STOPPING=1", "STATUS=ending")

    def alive(self, status: str) -> None:
        """A sign of life for the watchdog, and a line that `systemctl status` shows."""
        self._say("WATCHDOG=1", f"STATUS={' '.join(status.split())[:_LONGEST_STATUS]}")

    def _say(self, *lines: str) -> None:
        """Sends one datagram. A manager that cannot be reached is no reason to stop watching."""
        if self.address is None:
            return
        # An address that begins with @ is in the abstract namespace, where the kernel wants a zero byte.
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mouth:
                mouth.settimeout(1.0)
                mouth.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            _log.warning("the service manager could not be told", said=lines[0], reason=error.strerror)
