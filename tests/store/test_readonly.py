"""A glance sees what the store sees, or leaves it to the store."""

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
MEANT: dict[tuple[str, str], st.SearchStrategy[Any]] = {
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
"""What a column holds that is more than its type says."""

TYPES: dict[type, st.SearchStrategy[Any]] = {
    str: texts,
    int: st.integers(0, 2**31 - 1),
    bool: st.booleans(),
    bytes: st.binary(max_size=4),
    date: days,
    datetime: MOMENTS,
}


def rows_of(table: Table, **fixed: Any) -> st.SearchStrategy[dict[str, Any]]:
    """A row at random, made from the columns that the table has: one added tomorrow is in it by itself."""
    columns = {}
    for column in table.columns:
        if column.key in fixed:
            columns[column.key] = st.just(fixed[column.key])
            continue
        kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
        held = MEANT.get((table.name, column.key), TYPES[kind.python_type])
        columns[column.key] = st.none() | held if column.nullable else held
    return st.fixed_dictionaries(columns)


@st.composite
def fillings(draw: st.DrawFn) -> list[tuple[Table, dict[str, Any]]]:
    """Rows for every table that is looked at, as different as its columns allow."""
    ids = count(1)
    rows: list[tuple[Table, dict[str, Any]]] = [(ACCOUNTS, draw(rows_of(ACCOUNTS, name=name))) for name in NAMES]
    for name in NAMES:
        for number in draw(st.lists(st.sampled_from([NUMBER, "IOE0000000002", "b"]), unique=True)):
            about = {"account": name, "case_number": number}
            rows.append((CASES, draw(rows_of(CASES, id=next(ids), **about))))
            for table in (ITEMS, NOTICES, CHANGES, ALERTS):
                for _ in range(draw(st.integers(0, 2))):
                    row = next(ids)
                    key = {"key": f"key {row}"} if table in (ITEMS, NOTICES) else {}
                    rows.append((table, draw(rows_of(table, id=row, **about, **key))))
    changes = [row["id"] for table, row in rows if table is CHANGES]
    for alert in [row["id"] for table, row in rows if table is ALERTS]:
        told_of = draw(st.sets(st.sampled_from(changes))) if changes else ()
        rows += [(ALERT_CHANGES, {"alert_id": alert, "change_id": change}) for change in told_of]
    return rows


def everything(view: StoreReader) -> dict[str, Any]:
    """The answer to every question that a view answers."""
    return {
        "where": (view.display_name, view.shared),
        "accounts": view.accounts.all(),
        "numbers": view.case_numbers(),
        "cases": view.tracked_cases(),
        "cases of one": [view.tracked_cases(name) for name in NAMES],
        "one case": view.tracked_cases("family", NUMBER),
        "items": view.items(),
        "notices": [view.notices(), view.notices("family")],
        "history": view.history(),
        "narrow history": [
            view.history(limit=1),
            view.history(case_number=NUMBER, limit=2),
            view.history(accounts=NAMES, kinds=[ChangeKind.STALLED, ChangeKind.CASE_ADDED]),
            view.history(accounts=[]),
        ],
        "alerts": [view.outbox.list(), view.outbox.list(limit=2)],
        "alerts by state": [view.outbox.list(state=state, limit=3) for state in AlertState],
        "counts": view.outbox.counts(),
    }


def glance(kept: TemporaryStore) -> ReadOnlyStore:
    found = open_read_only_store(kept.url, locks=kept.file.with_name("locks"))
    assert found is not None
    return found


@settings(max_examples=30)
@given(fillings())
def test_a_glance_sees_what_the_store_sees_whatever_the_books_hold(rows: list[tuple[Table, dict[str, Any]]]) -> None:
    with TemporaryDirectory() as folder, temporary_store(Path(folder)) as kept:
        with kept.store._database.writing() as connection:
            for table, row in rows:
                connection.execute(table.insert(), row)
        with closing(glance(kept)) as seen:
            assert everything(seen) == everything(kept.store)


def test_a_glance_reads_as_ever_where_another_library_has_its_own_way_with_sqlite(on_disk: TemporaryStore) -> None:
    """Django registers its own converters for the same types when it is imported."""
    record_alerts(on_disk.store, a_draft())
    sqlite3.register_converter("DATETIME", bytes.decode)
    with closing(glance(on_disk)) as seen:
        assert everything(seen) == everything(on_disk.store)


def test_a_glance_sees_one_state_whatever_is_written_meanwhile(on_disk: TemporaryStore) -> None:
    record_alerts(on_disk.store, a_draft("before"))
    with closing(glance(on_disk)) as seen:
        before = everything(seen)
        record_alerts(on_disk.store, a_draft("meanwhile"))
        assert everything(seen) == before
    with closing(glance(on_disk)) as seen:
        assert len(seen.outbox.list()) == 2


def test_a_glance_writes_nothing_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with temporary_store(tmp_path) as kept:
        record_alerts(kept.store, a_draft())
    before = contents(tmp_path)
    with closing(glance(kept)) as seen:
        assert len(seen.history()) == 1
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            seen._database.execute("DELETE FROM change")
    assert contents(tmp_path) == before


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A database at rest."""
    with temporary_store(tmp_path) as kept:
        record_alerts(kept.store, a_draft())
    return kept.file


class TestWhatIsLeftToTheStore:
    def left(self, file: Path) -> bool:
        """Without a trace of having looked."""
        before = contents(file.parent)
        found = open_read_only_store(f"sqlite:///{file}", locks=file.with_name("locks"))
        if found is not None:
            found.close()
        return found is None and contents(file.parent) == before

    def test_books_that_are_not_there_yet(self, tmp_path: Path) -> None:
        assert self.left(tmp_path / "watcher.sqlite3")
        assert self.left(tmp_path / "nowhere" / "watcher.sqlite3")
        (tmp_path / "empty.sqlite3").touch()
        assert self.left(tmp_path / "empty.sqlite3")

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "watcher.sqlite3").write_text("dear diary, " * 500, encoding="utf-8")
        assert self.left(tmp_path / "watcher.sqlite3")

    @pytest.mark.parametrize("schema", ["0000", "9999"])
    def test_the_books_of_another_release(self, closed: Path, schema: str) -> None:
        with closing(sqlite3.connect(closed)) as database:
            database.execute("UPDATE alembic_version SET version_num = ?", (schema,))
            database.commit()
        assert self.left(closed)

    def test_books_that_were_put_back_and_not_yet_opened(self, closed: Path) -> None:
        with closing(sqlite3.connect(closed)) as database:
            database.execute("PRAGMA journal_mode=DELETE")
        assert self.left(closed)

    def test_books_that_another_program_holds_locked(self, closed: Path) -> None:
        with closing(sqlite3.connect(closed, isolation_level=None)) as database:
            database.execute("PRAGMA locking_mode=EXCLUSIVE")
            database.execute("BEGIN EXCLUSIVE")
            assert open_read_only_store(f"sqlite:///{closed}", locks=closed.with_name("locks")) is None

    @pytest.mark.parametrize(
        "url", ["", "postgresql://watcher@/watcher", "sqlite://", "sqlite:///", "sqlite:///x?y=z", "sqlite+other:///x"]
    )
    def test_an_address_that_means_no_plain_file(self, url: str, tmp_path: Path) -> None:
        assert open_read_only_store(url, locks=tmp_path) is None


def test_damage_that_is_found_while_looking_is_told_as_the_store_tells_it(tmp_path: Path) -> None:
    with temporary_store(tmp_path) as kept:
        for _ in range(200):
            record_alerts(kept.store, a_draft("much " * 200))
    with kept.file.open("r+b") as file:
        file.seek(60 * 4096)
        file.write(b"\xff" * 4096 * 40)
    with temporary_store(tmp_path) as damaged, closing(glance(damaged)) as seen:
        with pytest.raises(StoreUnusable, match="damaged") as by_store:
            damaged.store.outbox.list()
        with pytest.raises(StoreUnusable) as by_glance:
            seen.outbox.list()
    assert str(by_glance.value) == str(by_store.value)


def test_the_locks_are_those_of_the_store(on_disk: TemporaryStore) -> None:
    with closing(glance(on_disk)) as seen, seen.locks.acquire("daemon"):  # noqa: SIM117 - the raise is of the inner one
        with pytest.raises(Busy), on_disk.store.locks.acquire("daemon"):
            pass
