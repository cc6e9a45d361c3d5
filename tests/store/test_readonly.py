"""The read-only store returns what the store returns, or leaves it to the store."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, TypeDecorator

from tests.store.temporary_store import NUMBER, TemporaryStore, a_draft, record_alerts, temporary_store
from tests.support.snapshots import days, entries, snapshots, texts
from watcher.errors import StoreUnusable
from watcher.model.account_health import AccountState
from watcher.model.alert import AlertState
from watcher.model.case import ItemState, Notice, PendingItem
from watcher.model.change import ChangeKind, Severity
from watcher.store import Busy, StoreReader
from watcher.store.database.tables import ALERT_CHANGES, ALERTS, CASES, CHANGES, ITEMS, NOTICES, AccountRow, Row
from watcher.store.queries.snapshot_json import encode
from watcher.store.readonly import ReadOnlyStore, open_read_only_store

ACCOUNTS: Table = Row.metadata.tables[str(AccountRow.__tablename__)]
MOMENTS = st.datetimes(timezones=st.just(UTC), min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30))  # noqa: DTZ001
NAMES = ("family", "aunt")
BY_NAME: dict[tuple[str, str], st.SearchStrategy[Any]] = {
    ("account", "state"): st.sampled_from([state.value for state in AccountState]),
    ("account", "notified"): st.lists(st.sampled_from([kind.value for kind in ChangeKind])).map(",".join),
    ("case", "document"): st.none() | snapshots().map(encode),
    ("item", "document"): entries(PendingItem, "rfe:1").map(encode),
    ("item", "state"): st.sampled_from([state.value for state in ItemState]),
    ("notice", "document"): entries(Notice, "n1").map(encode),
    ("change", "kind"): st.sampled_from([kind.value for kind in ChangeKind]),
    ("change", "severity"): st.sampled_from([severity.value for severity in Severity]),
    ("change", "old"): st.sampled_from([None, "null", '"Before"', '{"days":3}']),
    ("change", "new"): st.sampled_from([None, "null", '"After"', '{"days":4}']),
    ("alert", "state"): st.sampled_from([state.value for state in AlertState]),
    ("alert", "severity"): st.sampled_from([severity.value for severity in Severity]),
}
"""Values of columns that accept less than their type does."""

BY_TYPE: dict[type, st.SearchStrategy[Any]] = {
    str: texts,
    int: st.integers(0, 2**31 - 1),
    bool: st.booleans(),
    bytes: st.binary(max_size=4),
    date: days,
    datetime: MOMENTS,
}


def rows_of(table: Table, **fixed: Any) -> st.SearchStrategy[dict[str, Any]]:
    """A random row with all columns of the table, so that a column added later is covered."""
    columns = {}
    for column in table.columns:
        if column.key in fixed:
            columns[column.key] = st.just(fixed[column.key])
            continue
        kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
        values = BY_NAME.get((table.name, column.key), BY_TYPE[kind.python_type])
        columns[column.key] = st.none() | values if column.nullable else values
    return st.fixed_dictionaries(columns)


@st.composite
def filled_tables(draw: st.DrawFn) -> list[tuple[Table, dict[str, Any]]]:
    """Rows for every table that can be read, as different as its columns allow."""
    ids = count(1)
    rows: list[tuple[Table, dict[str, Any]]] = [(ACCOUNTS, draw(rows_of(ACCOUNTS, name=name))) for name in NAMES]
    for name in NAMES:
        for number in draw(st.lists(st.sampled_from([NUMBER, "IOE0000000002", "b"]), unique=True)):
            case = {"account": name, "case_number": number}
            rows.append((CASES, draw(rows_of(CASES, id=next(ids), **case))))
            for table in (ITEMS, NOTICES, CHANGES, ALERTS):
                for _ in range(draw(st.integers(0, 2))):
                    row = next(ids)
                    key = {"key": f"key {row}"} if table in (ITEMS, NOTICES) else {}
                    rows.append((table, draw(rows_of(table, id=row, **case, **key))))
    changes = [row["id"] for table, row in rows if table is CHANGES]
    for alert in [row["id"] for table, row in rows if table is ALERTS]:
        change_ids = draw(st.sets(st.sampled_from(changes))) if changes else ()
        rows += [(ALERT_CHANGES, {"alert_id": alert, "change_id": change}) for change in change_ids]
    return rows


def everything(reader: StoreReader) -> dict[str, Any]:
    """The results of every method that reads."""
    return {
        "database": (reader.display_name, reader.shared),
        "accounts": reader.accounts.all(),
        "numbers": reader.case_numbers(),
        "cases": reader.tracked_cases(),
        "cases of one": [reader.tracked_cases(name) for name in NAMES],
        "one case": reader.tracked_cases("family", NUMBER),
        "items": reader.items(),
        "notices": [reader.notices(), reader.notices("family")],
        "history": reader.history(),
        "narrow history": [
            reader.history(limit=1),
            reader.history(case_number=NUMBER, limit=2),
            reader.history(accounts=NAMES, kinds=[ChangeKind.STALLED, ChangeKind.CASE_ADDED]),
            reader.history(accounts=[]),
        ],
        "alerts": [reader.outbox.list(), reader.outbox.list(limit=2)],
        "alerts by state": [reader.outbox.list(state=state, limit=3) for state in AlertState],
        "counts": reader.outbox.counts(),
    }


def open_reader(temporary: TemporaryStore) -> ReadOnlyStore:
    reader = open_read_only_store(temporary.url, locks=temporary.file.with_name("locks"))
    assert reader is not None
    return reader


@settings(max_examples=30)
@given(filled_tables())
def test_read_only_store_returns_what_the_store_returns(rows: list[tuple[Table, dict[str, Any]]]) -> None:
    with TemporaryDirectory() as folder, temporary_store(Path(folder)) as temporary:
        with temporary.store._database.writing() as connection:
            for table, row in rows:
                connection.execute(table.insert(), row)
        with closing(open_reader(temporary)) as reader:
            assert everything(reader) == everything(temporary.store)


def test_converters_of_another_library_change_nothing(on_disk: TemporaryStore) -> None:
    """Django registers its own converters for the same types when it is imported."""
    record_alerts(on_disk.store, a_draft())
    sqlite3.register_converter("DATETIME", bytes.decode)
    with closing(open_reader(on_disk)) as reader:
        assert everything(reader) == everything(on_disk.store)


def test_read_only_store_sees_one_state_while_others_write(on_disk: TemporaryStore) -> None:
    record_alerts(on_disk.store, a_draft("before"))
    with closing(open_reader(on_disk)) as reader:
        before = everything(reader)
        record_alerts(on_disk.store, a_draft("meanwhile"))
        assert everything(reader) == before
    with closing(open_reader(on_disk)) as reader:
        assert len(reader.outbox.list()) == 2


def test_read_only_store_writes_nothing_and_leaves_no_files(tmp_path: Path) -> None:
    with temporary_store(tmp_path) as temporary:
        record_alerts(temporary.store, a_draft())
    before = contents(tmp_path)
    with closing(open_reader(temporary)) as reader:
        assert len(reader.history()) == 1
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader._database.execute("DELETE FROM change")
    assert contents(tmp_path) == before


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def closed_file(tmp_path: Path) -> Path:
    """A database that is not open."""
    with temporary_store(tmp_path) as temporary:
        record_alerts(temporary.store, a_draft())
    return temporary.file


class TestLeftToTheStore:
    def is_left(self, file: Path) -> bool:
        """Return whether the file is not opened, and nothing changed in its folder."""
        before = contents(file.parent)
        reader = open_read_only_store(f"sqlite:///{file}", locks=file.with_name("locks"))
        if reader is not None:
            reader.close()
        return reader is None and contents(file.parent) == before

    def test_missing_or_empty_database(self, tmp_path: Path) -> None:
        assert self.is_left(tmp_path / "watcher.sqlite3")
        assert self.is_left(tmp_path / "nowhere" / "watcher.sqlite3")
        (tmp_path / "empty.sqlite3").touch()
        assert self.is_left(tmp_path / "empty.sqlite3")

    def test_file_that_is_not_a_database(self, tmp_path: Path) -> None:
        (tmp_path / "watcher.sqlite3").write_text("dear diary, " * 500, encoding="utf-8")
        assert self.is_left(tmp_path / "watcher.sqlite3")

    @pytest.mark.parametrize("schema", ["0000", "9999"])
    def test_database_of_another_release(self, closed_file: Path, schema: str) -> None:
        with closing(sqlite3.connect(closed_file)) as database:
            database.execute("UPDATE alembic_version SET version_num = ?", (schema,))
            database.commit()
        assert self.is_left(closed_file)

    def test_restored_database_that_has_not_been_opened(self, closed_file: Path) -> None:
        with closing(sqlite3.connect(closed_file)) as database:
            database.execute("PRAGMA journal_mode=DELETE")
        assert self.is_left(closed_file)

    def test_database_locked_by_another_program(self, closed_file: Path) -> None:
        with closing(sqlite3.connect(closed_file, isolation_level=None)) as database:
            database.execute("PRAGMA locking_mode=EXCLUSIVE")
            database.execute("BEGIN EXCLUSIVE")
            assert open_read_only_store(f"sqlite:///{closed_file}", locks=closed_file.with_name("locks")) is None

    @pytest.mark.parametrize(
        "url", ["", "postgresql://watcher@/watcher", "sqlite://", "sqlite:///", "sqlite:///x?y=z", "sqlite+other:///x"]
    )
    def test_url_that_is_not_a_plain_file(self, url: str, tmp_path: Path) -> None:
        assert open_read_only_store(url, locks=tmp_path) is None


def test_damage_found_while_reading_is_reported_as_by_the_store(tmp_path: Path) -> None:
    with temporary_store(tmp_path) as temporary:
        for _ in range(200):
            record_alerts(temporary.store, a_draft("much " * 200))
    with temporary.file.open("r+b") as file:
        file.seek(60 * 4096)
        file.write(b"\xff" * 4096 * 40)
    with temporary_store(tmp_path) as damaged, closing(open_reader(damaged)) as reader:
        with pytest.raises(StoreUnusable, match="damaged") as by_store:
            damaged.store.outbox.list()
        with pytest.raises(StoreUnusable) as by_reader:
            reader.outbox.list()
    assert str(by_reader.value) == str(by_store.value)


def test_locks_are_those_of_the_store(on_disk: TemporaryStore) -> None:
    with closing(open_reader(on_disk)) as reader, reader.locks.acquire("daemon"):  # noqa: SIM117 - the raise is of the inner one
        with pytest.raises(Busy), on_disk.store.locks.acquire("daemon"):
            pass
