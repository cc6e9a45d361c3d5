"""`watcher backup` and `restore` move everything from a file to a server and back, with the real commands."""

import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.postgres.installations import Installations, installations
from tests.postgres.server import PASSWORD, Server, rows_in
from tests.store.database_rows import rows_of

APPROVED = "Case Was Approved"
RESTORE_NOTE = "You may have seen this already"


@pytest.fixture
def shared(tmp_path: Path, url: str) -> Iterator[Installations]:
    with installations(tmp_path, url, accounts=1, machines=1) as opened:
        yield opened


@pytest.fixture
def on_file(shared: Installations) -> Installations:
    """Return an installation on a file that has checked a case and reported a request for evidence."""
    use_file(shared)
    shared.first.check()
    shared.move()
    shared.first.check()
    assert len(take_titles(shared)) == 2
    return shared


def use_file(shared: Installations) -> None:
    shared.first.schedule = shared.first.schedule.partition("\n")[2]
    shared.first.configure()


def use_server(shared: Installations, url: str) -> None:
    shared.first.schedule = f'database_url = "{url}"\n{shared.first.schedule}'
    shared.first.configure()


def take_titles(shared: Installations) -> list[str]:
    """Return the titles that have arrived on the phone since the last call."""
    titles = [message["title"] for message in shared.first.phone.messages]
    shared.first.phone.requests.clear()
    return titles


def item_states(shared: Installations) -> list[tuple[str, str]]:
    (case,) = shared.first.run("status", "--json").json["cases"]
    return [(item["id"], item["state"]) for item in case["pending"]]


def show(shared: Installations, status: str) -> None:
    for number in shared.numbers.values():
        shared.portal.cases[number].set_status(status, in_history=True)


def command_in(text: str) -> list[str]:
    """Return the arguments of the restore that a message names."""
    line = next(line for line in text.splitlines() if "then run: " in line)
    return shlex.split(line.partition("then run: ")[2])[1:]


def test_history_moves_to_a_server_and_back(on_file: Installations, url: str) -> None:
    first = on_file.first
    first.run("done", "1")
    before = first.run("history", "--json").json
    use_server(on_file, url)
    (finding,) = (
        finding
        for finding in first.run("doctor", "--offline", "--json", expect=(0, 1)).json["findings"]
        if "has the history of 1 case" in finding["told"]
    )
    moving = command_in(finding["remedy"])
    assert "--force" not in moving
    moved = first.run(*moving)
    assert "will not be sent again" in moved.out
    assert PASSWORD not in moved.out + moved.err
    assert (item_states(on_file), first.run("history", "--json").json) == ([("1", "done")], before)
    assert "history of" not in first.run("check").err
    assert take_titles(on_file) == []
    show(on_file, APPROVED)
    first.check()
    assert [RESTORE_NOTE in message["message"] for message in first.phone.messages] == [False]
    take_titles(on_file)

    before, items = first.run("history", "--json").json, item_states(on_file)
    assert "backup created (1 case" in first.run("backup", "copy.sqlite3").out
    assert (first.folder / "copy.sqlite3").stat().st_mode & 0o777 == 0o600
    use_file(on_file)
    first.run("restore", "copy.sqlite3")
    assert rows_of(first.database)["change"] == rows_of(first.folder / "copy.sqlite3")["change"]
    assert (item_states(on_file), first.run("history", "--json").json) == (items, before)
    first.check()
    assert take_titles(on_file) == []


def test_first_check_on_a_server_mentions_the_file_that_was_not_moved(on_file: Installations, url: str) -> None:
    use_server(on_file, url)
    assert command_in(on_file.first.run("check").err) == ["restore", str(on_file.first.database)]
    assert "history of" not in on_file.first.run("check").err
    with on_file.first.popen("run") as daemon:
        assert daemon.stderr is not None
        mentioned = next(line for line in daemon.stderr if "history of" in line)
        daemon.terminate()
    assert command_in(mentioned) == ["restore", "--force", str(on_file.first.database)]
    on_file.first.run(*command_in(mentioned))
    assert "history of" not in on_file.first.run("doctor", "--offline", expect=(0, 1)).out


def test_nothing_is_reported_twice_and_nothing_entered_is_lost_after_a_restore(shared: Installations) -> None:
    first = shared.first
    first.check()
    first.run("backup", "copy.sqlite3")
    shared.move()
    first.check()
    first.run("done", "1")
    take_titles(shared)
    assert "is newer" in first.run("restore", "copy.sqlite3", expect=(1,)).err
    assert list(first.state.glob("watcher.sqlite3*")) == []
    result = first.run("restore", "copy.sqlite3", "--force")
    assert "will not be sent again" in result.out
    (previous,) = first.state.glob("watcher.sqlite3.before-restore-*Z")
    assert str(previous) in result.out
    first.run("check", expect=(0, 1))
    assert take_titles(shared) == []
    assert item_states(shared) == [("1", "done")]


def test_new_ids_follow_the_highest_one_after_a_restore(on_file: Installations, url: str) -> None:
    use_server(on_file, url)
    on_file.first.run("restore", str(on_file.first.database))
    highest = {name: rows_in(url, f"SELECT max(id) FROM {name}")[0][0] for name in ("alert", "change")}  # noqa: S608
    show(on_file, APPROVED)
    on_file.first.check()
    for name, number in highest.items():
        ids = [row[0] for row in rows_in(url, f"SELECT id FROM {name} WHERE id > {number} ORDER BY id")]  # noqa: S608
        assert ids[0] == number + 1


def test_nothing_is_restored_while_any_process_uses_the_database(shared: Installations) -> None:
    shared.first.check()
    shared.first.run("backup", "copy.sqlite3")
    with shared.first.app():
        refused = shared.first.run("restore", "copy.sqlite3", expect=(1,))
    assert "Stop every `watcher run`" in refused.err
    assert "connected from 127.0.0.1" in refused.err


def test_older_schema_is_upgraded_and_a_newer_one_refused(on_file: Installations, postgres: Server, url: str) -> None:
    first = on_file.first
    first.run("backup", "copy.sqlite3")
    use_server(on_file, url)
    with closing(sqlite3.connect(first.folder / "copy.sqlite3")) as copy, copy:
        copy.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "newer release" in first.run("restore", "copy.sqlite3", expect=(1,)).err
    assert postgres.do("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", url.rpartition("/")[2]) == [(0,)]


def test_scheduled_backup_of_a_server(shared: Installations) -> None:
    shared.first.accounts += '[backup]\nevery = "1d"\n'
    shared.first.configure()
    shared.first.check()
    with shared.first.app() as app:
        app.back_up()
    (backup,) = (shared.first.state / "backups").iterdir()
    assert len(rows_of(backup)["case"]) == 1
    findings = shared.first.run("doctor", "--offline", "--json", expect=(0, 1)).json["findings"]
    assert [finding["verdict"] for finding in findings if finding["about"] == "backups"] == ["ok"]
