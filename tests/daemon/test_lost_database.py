"""The database under the daemon is deleted, moved, or replaced: the daemon says so once, writes nothing, and ends."""

import os
import re
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Event

import pytest

from tests.cli.api_workspace import ApiWorkspace, api_workspace
from tests.doubles.disk import largest_file
from tests.doubles.notifier import FakeNotifier
from tests.store.temporary_store import a_draft, record_alerts
from tests.support.waiting import eventually
from watcher.app import open_app
from watcher.context.opening import read_settings
from watcher.daemon import lost_database
from watcher.daemon.daemon import Daemon
from watcher.errors import StoreLost, StoreUnusable
from watcher.store.database.daemon_lock import hold_daemon_lock
from watcher.store.database.open_file import probe_disk
from watcher.store.database.resting_database import RestingDatabase

LOST = "case-watcher has lost its database and stopped"


def replace_by_a_copy(database: Path) -> None:
    copy = database.with_name("copy")
    shutil.copy(database, copy)
    copy.rename(database)


def delete(database: Path) -> None:
    database.unlink()


def delete_state(database: Path) -> None:
    shutil.rmtree(database.parent)


def move(database: Path) -> None:
    database.rename(database.with_name("elsewhere.sqlite3"))


def move_state(database: Path) -> None:
    database.parent.rename(database.parent.with_name("elsewhere"))


def delete_log(database: Path) -> None:
    database.with_name(f"{database.name}-wal").unlink()


def delete_daemon_lock(database: Path) -> None:
    (database.parent / "locks" / "daemon.lock").unlink()


def replace_daemon_lock(database: Path) -> None:
    lock = database.parent / "locks" / "daemon.lock"
    lock.unlink()
    lock.touch()


LOSSES = [
    *(replace_by_a_copy, delete, delete_state, move, move_state, delete_log),
    *(delete_daemon_lock, replace_daemon_lock),
]


@contextmanager
def running_daemon(workspace: ApiWorkspace, phone: FakeNotifier) -> Iterator[tuple[Daemon, Event]]:
    """Run a daemon in this process. The event is set when it must end."""
    ended = Event()
    with open_app(read_settings(workspace.config, {}), notifier=phone) as app:
        store = app.store
        with hold_daemon_lock(store.locks, store.file):
            daemon = Daemon(app, on_lost=lambda _: ended.set())
            daemon.start()
            try:
                assert eventually(lambda: phone.delivered, within=20)
                yield daemon, ended
            finally:
                daemon.stop()


@pytest.mark.parametrize("lose", LOSSES)
def test_daemon_whose_files_are_lost_ends_and_creates_nothing(lose: Callable[[Path], None], tmp_path: Path) -> None:
    phone = FakeNotifier()
    with api_workspace(tmp_path) as workspace, running_daemon(workspace, phone) as (daemon, ended):
        lose(workspace.database)
        before = sorted(tmp_path.rglob("*"))
        daemon._wake.set()
        assert ended.wait(10)
        assert isinstance(daemon.lost, StoreLost)
        for _ in range(2):
            with pytest.raises(StoreLost):
                daemon._app.store.ping()
            daemon._database.look()
        assert sorted(tmp_path.rglob("*")) == before, "nothing is created anew"


@pytest.mark.parametrize("lose", LOSSES)
def test_second_daemon_does_not_start_while_the_first_has_lost_its_files(
    lose: Callable[[Path], None], tmp_path: Path
) -> None:
    with (
        api_workspace(tmp_path) as workspace,
        workspace.app() as app,
        hold_daemon_lock(app.store.locks, app.store.file),
    ):
        lose(workspace.database)
        exists = workspace.database.exists()
        assert "another `watcher run` already uses" in workspace.run("run", expect=(1,)).err
        if not exists:
            for command in ("status", "check", "health"):
                result = workspace.run(command, expect=(1, 2))
                assert workspace.database.name in result.err + result.out
        assert workspace.database.exists() is exists


