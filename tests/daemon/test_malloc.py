"""What glibc itself says of its heaps, in a process of its own: what is said once holds for the whole process."""

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="the heaps of other C libraries are their own affair"
)

THREADS_THAT_KEEP_SOMETHING = """
import ctypes
from threading import Barrier, Thread
from watcher.daemon import malloc
{share}
together = Barrier(4)
kept = []
def work():
    together.wait(10)
    kept.append([bytes(5000) for _ in range(20)])
    together.wait(10)
threads = [Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
ctypes.CDLL(None).malloc_stats()
"""


FREED_BELOW_WHAT_IS_IN_USE = """
from pathlib import Path
from watcher.daemon import malloc
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1])
before = resident()
kept = [bytes(5000) for _ in range(4000)]
del kept[:-1]
freed = resident()
malloc.give_back()
print(freed - before, resident() - before)
"""


def told(program: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)


def heaps(share: str) -> int:
    return told(THREADS_THAT_KEEP_SOMETHING.format(share=share)).stderr.count("Arena ")


def test_threads_share_one_heap() -> None:
    assert heaps("malloc.share()") == 1
    assert heaps("") > 1


def test_what_is_freed_below_what_is_in_use_goes_back_to_the_system() -> None:
    freed, given_back = map(int, told(FREED_BELOW_WHAT_IS_IN_USE).stdout.split())
    assert given_back < freed / 4
