"""What happened after a backup was taken, and is not undone by putting it back.

The books go back to what the backup says. But changes were told, credentials were submitted, requests were counted,
people said what they had dealt with, letters were saved: that is taken over from the database that the backup replaces,
as far as it can be read, for it may be damaged.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from watcher.model.alert import AlertState, AlertText, HoldReason
from watcher.model.case import ItemState
from watcher.store.queries.snapshot_json import decode_item, decode_notice
from watcher.store.writes.accounts import SALT
from watcher.store.writes.restore_marks import RECORDED, REPORTED, UNCERTAIN, mark_key

AddRestoreNote: TypeAlias = Callable[[AlertText, datetime], AlertText]
"""Makes the words of an alert say that it may have gone out after the backup's last moment."""

_ENTRY = ("id", "account", "case_number", "first_seen_at")
"""What an entry of the ledger, or a notice, is known by: its key may have moved with the portal's."""

_TOLD_FROM = ("account", "case", "alert", "reminder", "meta")
_WAITING = (AlertState.QUEUED.value, AlertState.HELD.value)
_FATE = ("state", "hold", "attempts", "next_attempt_at", "sent_at", "acknowledged_at", "last_error", "note")
_HAPPENED = ("at", "account", "case_number", "kind", "subject", "old", "new")
_OF_THE_NEXT_READ = ("name", "next_read_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeResult:
    """What could be read of the replaced database.

    `told`: what was told since the backup is known, and nothing of it is told again. `marks`: so is what the user wrote
    into the ledger since (done, due, reopen), all of it.
    """

    alerts_known: bool
    ledger_known: bool


def merge_into(
    replaced: Path, copy: Path, *, accounts: Collection[str], since: datetime, now: datetime, add_note: AddRestoreNote
) -> MergeResult:
    """Takes over into `copy`, which is about to be put in the place of `replaced`, what cannot be undone.

    The backup's last moment is `since`. Where it cannot be known what was told since, what may have been told says so,
    through `doubting`; so does the next read of the `accounts`, which are those of the configuration: the backup may be
    older than the first read of one. A `replaced` that is missing or unreadable is no error.
    """
    with closing(sqlite3.connect(copy)) as books, _opened(replaced) as database, books:
        books.row_factory = sqlite3.Row
        books.execute("PRAGMA secure_delete=ON")
        old = _Replaced(database)
        one_line = _is_one_line(old, books)
        known = one_line and all(old.is_whole(table) for table in _TOLD_FROM) and not _doubts(old)
        _fates(old, books)
        _entries("item", old, books, sound=_is_item, with_new=one_line)
        _entries("notice", old, books, sound=_is_notice, with_new=one_line)
        if one_line:
            _submissions(old, books)
        if known:
            _what_was_told(old, books)
        else:
            _doubt_waiting(old, books, since=since, now=now, doubting=add_note)
            _doubt_next_reads(books, accounts, since)
        return MergeResult(alerts_known=known, ledger_known=one_line and old.is_whole("item"))


class _Replaced:
    """A database that may be damaged, or none at all: what can be read of it."""

    def __init__(self, database: sqlite3.Connection | None) -> None:
        self._database = database
        self._found: dict[str, list[sqlite3.Row]] = {}

    def is_whole(self, table: str) -> bool:
        """Whether SQLite finds no fault in this table."""
        if self._database is None:
            return False
        try:
            faults = [row[0] for row in self._database.execute(f'PRAGMA quick_check("{table}")')]
        except sqlite3.DatabaseError:
            return False
        return faults == ["ok"]

    def rows(self, table: str) -> list[sqlite3.Row]:
        """The rows of a table in their order, read from both ends up to the damage, where there is any."""
        if table not in self._found:
            self._found[table] = self._read(table)
        return self._found[table]

    def _read(self, table: str) -> list[sqlite3.Row]:
        found: dict[int, sqlite3.Row] = {}
        for order in ("ASC", "DESC"):
            try:
                for row in self._rows(table, order):
                    if row["place"] in found:
                        break
                    found[row["place"]] = row
            except sqlite3.DatabaseError:
                continue  # what lies beyond is read from the other end
        return [found[place] for place in sorted(found)]

    def _rows(self, table: str, order: str) -> Iterator[sqlite3.Row]:
        if self._database is not None:
            query = f'SELECT rowid AS place, * FROM "{table}" ORDER BY rowid {order}'  # noqa: S608 - names of ours
            yield from self._database.execute(query)

    @cached_property
    def alerts(self) -> dict[tuple[object, ...], sqlite3.Row]:
        """The alerts by what they are known by."""
        return {_identity(row): row for row in self.rows("alert")}


def _is_one_line(old: _Replaced, books: sqlite3.Connection) -> bool:
    """Whether the replaced database is what became of the backup: the same accounts, entered at the same moments."""
    entered = {row["name"]: row["first_seen_at"] for row in old.rows("account")}
    return all(entered.get(row["name"]) == row["first_seen_at"] for row in books.execute("SELECT * FROM account"))


def _doubts(old: _Replaced) -> bool:
    """Whether an earlier restore had left open what was told, and no read had come since."""
    return any(row["key"].startswith(mark_key(UNCERTAIN).removesuffix("]")) for row in old.rows("meta"))


def _submissions(old: _Replaced, books: sqlite3.Connection) -> None:
    """Promise 2: what was submitted, and what the portal said to it, counts after a restore as before."""
    for row in old.rows("meta"):
        if row["key"] == SALT:
            books.execute("INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)", (row["key"], row["value"]))
    for row in old.rows("submission"):
        if not _is_moment(row["at"]):
            continue
        which = (row["account"], row["at"])
        there = books.execute("SELECT id FROM submission WHERE account = ? AND at = ?", which).fetchone()
        if there is None:
            _insert(books, "submission", row, without=("id",))
        elif row["verdict"] is not None:
            books.execute("UPDATE submission SET verdict = ? WHERE id = ?", (row["verdict"], there["id"]))
    for row in old.rows("quota") if old.is_whole("quota") else ():
        books.execute(
            "INSERT INTO quota (account, day, taken) VALUES (:account, :day, :taken)"
            " ON CONFLICT (account, day) DO UPDATE SET taken = max(taken, excluded.taken)",
            {name: row[name] for name in ("account", "day", "taken")},
        )


def _fates(old: _Replaced, books: sqlite3.Connection) -> None:
    """Alerts that wait in the backup, and whose later fate can still be read: it is theirs."""
    for row in _waiting(books):
        fate = old.alerts.get(_identity(row))
        if fate is not None and fate["state"] in set(AlertState):
            changes = ", ".join(f"{column} = :{column}" for column in _FATE)
            values = {column: fate[column] for column in _FATE} | {"id": row["id"]}
            books.execute(f"UPDATE OR IGNORE alert SET {changes} WHERE id = :id", values)  # noqa: S608 - names of ours


def _entries(
    table: str, old: _Replaced, books: sqlite3.Connection, *, sound: Callable[[sqlite3.Row], bool], with_new: bool
) -> None:
    """Entries of the ledger with what the user wrote there, or notices with where their letters were saved.

    They are taken over as they stood, under their numbers, and so may be ahead of their cases until the next read.
    `with_new`: also those that the backup does not know; else only what is surely the same entry.
    """
    known = {row["id"]: tuple(row[name] for name in _ENTRY) for row in books.execute(f"SELECT * FROM {table}")}  # noqa: S608
    for row in old.rows(table):
        if not sound(row):
            continue
        if row["id"] not in known:
            if with_new:
                _insert(books, table, row)
        elif known[row["id"]] == tuple(row[name] for name in _ENTRY):
            _update(books, table, row, key="id")


def _is_item(row: sqlite3.Row) -> bool:
    """Damage can leave a row that reads well and holds nonsense, here and below."""
    try:
        decode_item(row["document"])
        ItemState(row["state"])
        dated = row["dated_at"] is None or _is_moment(row["dated_at"])
        on_letter = row["letter_due_on"] is None or bool(date.fromisoformat(row["letter_due_on"]))
        return dated and on_letter and _is_moment(row["first_seen_at"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return False


def _is_notice(row: sqlite3.Row) -> bool:
    try:
        return bool(decode_notice(row["document"])) and _is_moment(row["first_seen_at"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return False


def _what_was_told(old: _Replaced, books: sqlite3.Connection) -> None:
    """Everything that was told is known, and what was about to be told is told."""
    changes = _history(old, books)
    _alerts(old, books, changes)
    for row in old.rows("reminder"):
        _insert(books, "reminder", row)
    for row in old.rows("account"):
        _insert(books, "account", row)
        _update(books, "account", row, key="name", without=_OF_THE_NEXT_READ)
    marks = (REPORTED,) if changes is None else (REPORTED, RECORDED)
    for row in old.rows("meta"):
        if row["key"].startswith(tuple(mark_key(mark).removesuffix("]") for mark in marks)):
            _insert(books, "meta", row)
    _snapshots(old, books, recorded=changes is not None)


def _history(old: _Replaced, books: sqlite3.Connection) -> dict[int, int] | None:
    """The changes since the backup as they were recorded. Returns the number here of each change there.

    None, and nothing is taken over, where it is damaged or of a release that knew too little: the next read then
    records anew how its cases have moved.
    """
    if not (old.is_whole("change") and old.is_whole("alert_change")):
        return None
    known = {tuple(row[name] for name in _HAPPENED): row["id"] for row in books.execute("SELECT * FROM change")}
    numbers = {}
    for row in old.rows("change"):
        number = known.get(tuple(row[name] for name in _HAPPENED)) or _enter(books, "change", row)
        if number is None:
            return None
        numbers[row["id"]] = number
    return numbers


def _alerts(old: _Replaced, books: sqlite3.Connection, changes: dict[int, int] | None) -> None:
    """The alerts since the backup, those that went out too: who has seen one of them means all that tell the same.

    Where it is not known what they tell of, only those that still wait or were given up.
    """
    known = {_identity(row) for row in books.execute("SELECT * FROM alert")}
    numbers = {
        row["id"]: _enter(books, "alert", row)
        for identity, row in old.alerts.items()
        if identity not in known and (changes is not None or row["state"] != AlertState.SENT)
    }
    for row in old.rows("alert_change"):
        tells = (numbers.get(row["alert_id"]), (changes or {}).get(row["change_id"]))
        if None not in tells:
            books.execute("INSERT OR IGNORE INTO alert_change (alert_id, change_id) VALUES (?, ?)", tells)


def _snapshots(old: _Replaced, books: sqlite3.Connection, *, recorded: bool) -> None:
    """The cases that moved since the backup, as they were told, and those that people know to be missing.

    `recorded`: how they moved is in the history already.
    """
    before = {
        (row["account"], row["case_number"]): row["revision"]
        for row in books.execute('SELECT account, case_number, revision FROM "case"')
    }
    for row in old.rows("case"):
        if row["document"] is not None and row["revision"] > before.get((row["account"], row["case_number"]), -1):
            key = mark_key(REPORTED, row["account"], row["case_number"])
            books.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, row["document"]))
            mark = mark_key(RECORDED, row["account"], row["case_number"])
            books.execute("DELETE FROM meta WHERE key = ?", (mark,))
            if recorded:
                books.execute("INSERT INTO meta (key, value) VALUES (?, '')", (mark,))
        which = {name: row[name] for name in ("account", "case_number", "missing_reads")}
        books.execute(
            'UPDATE "case" SET missing_reads = :missing_reads WHERE account = :account AND case_number = :case_number',
            which,
        )


def _doubt_waiting(
    old: _Replaced, books: sqlite3.Connection, *, since: datetime, now: datetime, doubting: AddRestoreNote
) -> None:
    """Nobody knows what was told: what was due by now may have gone out."""
    due = now.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
    for row in _waiting(books):
        still_held = row["hold"] is not None and row["next_attempt_at"] > due
        if still_held or _identity(row) in old.alerts:
            continue
        words = doubting(AlertText(**{part: row[part] for part in ("title", "body", "html", "short")}), since)
        books.execute(
            "UPDATE alert SET body = ?, html = ?, short = ?, hold = ?, state = ? WHERE id = ?",
            (words.body, words.html, words.short, HoldReason.MAYBE_SENT.value, AlertState.HELD.value, row["id"]),
        )


def _doubt_next_reads(books: sqlite3.Connection, accounts: Collection[str], since: datetime) -> None:
    """What the next read of an account finds changed may have been told."""
    known = {row["name"] for row in books.execute("SELECT name FROM account")}
    for name in sorted(known.union(accounts)):
        mark = (mark_key(UNCERTAIN, name), since.isoformat())
        books.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", mark)


def _waiting(books: sqlite3.Connection) -> list[sqlite3.Row]:
    return books.execute("SELECT * FROM alert WHERE state IN (?, ?) ORDER BY id", _WAITING).fetchall()


def _identity(alert: sqlite3.Row) -> tuple[object, ...]:
    return alert["id"], alert["channel"], alert["created_at"], alert["title"]


def _is_moment(text: object) -> bool:
    try:
        return isinstance(text, str) and bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def _insert(
    books: sqlite3.Connection, table: str, row: sqlite3.Row, *, without: tuple[str, ...] = ()
) -> sqlite3.Cursor:
    """Writes a row of the replaced database, where there is none with its key."""
    columns = _columns(books, table, row, without)
    values = ", ".join(f":{name}" for name in columns)
    query = f'INSERT OR IGNORE INTO "{table}" ({", ".join(columns)}) VALUES ({values})'  # noqa: S608 - names of ours
    return books.execute(query, dict(row))


def _enter(books: sqlite3.Connection, table: str, row: sqlite3.Row) -> int | None:
    """Writes a row of the replaced database under its number, by which people know it. Returns the number.

    It gets another where two lines of the same books have given one number twice. None: it cannot be written.
    """
    taken = books.execute(f'SELECT 1 FROM "{table}" WHERE id = ?', (row["id"],)).fetchone()  # noqa: S608
    written = _insert(books, table, row, without=("id",) if taken else ())
    return written.lastrowid if written.rowcount == 1 else None


def _update(
    books: sqlite3.Connection, table: str, row: sqlite3.Row, *, key: str, without: tuple[str, ...] = ()
) -> None:
    """Makes the row with this key the one of the replaced database, where none stands against it."""
    changes = ", ".join(f"{name} = :{name}" for name in _columns(books, table, row, without))
    books.execute(f'UPDATE OR IGNORE "{table}" SET {changes} WHERE {key} = :{key}', dict(row))  # noqa: S608


def _columns(books: sqlite3.Connection, table: str, row: sqlite3.Row, without: tuple[str, ...]) -> list[str]:
    """Those that both have: the replaced database may be of another release than the backup."""
    present = {column["name"] for column in books.execute(f'PRAGMA table_info("{table}")')}
    return [name for name in row.keys() if name in present and name not in without]  # noqa: SIM118 - a Row is no dict


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection | None]:
    """The database as it lies there; None where there is none or where nothing can be made of it."""
    if not file.is_file():
        yield None
        return
    with closing(sqlite3.connect(f"file:{quote(str(file.absolute()))}?mode=ro", uri=True, timeout=10)) as database:
        database.row_factory = sqlite3.Row
        yield database
