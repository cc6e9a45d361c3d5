"""Attacks on the files of a running command that may lose no change. Each ends with a call of what it returns."""

import random
import resource
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from tests.adversary.processes import Command

Undo = Callable[[], None]


def _nothing() -> None:
    """Leave it as it is."""


def damage_session(state: Path, command: Command, chance: random.Random) -> Undo:
    """Delete a saved session, cut it off, or overwrite it."""
    del command
    for path in state.glob("sessions/*.session"):
        with suppress(OSError):
            match chance.randrange(3):
                case 0:
                    path.unlink()
                case 1:
                    path.write_bytes(path.read_bytes()[:20])
                case _:
                    path.write_bytes(chance.randbytes(200))
    return _nothing


def delete_letters(state: Path, command: Command, chance: random.Random) -> Undo:
    """Delete every saved letter."""
    del command, chance
    for path in state.glob("notices/**/*.pdf"):
        with suppress(OSError):
            path.unlink()
    return _nothing


def fill_disk(state: Path, command: Command, chance: random.Random) -> Undo:
    """Let the system refuse to write beyond some place in a file, as a full disk does."""
    size = max((path.stat().st_size for path in state.glob("watcher.sqlite3*")), default=0)
    return _limit(command, resource.RLIMIT_FSIZE, max(1, size - 4096 * chance.randint(-4, 4)))


def take_descriptors(state: Path, command: Command, chance: random.Random) -> Undo:
    """Let the process open hardly any more files."""
    del state
    with suppress(OSError):
        held = len(list(Path(f"/proc/{command.pid}/fd").iterdir()))
        return _limit(command, resource.RLIMIT_NOFILE, held + chance.randint(0, 3))
    return _nothing


def hold_database(state: Path, command: Command, chance: random.Random) -> Undo:
    """Write to the database for longer than anyone waits."""
    del command, chance
    try:
        address = f"file:{state}/watcher.sqlite3?mode=rw"
        connection = sqlite3.connect(address, uri=True, timeout=0.2, check_same_thread=False)
    except sqlite3.Error:
        return _nothing  # there is none yet
    with suppress(sqlite3.Error):
        connection.execute("BEGIN IMMEDIATE")

    def undo() -> None:
        with closing(connection), suppress(sqlite3.Error):
            connection.rollback()

    return undo


ATTACKS = (damage_session, delete_letters, fill_disk, take_descriptors, hold_database)


def _limit(command: Command, limit: int, value: int) -> Undo:
    with suppress(OSError):
        soft, hard = resource.prlimit(command.pid, limit)
        resource.prlimit(command.pid, limit, (min(value, hard) if hard != resource.RLIM_INFINITY else value, hard))

        def undo() -> None:
            with suppress(OSError):
                resource.prlimit(command.pid, limit, (soft, hard))

        return undo
    return _nothing
