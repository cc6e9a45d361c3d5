"""A daemon with short waits, as processes that a test looks at and kills."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread

import psutil

from tests.support.waiting import eventually
from tests.support.workspace import Workspace
from watcher.daemon.mail_waiter import MODULE as MAIL_MODULE
from watcher.daemon.page import PAGE_MODULE

WORKER = "watcher.daemon.worker"


@dataclass(slots=True)
class RunningDaemon:
    """The supervisor and what it has printed so far."""

    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)

    @property
    def log(self) -> str:
        return "".join(self.lines)

    def workers(self) -> list[psutil.Process]:
        """Return the workers that run."""
        return [child for child in self._children() if not _runs(child, PAGE_MODULE, MAIL_MODULE)]

    def pages(self) -> list[psutil.Process]:
        """Return the processes of the page that run."""
        return [child for child in self._children() if _runs(child, PAGE_MODULE)]

    def mail_waiters(self) -> list[psutil.Process]:
        """Return the processes that wait for official mails."""
        return [child for child in self._children() if _runs(child, MAIL_MODULE)]

    def _children(self) -> list[psutil.Process]:
        with suppress(psutil.Error):
            return [child for child in psutil.Process(self.process.pid).children() if _is_running(child)]
        return []

    def rests(self) -> bool:
        """Return whether it has worked and no worker runs."""
        return "daemon_started" in self.log and self.process.poll() is None and not self.workers()

    def until_it_rests(self) -> None:
        assert eventually(self.rests), self.log

    def until_it_works(self) -> psutil.Process:
        """Wait for a worker, and return it."""
        assert eventually(self.workers), self.log
        (worker,) = self.workers()
        return worker

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def listen(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(self.process.stderr)


def _runs(process: psutil.Process, *modules: str) -> bool:
    with suppress(psutil.Error):
        return not set(modules).isdisjoint(process.cmdline())
    return False


def _is_running(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


@contextmanager
def running_daemon(workspace: Workspace, module: str = WORKER) -> Iterator[RunningDaemon]:
    """Start a daemon with short waits. All of its processes are killed at the end."""
    options = json.dumps({"config": str(workspace.config)})
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.daemon.quick_daemon", options, module],
        cwd=workspace.folder,
        env=workspace.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    daemon = RunningDaemon(process)
    listener = Thread(target=daemon.listen)
    listener.start()
    try:
        yield daemon
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        listener.join()
        if process.stderr is not None:
            process.stderr.close()
