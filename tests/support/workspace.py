"""The real command in a separate process, with a configuration and database in a temporary folder."""

import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import fork_server
from watcher.app import App, open_app
from watcher.context.opening import read_settings

REPOSITORY = Path(__file__).parents[2]
_TIMEOUT = 120.0
_PASSED_THROUGH = ("PATH", "LANG", "LC_ALL", "TMPDIR", "COVERAGE_PROCESS_START", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """The exit status and output of a command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(slots=True, kw_only=True)
class Workspace:
    """A folder with `watcher.toml` and state.

    `sections` is the content of the file after `timezone` and `state_dir`. `environ` is added to the environment of
    every command.
    """

    folder: Path
    sections: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.folder / "watcher.toml"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def database(self) -> Path:
        return self.state / "watcher.sqlite3"

    def write(self, sections: str | None = None, *, mode: int = 0o600) -> None:
        """Write the configuration. It holds secrets, so by default only the owner can read it."""
        self.sections = self.sections if sections is None else sections
        self.config.write_text(f'timezone = "America/New_York"\nstate_dir = "state"\n{self.sections}', "utf-8")
        self.config.chmod(mode)

    @contextmanager
    def app(self) -> Iterator[App]:
        """Open the same configuration and database in this process, to prepare and to inspect."""
        with open_app(read_settings(self.config, {})) as app:
            yield app

    def run(
        self, *arguments: str, expect: Collection[int] = (0,), stdin: str = "", environ: Mapping[str, str] | None = None
    ) -> CommandResult:
        """Run `watcher ARGUMENTS` in the folder, where it finds its configuration.

        Fail the test with the output if the exit status is not in `expect`.
        """
        completed = fork_server.run(
            "watcher",
            arguments,
            folder=self.folder,
            environ=self.environment() | dict(environ or {}),
            stdin=stdin,
            timeout=_TIMEOUT,
        )
        assert completed.status in expect, f"exit {completed.status}\n{completed.out}\n{completed.err}"
        return CommandResult(status=completed.status, out=completed.out, err=completed.err)

    def popen(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start the same command in the background."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "watcher", *arguments]

    def environment(self) -> dict[str, str]:
        """Return the environment of a command. Nothing of the developer's own configuration is in it."""
        inherited = {name: os.environ[name] for name in _PASSED_THROUGH if name in os.environ}
        return {**inherited, "HOME": str(self.folder), "PYTHONPATH": str(REPOSITORY), **self.environ}
