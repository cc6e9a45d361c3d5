"""Rows are the same in a file, on a server, and in a file again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.postgres.database_rows import Rows, all_rows, rows_of, write_rows
from tests.postgres.server import Server
from watcher.store.backup.left_out import LEFT_OUT
from watcher.store.backup.server_rows import carried_tables, load_rows, no_count, save_rows
from watcher.store.database.engine import Database
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
