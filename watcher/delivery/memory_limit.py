"""A limit on the memory that plug-ins may take, so that an endless answer of a service is an error of one message."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

MEMORY_BYTES = 320 * 1024 * 1024
"""Several times what Apprise and a large attachment take, less than the unit's `MemoryMax`."""

_STATUS = Path("/proc/self/status")
_BYTES_PER_KIB = 1024
_lock = Lock()
_under_way = 0
_before = 0


def limit_memory(limit: int = MEMORY_BYTES) -> None:
    """Make more memory of this process than that a `MemoryError`. Not every system has the limit."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.getrlimit(resource.RLIMIT_DATA)[1]))


@contextmanager
def limited_growth() -> Iterator[None]:
    """Limit the memory that this process takes within the block, in addition to what it has. Blocks may overlap."""
    global _under_way, _before  # noqa: PLW0603 - the limit belongs to the process
    with _lock:
        if not _under_way:
            _before = resource.getrlimit(resource.RLIMIT_DATA)[0]
            present = _data_bytes()
            if present is not None:
                limit_memory(present + MEMORY_BYTES)
        _under_way += 1
    try:
        yield
    finally:
        with _lock:
            _under_way -= 1
            if not _under_way:
                limit_memory(_before)


def _data_bytes() -> int | None:
    """Return what counts towards the limit now; None if the system does not say."""
    with suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) * _BYTES_PER_KIB
    return None
