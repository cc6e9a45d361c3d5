"""Processes that check continuously, to be killed.

`python -m tests.soak.victims CONFIG` has everything imported and forks: a death then costs a fraction of a second, not
a start of Python. It reads a moment from each line of standard input, and answers with the number of a process that
watches from that moment on; once that has ended, with the signal that ended it.
"""

import logging
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import apprise
import structlog

from tests.soak.clock import LeapingClock
from tests.soak.turn import TURN
from tests.support.workspace import REPOSITORY
from watcher.app import open_app
from watcher.context.opening import read_settings

_STEP = timedelta(minutes=20)
_TURNS = 3
"""Steps until the program is closed and opened again, which is work that can be killed too."""


@dataclass(frozen=True, slots=True)
class Victims:
    """Starts the processes."""

    source: "subprocess.Popen[str]"

    @contextmanager
    def one(self, moment: datetime) -> Iterator[None]:
        """Run one process within the block and kill it at the end. It must not have ended before."""
        victim = int(self._ask(f"{moment.isoformat()}\n"))
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
            died_of = int(self._ask(""))
        assert died_of == signal.SIGKILL, "it ended by itself; why stands on standard error"

    def _ask(self, line: str) -> str:
        assert self.source.stdin is not None
        assert self.source.stdout is not None
        self.source.stdin.write(line)
        self.source.stdin.flush()
        return self.source.stdout.readline()


@contextmanager
def victims(config: Path) -> Iterator[Victims]:
    """Start with this configuration."""
    command = [sys.executable, "-m", "tests.soak.victims", str(config)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as source:
        yield Victims(source)


def main() -> None:
    """Run until standard input ends."""
    config = Path(sys.argv[1])
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    apprise.Apprise().add("json://localhost/")  # import its services in advance
    for line in sys.stdin:
        victim = os.fork()
        if victim == 0:
            _watch(config, datetime.fromisoformat(line.strip()))
        _say(victim)
        _, status = os.waitpid(victim, 0)
        _say(-os.waitstatus_to_exitcode(status))


def _watch(config: Path, moment: datetime) -> None:
    """Run forever."""
    clock = LeapingClock(moment)
    try:
        settings = read_settings(config, {})
        while True:
            with open_app(settings, clock=clock) as app:
                for _ in range(_TURNS):
                    for work in TURN:
                        work(app)
                    clock.moment += _STEP
    except BaseException:  # noqa: BLE001 - the process ends here; the parent reads the traceback
        traceback.print_exc()
    finally:
        os._exit(1)


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
