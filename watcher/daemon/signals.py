"""The signals of a process that waits for several things at once."""

import signal
import socket
from types import FrameType


class Signals:
    """Signals in order of arrival, and a descriptor that becomes readable when one arrives.

    It uses Python's wakeup descriptor, which is written to immediately. A Python handler waits for the main thread, and
    a signal that arrives just as that thread starts to wait would not wake it.
    """

    def __init__(self, *numbers: signal.Signals) -> None:
        """Receive these signals from now on."""
        self._receiver, self._sender = socket.socketpair()
        for end in (self._receiver, self._sender):
            end.setblocking(False)
        signal.set_wakeup_fd(self._sender.fileno())
        for number in numbers:
            signal.signal(number, _ignore)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._receiver.fileno()

    def take(self) -> bytes:
        """Return the numbers of the signals that have arrived since the last call."""
        try:
            return self._receiver.recv(4096)
        except BlockingIOError:
            return b""


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Do nothing. Python writes to the wakeup descriptor only for signals that have a handler."""
