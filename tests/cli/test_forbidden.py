"""Folders that the user may not enter: every command names the place, and none ends in a traceback."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.api_workspace import ApiWorkspace

# Root may enter every folder. Without these two rights it is a user like any other.
_LIKE_ANYBODY = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--"] if os.geteuid() == 0 else []

pytestmark = pytest.mark.skipif(
    bool(_LIKE_ANYBODY) and shutil.which("setpriv") is None, reason="root without setpriv; nothing is forbidden to it"
)


@dataclass(frozen=True, slots=True)
class Locked:
    """A watched case, and a folder whose owner has locked themselves out of it."""

    workspace: ApiWorkspace
    folder: Path

    def run(self, *words: str, expect: int, folder: Path | None = None) -> str:
        """What the command says on standard error; no traceback, whatever it is."""
        done = self.start(words, folder)
        assert done.returncode == expect, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return done.stderr

    def start(self, words: Sequence[str], folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*_LIKE_ANYBODY, *self.workspace.command(*words)],
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
    ("words", "status"),
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
def test_a_file_in_it_is_named_with_the_reason(locked: Locked, words: Sequence[str], status: int) -> None:
    said = locked.run(*words, expect=status)
    assert "permission denied" in said.lower()
    assert "locked" in said
    assert ".tmp" not in said


def test_a_trace_that_cannot_be_kept_is_no_news_about_the_portal(locked: Locked) -> None:
    locked.run("check", "--trace", "locked/trace", expect=2)
    with locked.workspace.app() as app:
        assert [change.change.kind for change in app.store.history()] == ["case_added"]


@pytest.mark.parametrize(
    ("sections", "about", "told"),
    [
        ('state_dir = "locked/state"\n', "state folder", "permission denied"),
        ('[backup]\nevery = "1d"\nfolder = "locked/backups"\n', "backups", "Permission denied"),
        ('[backup]\nevery = "1d"\nfolder = "locked"\n', "backups", "Permission denied"),
    ],
)
def test_doctor_finds_it(locked: Locked, sections: str, about: str, told: str) -> None:
    config = locked.workspace.config
    text = config.read_text()
    if sections.startswith("state_dir"):
        text = text.replace('state_dir = "state"\n', sections)
    else:
        text += sections
    config.write_text(text)
    done = locked.start(("doctor", "--offline"))
    assert (done.returncode, done.stderr) == (1, "")
    (finding,) = [line for line in done.stdout.splitlines() if line.startswith(f"failed   {about}: ")]
    assert told in finding


def test_secrets_that_lie_in_it_are_a_fault_of_the_configuration(locked: Locked) -> None:
    locked.workspace.config.write_text(f'secrets_dir = "locked/secrets"\n{locked.workspace.config.read_text()}')
    assert "secrets_dir: there is no folder" in locked.run("status", expect=2)


def test_a_home_or_a_working_folder_that_cannot_be_entered_holds_no_configuration(locked: Locked) -> None:
    """As where root's shell calls the program as another user."""
    locked.workspace.environ = {"HOME": str(locked.folder)}
    empty = locked.workspace.folder / "empty"
    empty.mkdir()
    assert "`watcher init` writes one" in locked.run("status", expect=2, folder=empty)


def test_the_daemon_says_why_it_takes_no_backup(locked: Locked) -> None:
    locked.workspace.config.write_text(
        f'{locked.workspace.config.read_text()}[backup]\nevery = "1d"\nfolder = "locked/backups"\n'
    )
    with subprocess.Popen(
        [*_LIKE_ANYBODY, *locked.workspace.command("run")],
        cwd=locked.workspace.folder,
        env=locked.workspace.environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as daemon:
        assert daemon.stderr is not None
        said = [daemon.stderr.readline()]
        while "backup.folder" not in said[-1] and said[-1]:
            said.append(daemon.stderr.readline())
        daemon.kill()
    assert "Permission denied" in said[-1]
    assert "Traceback" not in "".join(said)
