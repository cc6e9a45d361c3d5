"""What glibc itself reports of its heaps, each time in a new process."""

import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these heaps")

THREADS_THAT_ALLOCATE = """
import ctypes
from threading import Barrier, Thread
together = Barrier(4)
blocks = []
def work():
    together.wait(10)
    blocks.append([bytes(5000) for _ in range(20)])
    together.wait(10)
threads = [Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
ctypes.CDLL(None).malloc_stats()
"""


FREED_BELOW_MEMORY_IN_USE = """
from pathlib import Path
from watcher.daemon import malloc
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1])
before = resident()
blocks = [bytes(5000) for _ in range(4000)]
del blocks[:-1]
freed = resident()
malloc.give_back()
print(freed - before, resident() - before)
"""


def run(program: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    environ = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"} | environ
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30, env=environ
    )


def heaps(**environ: str) -> int:
    return run(THREADS_THAT_ALLOCATE, **environ).stderr.count("Arena ")


def test_threads_share_one_heap() -> None:
    assert heaps(MALLOC_ARENA_MAX="1") == 1
    assert heaps() > 1


def test_memory_freed_below_memory_in_use_goes_back_to_the_system() -> None:
    freed, given_back = map(int, run(FREED_BELOW_MEMORY_IN_USE).stdout.split())
    assert given_back < freed / 4
