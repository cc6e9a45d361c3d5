"""SIGTERM for commands that check or deliver: they finish the request and the message in flight, like the daemon."""

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
