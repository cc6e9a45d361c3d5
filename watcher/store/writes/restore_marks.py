"""What a restored database still has to learn of the time since its backup, kept in it until the next read.

`watcher.store.backup.restore_merge` writes it down when a backup is restored. There are two cases. Where the replaced
database could be read, its last snapshots are known, and that people were told of them: they are taken into the books
before the next read, and nobody is told again; nor is it recorded again where the history has been taken over. Where
it could not, nobody knows what was told: alerts say so until a read ends.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlmodel import Session, col, delete, select

from watcher.clock.timestamps import parse_utc
from watcher.model.case import Snapshot
from watcher.store.database.engine import Database
from watcher.store.database.tables import MetaRow
from watcher.store.queries.snapshot_json import decode

REPORTED, RECORDED, UNCERTAIN = "told since the backup", "recorded since the backup", "in doubt since the backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedSnapshot:
    """How a case stood in the replaced database. `recorded`: the history tells how it has come to that."""

    snapshot: Snapshot
    recorded: bool


def mark_key(mark: str, *words: str) -> str:
    """The key in the table `meta` of a mark about an account or a case."""
    return json.dumps([mark, *words], ensure_ascii=False)


class RestoreMarks:
    """The marks that a restore left, by account. Nearly always there is none, which is looked up once.

    None can come while a database is open: a restore puts another file in its place.
    """

    def __init__(self, database: Database) -> None:
        """Works on an open database."""
        self._database = database

    @cached_property
    def _is_marked(self) -> bool:
        with self._database.reading() as session:
            return bool(_marks(session, REPORTED) or _marks(session, UNCERTAIN))

    def reported_snapshots(self, account: str) -> list[ReportedSnapshot]:
        """What the replaced database had read and told of since the backup, by case number."""
        if not self._is_marked:
            return []
        with self._database.reading() as session:
            recorded = {tuple(_words(row.key)) for row in _of_account(session, RECORDED, account)}
            return [
                ReportedSnapshot(snapshot=decode(row.value), recorded=tuple(_words(row.key)) in recorded)
                for row in _of_account(session, REPORTED, account)
            ]

    def accounts_behind(self) -> frozenset[str]:
        """The accounts whose cases had moved on since the backup, and have not been read since it was restored."""
        if not self._is_marked:
            return frozenset()
        with self._database.reading() as session:
            return frozenset(_words(row.key)[0] for row in _marks(session, REPORTED))

    def forget_reported(self, account: str) -> None:
        """These snapshots are in the books now."""
        with self._database.writing() as session:
            for row in (*_of_account(session, REPORTED, account), *_of_account(session, RECORDED, account)):
                session.delete(row)

    def uncertain_since(self, account: str) -> datetime | None:
        """The last moment that the backup tells of, where it is not known what was told since; else None."""
        if not self._is_marked:
            return None
        with self._database.reading() as session:
            mark = session.get(MetaRow, mark_key(UNCERTAIN, account))
        return None if mark is None else parse_utc(mark.value)

    def clear_uncertain(self, account: str) -> None:
        """The account was read: what changes from now on was never told. Writes only where there was a doubt."""
        if self.uncertain_since(account) is None:
            return
        with self._database.writing() as session:
            session.exec(delete(MetaRow).where(col(MetaRow.key) == mark_key(UNCERTAIN, account)))


def _of_account(session: Session, mark: str, account: str) -> list[MetaRow]:
    rows = [row for row in _marks(session, mark) if _words(row.key)[0] == account]
    return sorted(rows, key=lambda row: row.key)


def _marks(session: Session, mark: str) -> list[MetaRow]:
    begin = mark_key(mark).removesuffix("]")
    return list(session.exec(select(MetaRow).where(col(MetaRow.key).startswith(begin, autoescape=True))))


def _words(key: str) -> list[str]:
    return list(json.loads(key)[1:])
