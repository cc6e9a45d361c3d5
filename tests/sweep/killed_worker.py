"""A worker that exits before its Nth SQL statement.

Run with `python -m tests.sweep.killed_worker N`, with its end of the channel as standard input. As in
`tests.sweep.killed_command`, nothing is rolled back and nothing is flushed.
"""

import os
import socket
import sys

from tests.sweep.killed_command import KILLED_STATUS
from tests.sweep.statements import before_each_statement
from watcher.clock import SystemClock
from watcher.daemon.worker import Worker
from watcher.delivery.apprise_notifier import AppriseNotifier
from watcher.processes.channel import Channel


def main() -> None:
    """Run the worker. It ends normally if it has fewer than N statements, or if N is 0."""
    kill_before = int(sys.argv[1])

    def step(number: int) -> None:
        if number == kill_before:
            os._exit(KILLED_STATUS)

    before_each_statement(step)
    os._exit(Worker(Channel(socket.socket(fileno=os.dup(0))), SystemClock(), AppriseNotifier()).run())


if __name__ == "__main__":
    main()