def test_check_under_way_is_not_recorded_in_a_deleted_file(tmp_path: Path) -> None:
    with api_workspace(tmp_path) as workspace, workspace.app() as app:

        def replace_meanwhile(_receipt: str, _nth: int) -> None:
            replace_by_a_copy(workspace.database)

        workspace.api.override = replace_meanwhile
        with pytest.raises(StoreLost):
            app.poll("family")
    with workspace.app() as app:
        assert app.store.history() == []


def test_daemon_ends_with_status_1_and_the_restarted_one_reports_nothing_twice(tmp_path: Path) -> None:
    with api_workspace(tmp_path) as workspace:
        with workspace.popen("run") as process:
            assert eventually(lambda: workspace.phone.requests)
            assert eventually(lambda: not workspace.run("alerts", "--json").json["alerts"][0]["next_attempt_at"])
            replace_by_a_copy(workspace.database)
            process.send_signal(signal.SIGHUP)  # wakes it before its usual pause of 15 seconds is over
            _, err = process.communicate(timeout=40)
        assert process.returncode == 1, err
        assert "was replaced by another file" in err
        assert workspace.run("health", expect=(1,)).status == 1
        before = len(workspace.phone.requests)
        with workspace.popen("run") as process:
            assert eventually(lambda: workspace.run("health", expect=(0, 1)).status == 0)
            process.terminate()
        titles = [message["title"] for message in workspace.phone.messages]
        assert (len(titles), titles.count(LOST)) == (before, 1)


def keep(workspace: ApiWorkspace, lose: Callable[[Path], None]) -> str | None:
    """Lose files of an open database with one recorded case, and save what is left of it."""
    with workspace.app() as app:
        app.poll("family")
        app.outbox_worker().deliver_due()
        assert app.store.file is not None
        database = RestingDatabase(app.store.file, app.store.locks)
        lose(workspace.database)
        with pytest.raises(StoreLost) as lost:
            app.store.ping()
        return lost_database.keep(app.settings, database, lost.value, now=app.clock.now())


