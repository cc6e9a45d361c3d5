"""Locks that other processes see and that a kill releases: one file each, held with flock."""

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

_PAUSE = 0.1


class Busy(Exception):
    """Another process (or thread) holds the lock."""


class Locks:
    """A folder of locks."""

    def __init__(self, folder: Path) -> None:
        """The folder is made on first use, for the owner alone."""
        self._folder = folder

    @contextmanager
    def hold(self, name: str, *, wait: float = 0.0, stop: Event | None = None) -> Iterator[None]:
        """Holds the lock for the block. Waits up to `wait` real seconds for it, then raises `Busy`."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(self._folder / f"{_safe(name)}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            _acquire(file, name, time.monotonic() + wait, stop)
            yield
        finally:
            os.close(file)


def _acquire(file: int, name: str, until: float, stop: Event | None) -> None:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until or (stop is not None and stop.is_set()):
                raise Busy(name) from None
            time.sleep(_PAUSE)
        else:
            return


def _safe(name: str) -> str:
    return re.sub(r"[^a-z0-9]", lambda found: f"_{ord(found[0]):x}_", name)
