"""The tables, and the upgrades to them from every release."""

import sqlite3
import stat
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from tests.store.temporary_store import NOW, NUMBER, TemporaryStore, record_alerts, temporary_store
from watcher.errors import StoreUnusable
from watcher.model.alert import AlertState
from watcher.model.change import ChangeKind
from watcher.store import Store
from watcher.store.database import migrate, schema
from watcher.store.database.server_url import with_driver
from watcher.store.database.tables import Row

RELEASED = sorted(Path(__file__).parent.glob("released_*.sql"))


def load(dump: Path, file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.executescript(dump.read_text(encoding="utf-8"))


def test_migrations_create_the_tables_that_the_program_uses(temporary: TemporaryStore) -> None:
    url = make_url(temporary.url)
    engine = create_engine(with_driver(url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"render_as_batch": True, "compare_type": False})
        assert compare_metadata(context, Row.metadata) == []
        assert context.get_current_revision() == schema.HEAD
    engine.dispose()


def test_every_released_schema_has_a_dump(on_disk: TemporaryStore) -> None:
    versions = Path(migrate.__file__).with_name("migrations") / "versions"
    assert {file.stem.removeprefix("released_") for file in RELEASED} == {
        file.name.split("_")[0] for file in versions.glob("0*.py")
    }
    assert on_disk.rows("SELECT version_num FROM alembic_version") == [(schema.HEAD,)]


@pytest.mark.parametrize("dump", RELEASED, ids=lambda dump: dump.stem)
def test_database_of_every_release_is_upgraded_with_all_its_data(dump: Path, tmp_path: Path) -> None:
    load(dump, tmp_path / "watcher.sqlite3")
    with temporary_store(tmp_path) as upgraded:
        assert upgraded.rows("SELECT version_num FROM alembic_version") == [(schema.HEAD,)]
        assert upgraded.rows("PRAGMA foreign_key_check") == []
        (case,) = upgraded.store.tracked_cases()
        assert (case.case_number, case.stage_since) == (NUMBER, date(2026, 3, 1))
        assert case.snapshot is not None
        assert case.snapshot.status == "Request for Initial Evidence Was Sent"
        assert [item.due and item.due[0] for item in case.items] == [date(2026, 5, 24)]
        assert [notice.notice.title for notice in case.notices] == ["Receipt notice"]
        kinds = [change.change.kind for change in upgraded.store.history()]
        assert kinds == [ChangeKind.RFE_RECEIVED, ChangeKind.CASE_ADDED]
        (alert,) = upgraded.store.outbox.list()
        assert (alert.state, alert.change_ids) == (AlertState.QUEUED, (1, 2))
        assert upgraded.store.accounts.all()["family"][1] == NOW + timedelta(hours=4)
        assert len(upgraded.store.reminders()) == 1
        record_alerts(upgraded.store)
        assert len(upgraded.store.history()) == 3


def test_database_of_a_newer_release_is_refused_and_not_touched(tmp_path: Path) -> None:
    with temporary_store(tmp_path) as temporary, closing(sqlite3.connect(temporary.file)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    with pytest.raises(StoreUnusable, match="newer release") as refused, temporary_store(tmp_path):
        pass
    assert "9999" in str(refused.value)
    with closing(sqlite3.connect(tmp_path / "watcher.sqlite3")) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)


def test_file_that_is_not_a_database_is_reported_and_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "watcher.sqlite3"
    file.write_text("dear diary, " * 500, encoding="utf-8")
    with pytest.raises(StoreUnusable, match="restore"), temporary_store(tmp_path):
        pass
    assert file.read_text(encoding="utf-8").startswith("dear diary")


def test_files_are_private_while_they_are_in_use(tmp_path: Path) -> None:
    with temporary_store(tmp_path) as temporary:
        record_alerts(temporary.store)
        files = [file for file in tmp_path.rglob("*") if file.is_file()]
        with temporary.store.locks.acquire("daemon"):
            files += list((tmp_path / "locks").iterdir())
        assert any(file.name.endswith("-wal") for file in files)
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert stat.S_IMODE((tmp_path / "locks").stat().st_mode) == 0o700


@pytest.mark.parametrize("url", ["", "watcher.sqlite3", "mysql://host/name", "sqlite+nothing:///x"])
def test_url_of_no_known_database_is_reported(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="database_url"):
        Store(url, locks=tmp_path)
    assert list(tmp_path.iterdir()) == []
