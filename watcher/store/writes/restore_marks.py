"""What a restored database must still learn from the time since its backup, stored in it until the next check.

`watcher.store.backup.restore_merge` writes these marks. If the replaced database could be read, its last snapshots are
marked as reported: they are recorded before the next check, without another alert, and without another entry in the
history if the history was merged too. If it could not be read, accounts are marked as uncertain: until the next check
ends, alerts say that they may have been sent before.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TypeAlias

from sqlalchemy import bindparam

from watcher.clock.timestamps import parse_utc
from watcher.model.case import Snapshot
from watcher.store.database.engine import Database, queries_on
from watcher.store.database.query import RunQuery
from watcher.store.database.tables import META
from watcher.store.queries.meta import meta_value, meta_values
from watcher.store.queries.snapshot_json import decode

REPORTED, RECORDED, UNCERTAIN = "told since the backup", "recorded since the backup", "in doubt since the backup"

_Names: TypeAlias = tuple[str, ...]
_DELETE = META.delete().where(META.c.key == bindparam("key_"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedSnapshot:
    """A case in the replaced database. `recorded` is true if the history has the changes that led to it."""

    snapshot: Snapshot
    recorded: bool


def mark_key(mark: str, *names: str) -> str:
    """Return the key in the table `meta` of a mark about an account or a case."""
    return json.dumps([mark, *names], ensure_ascii=False)


def mark_prefix(mark: str) -> str:
    """Return how the keys of all marks of this kind begin."""
    return mark_key(mark).removesuffix("]")


class RestoreMarks:
    """The marks of a restore, by account. Nearly always there are none, which is looked up once.

    No mark appears while a database is open: a restore replaces the file, or is refused while a server's is in use.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @cached_property
    def _is_marked(self) -> bool:
        with self._database.queries() as run:
            return bool(_marks(run, REPORTED) or _marks(run, UNCERTAIN))

    def reported_snapshots(self, account: str) -> list[ReportedSnapshot]:
        """Return what the replaced database had read and reported since the backup, by case number."""
        if not self._is_marked:
            return []
        with self._database.queries() as run:
            recorded = _of_account(run, RECORDED, account)
            reported = _of_account(run, REPORTED, account)
        return [
            ReportedSnapshot(snapshot=decode(document), recorded=names in recorded)
            for names, document in sorted(reported.items())
        ]

    def accounts_behind(self) -> frozenset[str]:
        """Return the accounts whose cases changed after the backup and that have not been checked since the restore."""
        if not self._is_marked:
            return frozenset()
        with self._database.queries() as run:
            return frozenset(names[0] for names in _marks(run, REPORTED))

    def forget_reported(self, account: str) -> None:
        """Remove the marks of snapshots that have been recorded."""
        with self._database.writing() as connection:
            run = queries_on(connection)
            keys = [
                mark_key(mark, *names) for mark in (REPORTED, RECORDED) for names in _of_account(run, mark, account)
            ]
            if keys:
                connection.execute(_DELETE, [{"key_": key} for key in keys])

    def uncertain_since(self, account: str) -> datetime | None:
        """Return the backup's last moment if it is unknown which alerts were sent after it; otherwise None."""
        if not self._is_marked:
            return None
        with self._database.queries() as run:
            moment = meta_value(run, mark_key(UNCERTAIN, account))
        return None if moment is None else parse_utc(moment)

    def clear_uncertain(self, account: str) -> None:
        """Remove the account's mark after a check: later changes have not been reported. Writes only if marked."""
        if self.uncertain_since(account) is None:
            return
        with self._database.writing() as connection:
            connection.execute(_DELETE, {"key_": mark_key(UNCERTAIN, account)})


def _of_account(run: RunQuery, mark: str, account: str) -> dict[_Names, str]:
    return {names: value for names, value in _marks(run, mark).items() if names[0] == account}


def _marks(run: RunQuery, mark: str) -> dict[_Names, str]:
    return {tuple(json.loads(key)[1:]): value for key, value in meta_values(run, mark_prefix(mark)).items()}