def checkpoint(database: Path) -> None:
    """Empty the log, without which the file alone says nothing new."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def titles(workspace: ApiWorkspace) -> list[str]:
    return [message["title"] for message in workspace.phone.messages]


@pytest.mark.parametrize("lose", [replace_by_a_copy, delete_log])
def test_nothing_is_lost_if_the_copy_or_the_log_held_nothing_else(lose: Callable[[Path], None], tmp_path: Path) -> None:
    with api_workspace(tmp_path) as workspace:
        assert keep(workspace, lose) is None
        assert [file.name for file in workspace.state.glob("*.lost*")] == []
        with workspace.app() as app:
            assert len(app.store.history()) == 1
            assert app.poll("family").changes == ()


@pytest.mark.parametrize("lose", [delete, delete_state])
def test_content_of_a_deleted_database_is_kept_and_can_be_restored(
    lose: Callable[[Path], None], tmp_path: Path
) -> None:
    with api_workspace(tmp_path) as workspace:
        message = keep(workspace, lose)
        (kept,) = workspace.state.glob("watcher.sqlite3.lost-*Z")
        assert kept.stat().st_mode & 0o777 == 0o600
        assert message is not None
        assert message.endswith(f"mv {kept} {workspace.database}")
        assert "although it was used before" in workspace.run("run", expect=(2,)).err
        kept.rename(workspace.database)
        assert workspace.check().changes == ()
        assert len(titles(workspace)) == 1


@pytest.mark.parametrize("lose", [move, move_state])
def test_moved_database_is_not_created_again_and_can_be_put_back(lose: Callable[[Path], None], tmp_path: Path) -> None:
    with api_workspace(tmp_path) as workspace:
        message = keep(workspace, lose)
        (moved,) = (*tmp_path.glob("elsewhere/watcher.sqlite3"), *tmp_path.glob("state/elsewhere.sqlite3"))
        assert message is not None
        assert str(moved) in message
        assert "although it was used before" in workspace.run("status", expect=(2,)).err
        moved.rename(workspace.database)
        assert workspace.check().changes == ()


def test_older_copy_in_place_of_the_database_is_restored_and_reports_nothing_twice(tmp_path: Path) -> None:
    def replace_by_older(database: Path) -> None:
        checkpoint(database)
        (tmp_path / "older").replace(database)

    with api_workspace(tmp_path) as workspace:
        workspace.check()
        shutil.copy(workspace.database, tmp_path / "older")
        workspace.ask_for_evidence()
        message = keep(workspace, replace_by_older)
        assert message is not None
        assert "restored like a backup" in message
        before = titles(workspace)
        with workspace.app() as app:
            assert "rfe_received" in [recorded.change.kind for recorded in app.store.history()]
        workspace.check()
        assert titles(workspace) == before
        (replacement,) = workspace.state.glob("watcher.sqlite3.new-*Z")
        assert replacement.stat().st_size > 0


def test_file_that_is_no_database_stays_where_it_was_put(tmp_path: Path) -> None:
    def replace_by_nonsense(database: Path) -> None:
        checkpoint(database)
        (tmp_path / "nonsense").write_bytes(b"dear diary " * 1000)
        (tmp_path / "nonsense").replace(database)

    with api_workspace(tmp_path) as workspace:
        message = keep(workspace, replace_by_nonsense)
        assert message is not None
        assert "cannot be used" in message
        assert workspace.database.read_bytes().startswith(b"dear diary")
        (kept,) = workspace.state.glob("watcher.sqlite3.lost-*Z")
        workspace.run("restore", str(kept))
        assert workspace.check().changes == ()


def overwrite_with_older(database: Path) -> None:
    shutil.copy(database.parent.parent / "older", database)


def truncate(database: Path) -> None:
    os.truncate(database, 0)


@pytest.mark.parametrize("damage", [overwrite_with_older, truncate])
def test_database_that_is_damaged_or_overwritten_in_place_is_noticed(
    damage: Callable[[Path], None], tmp_path: Path
) -> None:
    with api_workspace(tmp_path) as workspace:
        workspace.check()
        shutil.copy(workspace.database, tmp_path / "older")
        with workspace.app() as app:
            app.outbox_worker().deliver_due()
            for number in range(300):
                record_alerts(app.store, a_draft(f"{number} " * 200))
            checkpoint(workspace.database)
            daemon = Daemon(app)
            daemon._database.look()
            database = RestingDatabase(workspace.database, app.store.locks)
            damage(workspace.database)
            daemon._database.look()
            assert isinstance(daemon.lost, StoreLost)
            message = None
            with suppress(StoreUnusable):  # nothing is left of the emptied one
                message = lost_database.keep(app.settings, database, daemon.lost, now=app.clock.now())
        if damage is overwrite_with_older:
            assert message is not None
            assert workspace.run("history", "--json").json["changes"]
        else:
            assert message is None
            assert re.search("damaged|used before", workspace.run("run", expect=(1, 2)).err)


def test_content_of_an_emptied_database_is_kept_as_far_as_its_log_has_it(tmp_path: Path) -> None:
    with api_workspace(tmp_path) as workspace:
        assert keep(workspace, truncate) is not None
        (kept,) = workspace.state.glob("watcher.sqlite3.lost-*Z")
        kept.replace(workspace.database)
        assert workspace.check().changes == ()


def test_disk_without_room_is_found_by_the_probe(tmp_path: Path) -> None:
    probe_disk(tmp_path / "watcher.sqlite3")
    with largest_file(0), pytest.raises(StoreUnusable, match="file too large"):
        probe_disk(tmp_path / "watcher.sqlite3")
    assert list(tmp_path.iterdir()) == []
