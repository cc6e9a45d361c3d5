"""A real PostgreSQL server on loopback, of the system's own package, with a database for each test."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from pwd import getpwnam
from typing import Any

import psycopg
import pytest

from tests.servers.running import free_port, running, wanted
from watcher.store import Store

PASSWORD = "made-up-password"
_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_UNPRIVILEGED = "nobody"
_numbers = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server; its administrator is called watcher."""

    port: int
    template: list[str] = field(default_factory=list)

    def url(self, database: str, *, password: str = PASSWORD) -> str:
        return f"postgresql://watcher:{password}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """An empty database; returns its URL as a person would write it."""
        name = f"books_{next(_numbers)}"
        self.do(f"CREATE DATABASE {name}")
        return self.url(name)

    def new_store(self) -> str:
        """A database with this release's tables in it, copied from one that was made once; returns its URL."""
        if not self.template:
            url = self.new_database()
            Store(url, locks=Path(os.devnull)).close()
            self.template.append(url.rpartition("/")[2])
        name = f"books_{next(_numbers)}"
        self.do(f"CREATE DATABASE {name} TEMPLATE {self.template[0]}")
        return self.url(name)

    def do(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Runs one statement as the administrator; returns its rows."""
        return rows_in(self.url(database), statement)


def rows_in(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Runs one statement on a database; returns its rows."""
    with psycopg.connect(url, autocommit=True) as connection:
        done = connection.execute(statement.encode())
        return done.fetchall() if done.description else []


@contextmanager
def server() -> Iterator[Server]:
    """The server, in a folder that is gone at the end. Skips out loud where PostgreSQL is not installed."""
    initdb, postgres = _program("initdb"), _program("postgres")
    folder = Path(tempfile.mkdtemp(prefix="watcher-postgres-"))
    try:
        yield from _serve(initdb, postgres, folder)
    finally:
        shutil.rmtree(folder)


def _serve(initdb: str, postgres: str, folder: Path) -> Iterator[Server]:
    files, password, port = folder / "files", folder / "password", free_port()
    password.write_text(PASSWORD, encoding="utf-8")
    as_user = _as_user(folder, password)
    words = ["-U", "watcher", "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8", "--locale=C.UTF-8"]
    subprocess.run([*as_user, initdb, "-D", str(files), "-N", *words], check=True, capture_output=True, cwd=folder)
    quick = ["-c", "fsync=off", "-c", "unix_socket_directories=", "-c", "listen_addresses=127.0.0.1"]
    with running([*as_user, postgres, "-D", files, "-p", str(port), *quick], port=port, folder=folder):
        started = Server(port=port)
        _await(started)
        yield started


def _await(started: Server) -> None:
    """It listens a moment before it is ready."""
    for _ in range(300):
        try:
            started.do("SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("PostgreSQL listens, and does not come up")


def _as_user(folder: Path, password: Path) -> list[str]:
    """PostgreSQL will not run as root; there it runs as nobody."""
    if os.geteuid() != 0:
        return []
    user = getpwnam(_UNPRIVILEGED)
    for place in (folder, password):
        os.chown(place, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _program(name: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, _PLACES)]))
    if found is None:
        wanted("PostgreSQL is not installed; install the package postgresql")
    return str(found)
