"""Rows are the same in a file, on a server, and in a file again."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.postgres.server import Server
from tests.store.database_rows import Rows, all_rows, rows_of, write_rows
from watcher.errors import StoreUnusable
from watcher.store import Store
from watcher.store.backup.left_out import LEFT_OUT
from watcher.store.backup.restoring import Restore, RestoreResult
from watcher.store.backup.server_rows import carried_tables, load_rows, no_count, save_rows
from watcher.store.database.engine import Database
from watcher.store.database.server_in_use import hold_alone
from watcher.store.database.tables import Row


@pytest.fixture(scope="module")
def server(postgres: Server) -> Iterator[Database]:
    database = Database(postgres.new_store())
    yield database
    database.close()


def test_every_table_is_carried_or_left_out_for_a_reason() -> None:
    carried = {table.name for table in carried_tables()}
    assert carried.isdisjoint(LEFT_OUT)
    assert carried.union(LEFT_OUT) == set(Row.metadata.tables)
    assert all(LEFT_OUT.values())


@given(rows=all_rows())
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_rows_are_unchanged_by_a_server(server: Database, tmp_path: Path, rows: Rows) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write_rows(first, rows)
    second.unlink(missing_ok=True)
    with server.writing() as connection:
        load_rows(first, connection, no_count)
    with server.reading() as connection:
        save_rows(connection, "", second, no_count)
    assert rows_of(second) == rows_of(first)
    assert {name: len(stored) for name, stored in rows_of(first).items()} == {
        name: len(written) for name, written in rows.items()
    }


def restore_of(copy: Path, database: Database, folder: Path) -> RestoreResult:
    restore = Restore(copy=copy, accounts=[], now=datetime.now(UTC), add_note=lambda text, *_: text, force=True)
    return restore.run(database.engine.url.render_as_string(hide_password=False), folder / "watcher.sqlite3")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    file = tmp_path / "copy.sqlite3"
    write_rows(file, {table.name: [] for table in carried_tables()})
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "INSERT INTO account (name, state, first_seen_at, failures, told)"
            " VALUES ('family', 'ok', '2026-03-01 12:00:00.000000', 0, '[]')"
        )
    return file


@pytest.fixture
def fresh(postgres: Server) -> Iterator[Database]:
    database = Database(postgres.new_store())
    yield database
    database.close()


def test_value_that_cannot_be_stored_is_reported_and_nothing_is_changed(
    copy: Path, fresh: Database, tmp_path: Path
) -> None:
    restore_of(copy, fresh, tmp_path)
    for broken in ("failures = 'many'", "first_seen_at = 'yesterday'", "failures = 99999999999"):
        with closing(sqlite3.connect(copy)) as database, database:
            database.execute(f"UPDATE account SET {broken}")  # noqa: S608
        with pytest.raises(StoreUnusable, match=r"copy.sqlite3: .*damaged"):
            restore_of(copy, fresh, tmp_path)
    with fresh.reading() as connection:
        assert connection.exec_driver_sql("SELECT failures FROM account").scalars().all() == [0]
    assert list(tmp_path.glob(".*")) == []


def test_character_that_the_server_has_not_is_replaced(copy: Path, fresh: Database, tmp_path: Path) -> None:
    with closing(sqlite3.connect(copy)) as database, database:
        database.execute("UPDATE account SET last_error = 'a' || char(0) || 'b'")
    restore_of(copy, fresh, tmp_path)
    with fresh.reading() as connection:
        assert connection.exec_driver_sql("SELECT last_error FROM account").scalars().all() == ["a\ufffdb"]


def test_sessions_on_the_server_stay(copy: Path, fresh: Database, tmp_path: Path) -> None:
    with fresh.writing() as connection:
        connection.exec_driver_sql("INSERT INTO sealed (owner, purpose, content) VALUES ('family', 'session', '')")
    fresh.close()
    restore_of(copy, fresh, tmp_path)
    with fresh.reading() as connection:
        assert connection.exec_driver_sql("SELECT owner FROM sealed").scalars().all() == ["family"]


def test_database_cannot_be_opened_during_a_restore(fresh: Database, tmp_path: Path) -> None:
    with fresh.writing() as connection:
        assert hold_alone(connection)
        with pytest.raises(StoreUnusable, match="a backup is being restored to it"):
            Store(fresh.engine.url.render_as_string(hide_password=False), locks=tmp_path)
