"""A configuration and a database for each measurement, in a temporary folder."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.office import Office, receipt
from watcher.app import App, open_app
from watcher.context.opening import read_settings
from watcher.delivery.sender_process import SenderProcess

ROOT = Path(__file__).parents[2]
ACCOUNT = "office"


@contextmanager
def folder() -> Iterator[Path]:
    """Create a folder for the duration of one measurement."""
    with TemporaryDirectory(prefix="case-watcher-bench-") as name:
        yield Path(name)


def account(office: Office, cases: Sequence[str], *, name: str = ACCOUNT, concurrency: int = 1) -> str:
    """Return an account at the office, effectively without a rate limit."""
    return f"""
[accounts.{name}]
portal = "uscis-api"
client_id = "made-up-id-{name}"
client_secret = "made-up-secret"
base_url = "{office.origin}"
requests_per_second = 1000000
daily_requests = 1000000000
concurrency = {concurrency}
cases = {list(cases)!r}
"""


def channel(name: str, url: str, extra: str = "") -> str:
    """Return a channel that receives every alert."""
    return f'\n[channels.{name}]\nurl = "{url}"\nmin_severity = "routine"\n{extra}\n'


def configured(home: Path, sections: str) -> Path:
    """Write the configuration and return its file."""
    config = home / "watcher.toml"
    config.write_text(
        f'timezone = "UTC"\nstate_dir = "{home / "state"}"\n[schedule]\njitter = "0"\n[stall]\nafter = "0"\n{sections}',
        "utf-8",
    )
    config.chmod(0o600)
    return config


@contextmanager
def watching(home: Path, sections: str) -> Iterator[App]:
    """Open the program with that configuration in this process. It delivers as the daemon does."""
    with (
        closing(SenderProcess()) as messenger,
        open_app(read_settings(configured(home, sections), {}), notifier=messenger) as app,
    ):
        yield app


def receipts(count: int) -> tuple[str, ...]:
    """Return so many case numbers."""
    return tuple(receipt(place) for place in range(1, count + 1))


def environment() -> dict[str, str]:
    """Return the environment of a command, without the machine's own settings."""
    return {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), "HOME": "/nonexistent", "LANG": "C.UTF-8"}


def command(*arguments: str, cwd: Path) -> "subprocess.Popen[bytes]":
    """Return the command line of a separate process; a leading `watcher` is the program."""
    words = [sys.executable, *(("-m", "watcher") if arguments[0] == "watcher" else arguments[:1]), *arguments[1:]]
    return subprocess.Popen(
        words, cwd=cwd, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
