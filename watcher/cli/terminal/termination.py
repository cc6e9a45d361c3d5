"""Signals that end a command.

Commands that check or deliver finish the request and the message in flight on SIGTERM, like the daemon.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType


@contextmanager
def finishing_on_sigterm(stop: Event) -> Iterator[None]:
    """Set `stop` on the first SIGTERM, so that nothing further is started; a second one ends the process at once.

    After the block, a command that was told to stop exits with the status that shells give such a process.
    """

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        stop.set()

    before = signal.signal(signal.SIGTERM, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
    if stop.is_set():
        sys.exit(128 + signal.SIGTERM)


@contextmanager
def tidying_up_when_ended() -> Iterator[None]:
    """Let SIGTERM, and SIGHUP when the terminal is closed, end the block as an exception: temporary files are removed.

    A signal that is ignored (`nohup`) stays ignored.
    """

    def on_signal(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    handled = [number for number in (signal.SIGHUP, signal.SIGTERM) if signal.getsignal(number) is signal.SIG_DFL]
    for number in handled:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)
