"""A real pgbouncer on loopback, from the system's package."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.postgres.server import PASSWORD, Server, as_unprivileged
from tests.servers.running import free_port, program, running

_SETTINGS = """
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = {mode}
server_round_robin = {in_turn:d}
"""


@contextmanager
def pooler(server: Server, mode: str, *, in_turn: bool = False) -> Iterator[int]:
    """Run pgbouncer before the server; yield its port. Skips the test, with a message, if it is not installed.

    `in_turn`: it gives out the sessions of the server in turn, not the one that was used last.
    """
    pgbouncer = program("pgbouncer")
    folder, port = Path(tempfile.mkdtemp(prefix="watcher-pgbouncer-")), free_port()
    try:
        users, settings = folder / "users", folder / "pgbouncer.ini"
        users.write_text(f'"watcher" "{PASSWORD}"\n', encoding="utf-8")
        content = _SETTINGS.format(server=server.port, port=port, users=users, mode=mode, in_turn=in_turn)
        settings.write_text(content, encoding="utf-8")
        with running([*as_unprivileged(folder, users, settings), pgbouncer, settings], port=port, folder=folder):
            yield port
    finally:
        shutil.rmtree(folder)
