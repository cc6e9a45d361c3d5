"""A real PostgreSQL server on loopback, from the system's package, with a database for each test."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from pwd import getpwnam
from types import MappingProxyType
from typing import Any

import psycopg
import pytest

from tests.servers.running import free_port, running, wanted
from watcher.store import Store

PASSWORD = "made-up-password"
_BIN_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_UNPRIVILEGED = "nobody"
_numbers = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server; its administrator is named watcher."""

    port: int
    template: list[str] = field(default_factory=list)

    def url(self, database: str, *, password: str = PASSWORD) -> str:
        return f"postgresql://watcher:{password}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Create an empty database; return its URL as a user would write it."""
        name = f"books_{next(_numbers)}"
        self.do(f"CREATE DATABASE {name}")
        return self.url(name)

    def new_store(self) -> str:
        """Create a database with this release's tables by copying a template; return its URL."""
        if not self.template:
            url = self.new_database()
            Store(url, locks=Path(os.devnull)).close()
            self.template.append(url.rpartition("/")[2])
        name = f"books_{next(_numbers)}"
        self.do(f"CREATE DATABASE {name} TEMPLATE {self.template[0]}")
        return self.url(name)

    def do(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement as the administrator; return its rows."""
        return rows_in(self.url(database), statement)


def rows_in(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Run one statement on a database; return its rows."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@contextmanager
def server(
    settings: Mapping[str, object] = MappingProxyType({}), environ: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Server]:
    """Run the server in a temporary folder. Skips the test, with a message, if PostgreSQL is not installed."""
    initdb, postgres = _program("initdb"), _program("postgres")
    folder = Path(tempfile.mkdtemp(prefix="watcher-postgres-"))
    try:
        yield from _serve(initdb, postgres, folder, settings, environ)
    finally:
        shutil.rmtree(folder)


def _serve(
    initdb: str, postgres: str, folder: Path, chosen: Mapping[str, object], environ: Mapping[str, str]
) -> Iterator[Server]:
    files, password, port = folder / "files", folder / "password", free_port()
    password.write_text(PASSWORD, encoding="utf-8")
    as_user = as_unprivileged(folder, password)
    options = ["-U", "watcher", "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8", "--locale=C.UTF-8"]
    subprocess.run([*as_user, initdb, "-D", str(files), "-N", *options], check=True, capture_output=True, cwd=folder)
    settings = {"fsync": "off", "unix_socket_directories": "", "listen_addresses": "127.0.0.1", **chosen}
    options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
    command: list[str | Path] = [*as_user, postgres, "-D", files, "-p", str(port), *options]
    with running(command, port=port, folder=folder, environ=environ):
        started = Server(port=port)
        _await(started)
        yield started


def _await(started: Server) -> None:
    """Wait until the server is ready; it listens a moment earlier."""
    for _ in range(300):
        try:
            started.do("SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("PostgreSQL listens but does not become ready")


def as_unprivileged(*paths: Path) -> list[str]:
    """Return the command prefix for running as nobody, who gets the paths, if this is root.

    PostgreSQL and pgbouncer do not run as root.
    """
    if os.geteuid() != 0:
        return []
    user = getpwnam(_UNPRIVILEGED)
    for path in paths:
        os.chown(path, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _program(name: str) -> str:
    program = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, _BIN_FOLDERS)]))
    if program is None:
        wanted("PostgreSQL is not installed; install the package postgresql")
    return str(program)
