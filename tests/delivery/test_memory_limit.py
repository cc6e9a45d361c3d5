"""Plug-ins that take endless memory fail, in the child process and in a command."""

import resource
import subprocess
import sys
from threading import Thread

import pytest

from tests.support.workspace import REPOSITORY
from watcher.delivery.memory_limit import MEMORY_BYTES, limited_growth

_IN_THE_CHILD = """
from watcher.delivery.memory_limit import MEMORY_BYTES, limit_memory
limit_memory()
try:
    bytearray(MEMORY_BYTES)
except MemoryError:
    print("refused")
"""


def test_memory_is_limited_within_the_block_only() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with limited_growth():
        bytearray(MEMORY_BYTES // 10)
        with limited_growth(), pytest.raises(MemoryError):
            bytearray(MEMORY_BYTES * 2)
        with pytest.raises(MemoryError):
            bytearray(MEMORY_BYTES * 2)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    bytearray(MEMORY_BYTES * 2)


def test_blocks_of_several_threads_overlap() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)

    def work() -> None:
        for _ in range(20):
            with limited_growth():
                bytearray(1000)

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_child_has_a_limit() -> None:
    command = [sys.executable, "-c", _IN_THE_CHILD]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    assert done.stdout == "refused\n"
