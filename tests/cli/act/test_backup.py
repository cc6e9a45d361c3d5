"""`watcher backup`, `restore`, run for real."""

import sqlite3
from contextlib import closing

from tests.cli.api_workspace import ApiWorkspace
from tests.support.workspace import Workspace
from watcher.store.backup import backup_files


def test_a_copy_is_whole_private_and_never_overwritten_by_accident(workspace: ApiWorkspace) -> None:
    workspace.check()
    said = workspace.run("backup", "copy.sqlite3")
    assert "a good copy, 1 case" in said.out
    copy = workspace.folder / "copy.sqlite3"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert backup_files.examine(copy).cases == 1
    assert sorted(each.name for each in workspace.folder.iterdir()) == ["copy.sqlite3", "state", "watcher.toml"]
    again = workspace.run("backup", "copy.sqlite3", expect=(1,))
    assert "--force" in again.err
    workspace.run("backup", "copy.sqlite3", "--force")


def test_a_copy_is_consistent_while_somebody_writes(workspace: ApiWorkspace) -> None:
    workspace.check()
    with closing(sqlite3.connect(workspace.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM alert_change")
        other.execute("DELETE FROM alert")
        workspace.run("backup", "copy.sqlite3")
        other.execute("ROLLBACK")
    with closing(sqlite3.connect(workspace.folder / "copy.sqlite3")) as copy:
        assert copy.execute("SELECT count(*) FROM alert").fetchone() == (1,)


def test_restoring_brings_back_what_was_and_keeps_what_is(workspace: ApiWorkspace) -> None:
    """The case stands as it stood; what has happened to it since has happened, and is not news to the next read."""
    workspace.check()
    (stood,) = workspace.run("status", "--json").json["cases"]
    workspace.run("backup", "copy.sqlite3")
    workspace.ask_for_evidence()
    workspace.check()
    refused = workspace.run("restore", "copy.sqlite3", expect=(1,))
    assert "is newer" in refused.err
    said = workspace.run("restore", "copy.sqlite3", "--force")
    (kept,) = workspace.state.glob("watcher.sqlite3.before-restore-*Z")
    assert str(kept) in said.out
    with closing(sqlite3.connect(kept)) as replaced:
        assert "evidence_requested" in replaced.execute('SELECT document FROM "case"').fetchone()[0]
    (stands,) = workspace.run("status", "--json").json["cases"]
    assert (stands["stage"], stands["status"]) == (stood["stage"], stood["status"])
    with workspace.app() as app:
        history = [change.change.kind for change in app.store.history()]
    assert history == ["stage_changed", "rfe_received", "case_added"]
    assert workspace.check().changes == ()
    (stands,) = workspace.run("status", "--json").json["cases"]
    assert stands["stage"] == "evidence_requested"


def test_a_damaged_database_is_replaced_without_force_and_kept(workspace: ApiWorkspace) -> None:
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    for beside in ("-wal", "-shm"):
        workspace.database.with_name(f"{workspace.database.name}{beside}").unlink(missing_ok=True)
    workspace.database.write_bytes(b"no database" * 1000)
    workspace.run("status", expect=(2,))
    workspace.run("restore", "copy.sqlite3")
    assert workspace.database.stat().st_mode & 0o777 == 0o600
    (kept,) = workspace.state.glob("watcher.sqlite3.before-restore-*Z")
    assert kept.read_bytes().startswith(b"no database")
    assert [change.change.kind for change in workspace.check().changes] == []


def test_a_damaged_copy_is_never_put_back(workspace: ApiWorkspace) -> None:
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    content = bytearray((workspace.folder / "copy.sqlite3").read_bytes())
    content[5000:9000] = b"\xff" * 4000
    (workspace.folder / "copy.sqlite3").write_bytes(content)
    before = backup_files.examine(workspace.database)
    said = workspace.run("restore", "copy.sqlite3", "--force", expect=(1,))
    assert "damaged" in said.err
    assert backup_files.examine(workspace.database) == before


def test_while_the_daemon_holds_the_database_nothing_is_restored(workspace: ApiWorkspace) -> None:
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    with workspace.app() as app, app.store.locks.acquire("daemon"):
        said = workspace.run("restore", "copy.sqlite3", "--force", expect=(1,))
    assert "stop it first" in said.err


def test_a_copy_of_a_newer_release_is_refused(workspace: ApiWorkspace) -> None:
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    with closing(sqlite3.connect(workspace.folder / "copy.sqlite3")) as copy:
        copy.execute("UPDATE alembic_version SET version_num = '9999'")
        copy.commit()
    said = workspace.run("restore", "copy.sqlite3", "--force", expect=(1,))
    assert "newer release" in said.err


def test_without_a_database_there_is_nothing_to_back_up_and_one_can_be_restored(workspace: ApiWorkspace) -> None:
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    for each in workspace.state.glob("watcher.sqlite3*"):
        each.unlink()
    assert "nothing to back up" in workspace.run("backup", "other.sqlite3", expect=(1,)).err
    workspace.run("restore", "copy.sqlite3")
    assert backup_files.examine(workspace.database).cases == 1


def test_other_databases_have_their_own_tools(empty_workspace: Workspace) -> None:
    empty_workspace.write('database_url = "postgresql+psycopg://watcher:pass-word@db.example.org/watcher"\n')
    said = empty_workspace.run("backup", "copy.sqlite3", expect=(1,))
    assert "pg_dump" in said.err
    assert "pass-word" not in said.err


def test_a_file_that_is_no_database_is_told_apart(empty_workspace: Workspace) -> None:
    empty_workspace.write()
    (empty_workspace.folder / "letter.txt").write_text("Dear officer,\n" * 100)
    said = empty_workspace.run("restore", "letter.txt", expect=(1,))
    assert "no database of case-watcher" in said.err
