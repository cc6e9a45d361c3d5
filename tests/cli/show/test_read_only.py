"""Read-only commands are fast, and report database problems exactly like commands that write."""

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.cli.api_workspace import ApiWorkspace

READ_ONLY = ("status", "history", "pending", "notices", "alerts", "health", "export")
SLOW = {"selectolax", "sqlalchemy", "sqlmodel", "alembic", "httpx", "apprise", "apscheduler", "watcher.app"}
"""What takes longer to import than everything such a command needs, or has no use there."""


def imported_modules(workspace: ApiWorkspace, command: str) -> set[str]:
    """Return every module that the command imports, in a separate process."""
    completed = subprocess.run(
        workspace.command(command),
        cwd=workspace.folder,
        env=workspace.environment() | {"PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert completed.returncode in {0, 1}, completed.stderr
    return {
        line.rpartition("|")[2].strip() for line in completed.stderr.splitlines() if line.startswith("import time:")
    }


@pytest.mark.parametrize("command", READ_ONLY)
def test_read_only_command_imports_no_slow_library(workspace: ApiWorkspace, command: str) -> None:
    workspace.check()
    modules = imported_modules(workspace, command)
    assert "watcher.store.readonly" in modules
    assert modules & SLOW == set()


def replace_with_text(workspace: ApiWorkspace) -> None:
    workspace.database.write_text("dear diary, " * 500, encoding="utf-8")


def set_newer_schema(workspace: ApiWorkspace) -> None:
    with closing(sqlite3.connect(workspace.database)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()


def overwrite_pages(workspace: ApiWorkspace) -> None:
    content = bytearray(workspace.database.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    workspace.database.write_bytes(content)


@pytest.mark.parametrize("damage", [replace_with_text, set_newer_schema, overwrite_pages])
@pytest.mark.parametrize("command", READ_ONLY)
def test_database_problem_is_reported_as_by_a_writing_command(
    workspace: ApiWorkspace, command: str, damage: Callable[[ApiWorkspace], None]
) -> None:
    workspace.check()
    damage(workspace)
    writing = workspace.run("ack", "1", expect=(2,))
    reading = workspace.run(command, expect=(2,))
    assert reading.err == writing.err
    assert "database" in reading.err
    assert reading.out == ""
