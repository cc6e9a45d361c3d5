"""Who has claimed an alert for sending: one delivery, in one process, on one machine.

A claim outlives its process only until somebody looks: on the same machine it is seen at once that the process has
ended, and one that is only stopped (SIGSTOP) keeps its claims. The processes of another machine, or of another
container, cannot be seen, so their claims end with their time.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

CLAIM_TIME = timedelta(minutes=5)
"""How long a claim holds for other machines: longer than sending one message can take."""

_DELIVERIES_HERE: set[str] = set()
"""The deliveries of this process that are under way."""

_PROC = Path("/proc")


@contextmanager
def claimant() -> Iterator[str]:
    """Return the name under which one delivery claims alerts. After the block its claims count as abandoned."""
    pid = os.getpid()
    name = f"{_machine()}/{pid}/{_started(pid)}/{uuid4().hex}"
    _DELIVERIES_HERE.add(name)
    try:
        yield name
    finally:
        _DELIVERIES_HERE.discard(name)


def is_abandoned(claimed_by: str, claimed_until: datetime, now: datetime) -> bool:
    """Return whether a claim has ended with its delivery, its process, or its time.

    A time further ahead than a claim lasts comes from a clock that was wrong. Clocks may differ by `CLAIM_TIME`.
    """
    machine, _, rest = claimed_by.partition("/")
    pid, _, rest = rest.partition("/")
    started = rest.partition("/")[0]
    if machine != _machine() or not pid.isdecimal():
        return not now < claimed_until <= now + 2 * CLAIM_TIME
    if int(pid) == os.getpid() and started == _started(os.getpid()):
        return claimed_by not in _DELIVERIES_HERE
    return _started(int(pid)) != started


def _machine() -> str:
    """Return what names the processes that can be seen from here: since which boot, in which container."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:  # not Linux
        return socket.gethostname().replace("/", " ")


def _started(pid: int) -> str | None:
    """Return when a process started, as the system counts it, or "" if it does not say. None if it has ended."""
    if not (_PROC / "self/stat").exists():
        return _is_running(pid)
    try:
        # proc(5): the name is in parentheses and may contain any character; the state follows, the start is field 22.
        fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in {"Z", "X"} else fields[19]


def _is_running(pid: int) -> str | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return ""  # it runs, as another user
    return ""
