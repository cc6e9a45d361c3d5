"""The cases of the last request, which need not be read again while nothing writes to the database file."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from watcher.context.read_only import ReadOnlyContext
from watcher.model.ledger import TrackedCase

_LARGEST = 2000
"""How many cases are kept at most, so that the page's process stays small."""

_SETTLED = 0.1
"""Seconds after a write in which another one may have the same time stamp."""

_Version = tuple[tuple[int, int, int], ...]


class CaseCache:
    """Keeps the cases until the database file, or the log beside it, is written to. Safe to share between threads."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._kept: tuple[_Version, list[TrackedCase]] | None = None

    def cases(self, read: Callable[[], list[TrackedCase]], version: _Version | None) -> list[TrackedCase]:
        """Return the cases, which `read` reads.

        `version` is the state of the file before it was opened; None if nothing may be kept.
        """
        kept = self._kept
        if kept is not None and kept[0] == version:
            return kept[1]
        cases = read()
        self._kept = (version, cases) if version is not None and len(cases) <= _LARGEST else None
        return cases


@dataclass(frozen=True, kw_only=True)
class CachedReading(ReadOnlyContext):
    """What a request reads, with the cases from the cache."""

    cache: CaseCache = field(repr=False)
    version: _Version | None

    def watched_cases(self) -> list[TrackedCase]:
        """Return the stored cases that the configuration still lists."""
        return self.cache.cases(super().watched_cases, self.version)


def file_version(database: Path | None) -> _Version | None:
    """Return what changes when something is written to a database file; None while that cannot be told."""
    if database is None:
        return None
    files = (database, Path(f"{database}-wal"))  # without another process, the log comes and goes with each reader
    states = [state for file in files if (state := _state(file)) is not None and state.st_size]
    if not states or time.time() - max(state.st_mtime for state in states) < _SETTLED:
        return None
    return tuple((state.st_ino, state.st_size, state.st_mtime_ns) for state in states)


def _state(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except OSError:
        return None
