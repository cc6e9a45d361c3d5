"""`watcher ARGUMENTS` in a process that pauses before each SQL statement, so that its files can be copied.

Run with `python -m tests.sweep.pausing_command PORT ARGUMENTS`. It connects to the port on loopback with each pause,
which ends when the connection is closed.
"""

import socket
import sys

from tests.sweep.statements import before_each_statement
from watcher import cli


def main() -> None:
    """Run the command."""
    port = int(sys.argv.pop(1))

    def pause(_: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.recv(1)

    before_each_statement(pause)
    cli.main()


if __name__ == "__main__":
    main()
