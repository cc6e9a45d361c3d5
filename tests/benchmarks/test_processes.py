"""What is measured of a program of several processes is that of all of them."""

import subprocess
import sys

from tests.benchmarks.processes import cpu, family, is_waiting, memory, watching_peak
from tests.support.waiting import eventually

_PARENT = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "sum(range(3_000_000))"])
child = subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], stdin=subprocess.PIPE)
input()
child.communicate(b"\\n")
"""


def test_children_count_while_they_live_and_their_time_after_that() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (child,) = family(process.pid)[1:]
        with watching_peak(process.pid) as peak:
            assert eventually(lambda: peak.processes == 2)
        assert eventually(lambda: is_waiting(process.pid))
        assert memory(process.pid).rss > memory(child).rss > memory(child).pss > 0
        assert peak.mib > memory(child).rss
        assert cpu(process.pid) > cpu(child) + 0.02
        process.communicate("\n")
