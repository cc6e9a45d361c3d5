"""The lock of the one daemon that may use a database file.

It is a lock file and, on Linux, a name in the kernel's abstract socket namespace (unix(7)) made from the database's
path. The name outlasts the deletion of the lock file and of the whole state folder; both end with the process.
"""

import os
import socket
import struct
import sys
from _blake2 import blake2b  # hashlib would load OpenSSL, which takes 4 MiB
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from errno import EADDRINUSE
from pathlib import Path

from watcher.store.database.locks import Busy, Locks

LOCK = "daemon"
_CREDENTIALS = struct.Struct("iII")  # struct ucred: process, user, group


@contextmanager
def hold_daemon_lock(locks: Locks, database: Path | None) -> Iterator[None]:
    """Hold the lock for the block, without a wait. `database` is None if the database has no file.

    Raises `Busy` if a daemon runs, and `StoreUnusable` if the lock cannot be taken.
    """
    with locks.acquire(LOCK), nullcontext() if database is None else _hold_name(database):
        yield


def daemon_holds(database: Path) -> bool:
    """Return whether a daemon runs on the database of this path, also if nothing is left of its folder.

    Returns false on systems other than Linux.
    """
    if sys.platform != "linux":
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.setblocking(False)
        try:
            client.connect(_name(database))
        except BlockingIOError:
            return True  # there is a listener, and others have asked it
        except OSError:
            return False
        credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(credentials)
    return user in {0, os.getuid(), _owner(database)}


@contextmanager
def _hold_name(database: Path) -> Iterator[None]:
    if sys.platform != "linux":
        yield
        return
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as listener:
        try:
            listener.bind(_name(database))
            listener.listen()
        except OSError as error:
            if error.errno == EADDRINUSE and daemon_holds(database):
                raise Busy(LOCK) from None
        yield


def _name(database: Path) -> bytes:
    path = os.fsencode(os.path.realpath(database))
    return b"\0case-watcher-" + blake2b(path, digest_size=16).hexdigest().encode()


def _owner(database: Path) -> int:
    """Return the owner of the file, or of its nearest folder: another user could hold the name to block a start."""
    path = database.absolute()
    for nearest in (path, *path.parents):
        try:
            return nearest.stat().st_uid
        except OSError:
            continue
    return 0
