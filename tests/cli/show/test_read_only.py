"""The commands that only look: quick, and told the same as by the store where the books are not in order."""

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.cli.api_workspace import ApiWorkspace

LOOKING = ("status", "history", "pending", "notices", "alerts", "health", "export")
SLOW = {"selectolax", "sqlalchemy", "sqlmodel", "alembic", "httpx", "apprise", "apscheduler", "watcher.app"}
"""What takes longer to import than everything that such a command needs, or has no business there."""


def imported(workspace: ApiWorkspace, command: str) -> set[str]:
    """Every module that the command imports, in a process of its own."""
    done = subprocess.run(
        workspace.command(command),
        cwd=workspace.folder,
        env=workspace.environment() | {"PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode in {0, 1}, done.stderr
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


@pytest.mark.parametrize("command", LOOKING)
def test_a_command_that_only_looks_waits_for_no_library_that_it_does_not_need(
    workspace: ApiWorkspace, command: str
) -> None:
    workspace.check()
    modules = imported(workspace, command)
    assert "watcher.store.readonly" in modules
    assert modules & SLOW == set()


def no_database(workspace: ApiWorkspace) -> None:
    workspace.database.write_text("dear diary, " * 500, encoding="utf-8")


def of_a_newer_release(workspace: ApiWorkspace) -> None:
    with closing(sqlite3.connect(workspace.database)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()


def damaged_throughout(workspace: ApiWorkspace) -> None:
    whole = bytearray(workspace.database.read_bytes())
    whole[4096:] = b"\xff" * (len(whole) - 4096)
    workspace.database.write_bytes(whole)


@pytest.mark.parametrize("harm", [no_database, of_a_newer_release, damaged_throughout])
@pytest.mark.parametrize("command", LOOKING)
def test_what_is_wrong_with_the_database_is_told_as_by_a_command_that_writes(
    workspace: ApiWorkspace, command: str, harm: Callable[[ApiWorkspace], None]
) -> None:
    workspace.check()
    harm(workspace)
    by_writing = workspace.run("ack", "1", expect=(2,))
    by_looking = workspace.run(command, expect=(2,))
    assert by_looking.err == by_writing.err
    assert "database" in by_looking.err
    assert by_looking.out == ""
