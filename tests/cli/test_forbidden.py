"""Folders that the user may not enter: every command names the path, and none ends in a traceback."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.api_workspace import ApiWorkspace

# Root may enter every folder. Without these two capabilities it is like any other user.
_AS_USER = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--"] if os.geteuid() == 0 else []

pytestmark = pytest.mark.skipif(
    bool(_AS_USER) and shutil.which("setpriv") is None, reason="root without setpriv, which could enter every folder"
)


@dataclass(frozen=True, slots=True)
class Locked:
    """A workspace with a watched case and a folder that its owner cannot enter."""

    workspace: ApiWorkspace
    folder: Path

    def run(self, *arguments: str, expect: int, folder: Path | None = None) -> str:
        """Return standard error. Fail if there is a traceback."""
        completed = self.start(arguments, folder)
        assert completed.returncode == expect, completed.stdout + completed.stderr
        assert "Traceback" not in completed.stdout + completed.stderr
        return completed.stderr

    def start(self, arguments: Sequence[str], folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*_AS_USER, *self.workspace.command(*arguments)],
            cwd=folder or self.workspace.folder,
            env=self.workspace.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def locked(workspace: ApiWorkspace) -> Iterator[Locked]:
    folder = workspace.folder / "locked"
    folder.mkdir()
    workspace.check()
    folder.chmod(0)
    yield Locked(workspace, folder)
    folder.chmod(0o700)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("backup", "locked/copy"), 1),
        (("restore", "locked/copy"), 1),
        (("check", "--trace", "locked/trace"), 2),
        (("demo", "--keep", "locked/demo"), 2),
        (("export", "--output", "locked/all.json"), 2),
        (("status", "--config", "locked/watcher.toml"), 2),
        (("init", "--config", "locked/watcher.toml"), 1),
        (("service", "install", "--user", "--output", "locked/units"), 1),
    ],
)
def test_file_in_forbidden_folder_is_named_with_the_reason(
    locked: Locked, arguments: Sequence[str], status: int
) -> None:
    output = locked.run(*arguments, expect=status)
    assert "permission denied" in output.lower()
    assert "locked" in output
    assert ".tmp" not in output


def test_unwritable_trace_is_not_recorded_as_a_failed_check(locked: Locked) -> None:
    locked.run("check", "--trace", "locked/trace", expect=2)
    with locked.workspace.app() as app:
        assert [change.change.kind for change in app.store.history()] == ["case_added"]


@pytest.mark.parametrize(
    ("sections", "subject", "reason"),
    [
        ('state_dir = "locked/state"\n', "state folder", "permission denied"),
        ('[backup]\nevery = "1d"\nfolder = "locked/backups"\n', "backups", "Permission denied"),
        ('[backup]\nevery = "1d"\nfolder = "locked"\n', "backups", "Permission denied"),
    ],
)
def test_doctor_reports_forbidden_folders(locked: Locked, sections: str, subject: str, reason: str) -> None:
    config = locked.workspace.config
    text = config.read_text()
    if sections.startswith("state_dir"):
        text = text.replace('state_dir = "state"\n', sections)
    else:
        text += sections
    config.write_text(text)
    completed = locked.start(("doctor", "--offline"))
    assert (completed.returncode, completed.stderr) == (1, "")
    (finding,) = [line for line in completed.stdout.splitlines() if line.startswith(f"failed   {subject}: ")]
    assert reason in finding


def test_secrets_in_forbidden_folder_are_a_configuration_fault(locked: Locked) -> None:
    locked.workspace.config.write_text(f'secrets_dir = "locked/secrets"\n{locked.workspace.config.read_text()}')
    assert "or you have no permission to read it" in locked.run("status", expect=2)


def test_forbidden_home_and_working_folder_contain_no_configuration(locked: Locked) -> None:
    """This happens if root's shell runs the program as another user."""
    locked.workspace.environ = {"HOME": str(locked.folder)}
    empty = locked.workspace.folder / "empty"
    empty.mkdir()
    assert "`watcher init` creates one" in locked.run("status", expect=2, folder=empty)


def test_daemon_logs_why_it_makes_no_backup(locked: Locked) -> None:
    locked.workspace.config.write_text(
        f'{locked.workspace.config.read_text()}[backup]\nevery = "1d"\nfolder = "locked/backups"\n'
    )
    with subprocess.Popen(
        [*_AS_USER, *locked.workspace.command("run")],
        cwd=locked.workspace.folder,
        env=locked.workspace.environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as daemon:
        assert daemon.stderr is not None
        output = [daemon.stderr.readline()]
        while "backup.folder" not in output[-1] and output[-1]:
            output.append(daemon.stderr.readline())
        daemon.kill()
    assert "Permission denied" in output[-1]
    assert "Traceback" not in "".join(output)
