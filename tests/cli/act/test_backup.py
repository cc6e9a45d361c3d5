"""`watcher backup` and `restore` as real commands."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.api_workspace import ApiWorkspace
from tests.cli.practice_workspace import PracticeWorkspace, practice_workspace
from tests.support.workspace import Workspace
from watcher.store.backup import backup_files


@pytest.fixture
def family(tmp_path: Path) -> Iterator[PracticeWorkspace]:
    with practice_workspace(tmp_path) as workspace:
        yield workspace


def test_backup_is_complete_private_and_never_overwritten_by_accident(workspace: ApiWorkspace) -> None:
    workspace.check()
    result = workspace.run("backup", "copy.sqlite3")
    assert "backup created (1 case" in result.out
    copy = workspace.folder / "copy.sqlite3"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert backup_files.examine(copy).cases == 1
    assert sorted(file.name for file in workspace.folder.iterdir()) == ["copy.sqlite3", "state", "watcher.toml"]
    second = workspace.run("backup", "copy.sqlite3", expect=(1,))
    assert "--force" in second.err
    workspace.run("backup", "copy.sqlite3", "--force")


def test_backup_is_consistent_during_a_write(workspace: ApiWorkspace) -> None:
    workspace.check()
    with closing(sqlite3.connect(workspace.database, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM alert_change")
        writer.execute("DELETE FROM alert")
        workspace.run("backup", "copy.sqlite3")
        writer.execute("ROLLBACK")
    with closing(sqlite3.connect(workspace.folder / "copy.sqlite3")) as copy:
        assert copy.execute("SELECT count(*) FROM alert").fetchone() == (1,)


def test_restore_brings_back_the_case_and_keeps_later_changes(workspace: ApiWorkspace) -> None:
    """The case is as in the backup. Changes since then stay in the history and are not reported by the next check."""
    workspace.check()
    (before,) = workspace.run("status", "--json").json["cases"]
    workspace.run("backup", "copy.sqlite3")
    workspace.ask_for_evidence()
    workspace.check()
    refused = workspace.run("restore", "copy.sqlite3", expect=(1,))
    assert "is newer" in refused.err
    result = workspace.run("restore", "copy.sqlite3", "--force")
    (previous,) = workspace.state.glob("watcher.sqlite3.before-restore-*Z")
    assert str(previous) in result.out
    with closing(sqlite3.connect(previous)) as replaced:
        assert "evidence_requested" in replaced.execute('SELECT document FROM "case"').fetchone()[0]
    (after,) = workspace.run("status", "--json").json["cases"]
    assert (after["stage"], after["status"]) == (before["stage"], before["status"])
    with workspace.app() as app:
        history = [change.change.kind for change in app.store.history()]
    assert history == ["stage_changed", "rfe_received", "case_added"]
    assert workspace.check().changes == ()
    (after,) = workspace.run("status", "--json").json["cases"]
    assert after["stage"] == "evidence_requested"


def test_damaged_database_is_replaced_without_force_and_saved(workspace: ApiWorkspace) -> None:
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    for suffix in ("-wal", "-shm"):
        workspace.database.with_name(f"{workspace.database.name}{suffix}").unlink(missing_ok=True)
    workspace.database.write_bytes(b"no database" * 1000)
    workspace.run("status", expect=(2,))
    workspace.run("restore", "copy.sqlite3")
    assert workspace.database.stat().st_mode & 0o777 == 0o600
    (previous,) = workspace.state.glob("watcher.sqlite3.before-restore-*Z")
    assert previous.read_bytes().startswith(b"no database")
    assert [change.change.kind for change in workspace.check().changes] == []


def test_damaged_backup_is_never_restored(workspace: ApiWorkspace) -> None:
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    content = bytearray((workspace.folder / "copy.sqlite3").read_bytes())
    content[5000:9000] = b"\xff" * 4000
    (workspace.folder / "copy.sqlite3").write_bytes(content)
    before = backup_files.examine(workspace.database)
    result = workspace.run("restore", "copy.sqlite3", "--force", expect=(1,))
    assert "damaged" in result.err
    assert backup_files.examine(workspace.database) == before


def test_nothing_is_restored_while_the_daemon_runs(workspace: ApiWorkspace) -> None:
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    with workspace.app() as app, app.store.locks.acquire("daemon"):
        result = workspace.run("restore", "copy.sqlite3", "--force", expect=(1,))
    assert "Stop it first" in result.err


def test_backup_of_a_newer_release_is_refused(workspace: ApiWorkspace) -> None:
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    with closing(sqlite3.connect(workspace.folder / "copy.sqlite3")) as copy:
        copy.execute("UPDATE alembic_version SET version_num = '9999'")
        copy.commit()
    result = workspace.run("restore", "copy.sqlite3", "--force", expect=(1,))
    assert "newer release" in result.err


def test_missing_database_cannot_be_backed_up_but_can_be_restored(workspace: ApiWorkspace) -> None:
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    for file in workspace.state.glob("watcher.sqlite3*"):
        file.unlink()
    assert "nothing to back up" in workspace.run("backup", "other.sqlite3", expect=(1,)).err
    workspace.run("restore", "copy.sqlite3")
    assert backup_files.examine(workspace.database).cases == 1


def test_file_that_is_not_a_database_is_refused(empty_workspace: Workspace) -> None:
    empty_workspace.write()
    (empty_workspace.folder / "letter.txt").write_text("Dear officer,\n" * 100)
    result = empty_workspace.run("restore", "letter.txt", expect=(1,))
    assert "not a database of case-watcher" in result.err


def test_what_a_killed_restore_left_is_removed(workspace: ApiWorkspace) -> None:
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    for name in (".watcher.sqlite3.0123456789abcdef.tmp", ".watcher.sqlite3.0123456789abcdef.tmp-journal"):
        (workspace.state / name).write_bytes(b"a whole copy")
    workspace.run("restore", "copy.sqlite3", "--force")
    assert list(workspace.state.glob(".*")) == []


def test_damaged_schema_is_reported_without_a_traceback(workspace: ApiWorkspace) -> None:
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    for suffix in ("-wal", "-shm"):
        workspace.database.with_name(f"{workspace.database.name}{suffix}").unlink(missing_ok=True)
    content = (workspace.folder / "copy.sqlite3").read_bytes()
    assert b"CREATE TABLE alert (" in content
    workspace.database.write_bytes(content.replace(b"CREATE TABLE alert (", b"CREATE TABL\xff alert ("))
    for command in (("status",), ("check",), ("doctor", "--offline"), ("backup", "other.sqlite3")):
        result = workspace.run(*command, expect=(1, 2))
        assert "damaged" in result.out + result.err, command
        assert "Traceback" not in result.err, command
    workspace.run("restore", "copy.sqlite3")
    assert not workspace.check().changes


def test_backup_holds_no_session_and_a_restore_keeps_the_one_in_use(family: PracticeWorkspace) -> None:
    family.configure(totp_secret=family.portal.account.totp_secret)
    family.run("check")
    family.run("backup", "copy.sqlite3")
    assert b"watcher-session 1" in family.database.read_bytes()
    assert b"watcher-session 1" not in (family.folder / "copy.sqlite3").read_bytes()
    family.run("restore", "copy.sqlite3", "--force")
    family.run("check")
    assert family.sign_ins == 1


def test_session_that_is_forgotten_is_not_brought_back_by_a_restore(family: PracticeWorkspace) -> None:
    family.configure(totp_secret=family.portal.account.totp_secret)
    family.run("check")
    family.run("backup", "copy.sqlite3")
    assert "saved session deleted" in family.run("forget", "family").out
    family.run("restore", "copy.sqlite3", "--force")
    assert "there is no saved session" in family.run("forget", "family").out
