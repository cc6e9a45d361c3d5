"""Reading of the database that a restore replaces. It may be damaged, from another release, or missing."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from watcher.model.case import ItemState
from watcher.store.database.sqlite_url import file_uri
from watcher.store.queries.snapshot_json import decode_item, decode_notice
from watcher.store.writes.restore_marks import UNCERTAIN, mark_prefix

_LAST_MOMENTS = (
    "SELECT max(last_attempt_at) FROM account",
    "SELECT max(at) FROM change",
    "SELECT max(created_at) FROM alert",
    "SELECT max(sent_at) FROM alert",
)

DAMAGE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What sqlite3 raises for a damaged file: the second where a damaged schema would be quoted in the message."""


class ReplacedDatabase:
    """The readable part of a replaced database."""

    def __init__(self, connection: sqlite3.Connection | None) -> None:
        """Without a connection there is nothing to read."""
        self._connection = connection

    def is_intact(self, table: str) -> bool:
        """Return whether SQLite finds no damage in this table."""
        if self._connection is None:
            return False
        try:
            results = [row[0] for row in self._connection.execute(f'PRAGMA quick_check("{table}")')]
        except DAMAGE:
            return False
        return results == ["ok"]

    def rows(self, table: str) -> Iterator[sqlite3.Row]:
        """Yield the rows of a table in order, read from both ends up to the damage, if there is any."""
        last = None
        try:
            for row in self._select(f'SELECT rowid AS place, * FROM "{table}" ORDER BY rowid'):  # noqa: S608 - our own names
                yield row
                last = row["place"]
        except DAMAGE:
            yield from reversed(self._rows_after(table, last))

    def _rows_after(self, table: str, last: int | None) -> list[sqlite3.Row]:
        """Return the rows beyond the damage, the last one first."""
        rows: list[sqlite3.Row] = []
        try:
            for row in self._select(f'SELECT rowid AS place, * FROM "{table}" ORDER BY rowid DESC'):  # noqa: S608
                if last is not None and row["place"] <= last:
                    break
                rows.append(row)
        except DAMAGE:
            pass  # this is the damage
        return rows

    def _select(self, query: str, *parameters: object) -> Iterator[sqlite3.Row]:
        if self._connection is not None:
            yield from self._connection.execute(query, parameters)

    def alert(self, alert: sqlite3.Row) -> sqlite3.Row | None:
        """Return the same alert in this database; None if it is not there or cannot be read."""
        try:
            rows = list(self._select("SELECT * FROM alert WHERE id = ?", alert["id"]))
        except DAMAGE:
            return None
        return next((row for row in rows if alert_identity(row) == alert_identity(alert)), None)

    def changes_of(self, alert_id: int) -> list[int]:
        """Return the ids of the changes that an alert is about."""
        return [row[0] for row in self._select("SELECT change_id FROM alert_change WHERE alert_id = ?", alert_id)]

    def is_older(self, backup: sqlite3.Connection, now: datetime) -> bool:
        """Return whether the backup was made later, from another database that had continued this one.

        So it is after a database was moved to another place and back. A moment in the future is of a clock that was
        wrong, and says nothing.
        """
        try:
            mine = last_moment(self._connection) if self._connection else None
        except DAMAGE:
            return False
        newest = last_moment(backup)
        return mine is not None and newest is not None and mine < newest <= stored_moment(now)

    def continues(self, backup: sqlite3.Connection) -> bool:
        """Return whether this database continues the backup: it has the same accounts, added at the same moments."""
        added = {row["name"]: row["first_seen_at"] for row in self.rows("account")}
        return all(added.get(row["name"]) == row["first_seen_at"] for row in backup.execute("SELECT * FROM account"))

    def is_uncertain(self) -> bool:
        """Return whether an earlier restore left uncertain which alerts were sent, with no check since."""
        return any(row["key"].startswith(mark_prefix(UNCERTAIN)) for row in self.rows("meta"))


@contextmanager
def open_replaced(file: Path) -> Iterator[ReplacedDatabase]:
    """Open a database file as it is; a missing one is empty."""
    if not file.is_file():
        yield ReplacedDatabase(None)
        return
    with open_for_reading(file) as connection:
        connection.row_factory = sqlite3.Row
        yield ReplacedDatabase(connection)


@contextmanager
def open_for_reading(file: Path) -> Iterator[sqlite3.Connection]:
    """Open an SQLite file without the right to write to it. Raises sqlite3.Error."""
    with closing(sqlite3.connect(file_uri(file, "ro"), uri=True, timeout=10)) as connection:
        yield connection


def last_moment(database: sqlite3.Connection) -> str | None:
    """Return the last moment that is recorded, as SQLite stores it, or None. Raises sqlite3.Error."""
    moments = [database.execute(query).fetchone()[0] for query in _LAST_MOMENTS]
    return max(filter(None, moments), default=None)


def stored_moment(moment: datetime) -> str:
    """Return a moment as SQLite stores it: UTC without an offset."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def alert_identity(alert: sqlite3.Row) -> tuple[object, ...]:
    """Return what identifies an alert in two databases; the id alone may have been used twice."""
    return alert["id"], alert["channel"], alert["created_at"], alert["title"]


def is_valid_moment(text: object) -> bool:
    """Return whether a value is a moment. Damage can leave rows that can be read but whose values make no sense."""
    try:
        return isinstance(text, str) and bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def is_valid_item(row: sqlite3.Row) -> bool:
    """Return whether a row is a pending item that the program can read."""
    return _is_valid(row, _check_item)


def is_valid_notice(row: sqlite3.Row) -> bool:
    """Return whether a row is a notice that the program can read."""
    return _is_valid(row, lambda row: decode_notice(row["document"]))


def _is_valid(row: sqlite3.Row, check: Callable[[sqlite3.Row], object]) -> bool:
    try:
        check(row)
    except (ValueError, TypeError, KeyError, AttributeError):
        return False
    return is_valid_moment(row["first_seen_at"])


def _check_item(row: sqlite3.Row) -> None:
    decode_item(row["document"])
    ItemState(row["state"])
    if row["dated_at"] is not None:
        datetime.fromisoformat(row["dated_at"])
    if row["letter_due_on"] is not None:
        date.fromisoformat(row["letter_due_on"])
