"""The real command in a process of its own, on a configuration and a database in a folder of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import forked
from watcher.app import App, open_app
from watcher.context.opening import read_settings

REPOSITORY = Path(__file__).parents[2]
_TIMEOUT = 120.0
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "COVERAGE_PROCESS_START", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(slots=True, kw_only=True)
class Watching:
    """A folder with `watcher.toml` and state; `sections` is what stands in the file besides where state is kept.

    `environ` is set for every command, beside the few variables that any command is given.
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
        """Writes the configuration down, for its owner alone unless told otherwise: it holds secrets."""
        self.sections = self.sections if sections is None else sections
        self.config.write_text(f'timezone = "America/New_York"\nstate_dir = "state"\n{self.sections}', "utf-8")
        self.config.chmod(mode)

    @contextmanager
    def app(self) -> Iterator[App]:
        """The program on the same configuration and database, within this process, to prepare and to look."""
        with open_app(read_settings(self.config, {})) as app:
            yield app

    def run(
        self, *words: str, expect: Collection[int] = (0,), stdin: str = "", environ: Mapping[str, str] | None = None
    ) -> Said:
        """`watcher WORDS`, in the folder, which is where it finds its configuration.

        An exit status that was not expected fails the test, with what the command said.
        """
        ended = forked.run(
            "watcher",
            words,
            folder=self.folder,
            environ=self.environment() | dict(environ or {}),
            stdin=stdin,
            timeout=_TIMEOUT,
        )
        assert ended.status in expect, f"exit {ended.status}\n{ended.out}\n{ended.err}"
        return Said(status=ended.status, out=ended.out, err=ended.err)

    def popen(self, *words: str) -> "subprocess.Popen[str]":
        """The same, going on beside the test."""
        return subprocess.Popen(
            self.command(*words),
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "watcher", *words]

    def environment(self) -> dict[str, str]:
        """All that a command is given of the environment; nothing of the person's own configuration."""
        passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {**passed, "HOME": str(self.folder), "PYTHONPATH": str(REPOSITORY), **self.environ}
