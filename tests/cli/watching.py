"""The real command in a process of its own, on a configuration and a database in a folder of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.doubles.case_status_api import CaseStatusApi, case_status, running
from tests.servers.webhook import Webhook, webhook
from watcher.app import App, open_app, read_settings
from watcher.poll import Round

RECEIPT = "IOE0000000001"
_TIMEOUT = 60.0
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "COVERAGE_PROCESS_START", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
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
    """A folder with `watcher.toml` and state; `sections` is what stands in the file besides where state is kept."""

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
        self.sections = self.sections if sections is None else sections
        self.config.write_text(f'timezone = "America/New_York"\nstate_dir = "state"\n{self.sections}', "utf-8")
        self.config.chmod(mode)

    @contextmanager
    def app(self) -> Iterator[App]:
        """The program on the same configuration and database, within this process, to prepare and to look."""
        with open_app(read_settings(self.config, {})) as app:
            yield app

    def run(self, *arguments: str, stdin: str = "", environ: Mapping[str, str] | None = None) -> Said:
        """`watcher ARGUMENTS`, in the folder, which is where it finds its configuration."""
        done = subprocess.run(
            [sys.executable, "-m", "watcher", *arguments],
            cwd=self.folder,
            env=self._environment() | dict(environ or {}),
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_TIMEOUT,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def popen(self, *arguments: str) -> "subprocess.Popen[str]":
        """The same, going on beside the test."""
        return subprocess.Popen(
            [sys.executable, "-m", "watcher", *arguments],
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _environment(self) -> dict[str, str]:
        passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {
            **passed,
            "HOME": str(self.folder),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            **self.environ,
        }


@dataclass(slots=True, kw_only=True)
class Bench(Watching):
    """A watched case at the Case Status API on loopback, and a phone that is a small web server."""

    api: CaseStatusApi
    origin: str
    phone: Webhook

    def configure(self, extra: str = "", *, secret: str = "made-up-secret", channel: str = "") -> None:
        """One account with one case, and one channel that wants everything; `extra` goes below."""
        self.write(f"""
[schedule]
jitter = "0"

[stall]
after = "0"

[accounts.family]
portal = "uscis-api"
client_id = "made-up-id"
client_secret = "{secret}"
cases = ["{RECEIPT}"]
base_url = "{self.origin}"
every = "4h"

[channels.phone]
url = "json://{self.phone.host}/phone"
min_severity = "routine"
{channel}
{extra}
""")

    def check(self) -> Round:
        """One read and its alerts, within this process: what a test begins with, not what it is about."""
        with self.app() as app:
            done = app.poll("family")
            app.courier().deliver_due()
        return done

    def ask_for_evidence(self) -> None:
        """From now on the portal shows a request for evidence."""
        self.api.cases[RECEIPT] = case_status(RECEIPT, "Request for Additional Evidence Was Sent")


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """Everything running; the case is known to the portal as received."""
    api = CaseStatusApi()
    api.know(RECEIPT)
    with running(api) as portal, webhook() as phone:
        made = Bench(folder=folder, api=api, origin=portal.origin, phone=phone)
        made.configure()
        yield made
