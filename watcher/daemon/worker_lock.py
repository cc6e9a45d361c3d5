"""The lock that a worker holds while it works. One of a supervisor that was killed may still hold it."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import structlog

from watcher.daemon.worker_process import MODULE
from watcher.messages import _, mark
from watcher.store.database.locks import Busy, FileLocks

_NAME = "worker"
_WAIT = 40.0  # seconds; the worker of a supervisor that was killed ends within 28
_PATIENCE = 3.0  # until the wait is mentioned
_PAUSE = 0.5
_UNKNOWN = mark("a process of an earlier `watcher run` is still running; stop it, then try again")
_KNOWN = mark("process {pid} of an earlier `watcher run` is still running or suspended; stop it, then try again")
_log = structlog.get_logger(MODULE)


class EarlierWorker(Exception):
    """A worker of an earlier supervisor does not end."""

    def __init__(self, pid: int | None) -> None:
        super().__init__(_(_UNKNOWN) if pid is None else _(_KNOWN, pid=pid))


@contextmanager
def worker_lock(locks: FileLocks, look: Callable[[], object]) -> Iterator[None]:
    """Hold the lock for the block. While another process holds it, call `look` again and again.

    Raises `EarlierWorker` if that process does not end.
    """
    mention_at, end = time.monotonic() + _PATIENCE, time.monotonic() + _WAIT
    with ExitStack() as held:
        while not _take(locks, held):
            now, pid = time.monotonic(), locks.holder(_NAME)
            if now > end:
                raise EarlierWorker(pid)
            if now > mention_at:
                _log.warning("waiting_for_earlier_worker", pid=pid)
                mention_at = end
            look()
        yield


def _take(locks: FileLocks, held: ExitStack) -> bool:
    try:
        held.enter_context(locks.acquire(_NAME, wait=_PAUSE))
    except Busy:
        return False
    return True
