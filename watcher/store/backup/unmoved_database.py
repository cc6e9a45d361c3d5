"""The SQLite database that is left behind when `database_url` is set, until it is moved to the server."""

import shlex
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from watcher.errors import StoreUnusable
from watcher.messages import _, plural
from watcher.store.backup.backup_files import examine, sqlite_path
from watcher.store.backup.replaced_database import DAMAGE, open_for_reading
from watcher.store.database.engine import Database
from watcher.store.database.migrate import schema_of
from watcher.store.database.tables import ACCOUNTS


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmovedDatabase:
    """A file with a history that the database on the server does not continue.

    `server` is its name for messages. `server_is_empty`: no account was ever checked there.
    """

    file: Path
    cases: int
    server: str
    server_is_empty: bool

    def text(self, program: str, config: str | None) -> tuple[str, str]:
        """Return what is the case, and what to do about it.

        `program` is what to type for this program, and `config` its configuration file if the user named one.
        """
        options = ("--config", config) if config else ()
        command = shlex.join([program, "restore", *options, *self.options, str(self.file)])
        fields = {"file": self.file, "server": self.server}
        if self.server_is_empty:
            what = plural(
                "{file} has the history of {n} case; the database {server} is still empty",
                "{file} has the history of {n} cases; the database {server} is still empty",
                self.cases,
                **fields,
            )
        else:
            what = plural(
                "{file} has the history of {n} case; the database {server} was started without it",
                "{file} has the history of {n} cases; the database {server} was started without it",
                self.cases,
                **fields,
            )
        return what, _("to move it there, stop every `watcher run`, then run: {command}", command=command)

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `watcher restore` that are needed."""
        return () if self.server_is_empty else ("--force",)


def unmoved_database(url: str, file: Path) -> UnmovedDatabase | None:
    """Return the database in `file` if `url` is a server whose database does not continue it.

    A database continues another if it has its accounts, added at the same moments. Raises `StoreUnusable` if the server
    cannot be reached.
    """
    if sqlite_path(url) is not None or not (accounts := _accounts_in(file)):
        return None
    with closing(Database(url)) as server:
        moved = _accounts_on(server)
        if moved.items() >= accounts.items():
            return None
        try:
            cases = examine(file).cases
        except StoreUnusable:
            return None
        return UnmovedDatabase(file=file, cases=cases, server=server.display_name, server_is_empty=not moved)


def _accounts_in(file: Path) -> Mapping[str, datetime]:
    """Return when each account of a file was added. A file that cannot be read has none."""
    try:
        with open_for_reading(file) as database:
            rows = database.execute("SELECT name, first_seen_at FROM account").fetchall()
        return {name: datetime.fromisoformat(moment).replace(tzinfo=UTC) for name, moment in rows}
    except (*DAMAGE, OSError, ValueError, TypeError):
        return {}


def _accounts_on(server: Database) -> Mapping[str, datetime]:
    with server.reading() as connection:
        if schema_of(connection) is None:
            return {}
        rows = connection.execute(select(ACCOUNTS.c.name, ACCOUNTS.c.first_seen_at))
        return {row.name: row.first_seen_at for row in rows}
