"""A family that watches its cases: a configuration in a folder, the real command, a phone that listens."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.webhook import Webhook, webhook
from watcher.app import App, open_app, read_settings
from watcher.change import RecordedChange
from watcher.message import Alert
from watcher.practice import PracticePortal

REPOSITORY = Path(__file__).parents[1]
EVERYTHING = 'min_severity = "routine"\nmax_per_hour = 0\n'


@dataclass(slots=True, kw_only=True)
class Ran:
    """A command that was run: how it ended and what it said."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(slots=True, kw_only=True)
class Household:
    """`accounts` is the TOML of the accounts; `phone` is the one channel."""

    folder: Path
    phone: Webhook
    accounts: str
    schedule: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.folder / "watcher.toml"

    @property
    def state_dir(self) -> Path:
        return self.folder / "state"

    @property
    def database(self) -> Path:
        return self.state_dir / "watcher.sqlite3"

    def write(self) -> None:
        """Writes the configuration down, for its owner alone: it holds secrets."""
        self.config.touch(mode=0o600)
        self.config.write_text(
            f'timezone = "America/New_York"\nstate_dir = "{self.state_dir}"\n{self.schedule}\n{self.accounts}\n'
            f'[channels.phone]\nurl = "json://127.0.0.1:{self.phone.port}/"\n{EVERYTHING}',
            encoding="utf-8",
        )

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "watcher", *words]

    def run(self, *words: str, expect: Sequence[int] = (0,), stdin: str | None = None) -> Ran:
        """Runs `watcher WORDS` with this configuration; an unexpected exit status fails the test with its words."""
        done = subprocess.run(
            self.command(*words),
            env=self.surroundings(),
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode in expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return Ran(status=done.returncode, out=done.stdout, err=done.stderr)

    def surroundings(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | {"WATCHER_CONFIG": str(self.config), "PYTHONPATH": str(REPOSITORY)} | self.environment

    def check(self, *, expect: Sequence[int] = (0,)) -> Any:
        """One read now, as JSON."""
        return self.run("check", "--json", expect=expect).json

    @contextmanager
    def opened(self) -> Iterator[App]:
        """The same configuration and database, in this process: quicker to look at than through a command."""
        with open_app(read_settings(self.config, {})) as app:
            yield app

    def changes(self) -> list[RecordedChange]:
        """Every recorded change, oldest first."""
        with self.opened() as app:
            return app.store.history()[::-1]

    def alerts(self) -> list[Alert]:
        """Every alert, oldest first."""
        with self.opened() as app:
            return list(app.store.outbox.list())[::-1]


@contextmanager
def household(folder: Path, accounts: str) -> Iterator[Household]:
    """A household with these accounts, its configuration written."""
    with webhook() as phone:
        family = Household(folder=folder, phone=phone, accounts=accounts)
        family.write()
        yield family


def api_account(portal: PracticePortal, *numbers: str, name: str = "api") -> str:
    """An account at the practice portal's Case Status API."""
    return (
        f'[accounts.{name}]\nportal = "uscis-api"\nbase_url = "{portal.base_url}"\nca_file = "{portal.ca_file}"\n'
        f'client_id = "{portal.account.client_id}"\nclient_secret = "{portal.account.client_secret}"\n'
        f"cases = {json.dumps(list(numbers))}\n"
    )


def page_account(portal: PracticePortal, recipe: str = "practice.toml", *, name: str = "family") -> str:
    """An account at the practice portal's own pages, through the recipe for them."""
    secret = f'totp_secret = "{portal.account.totp_secret}"\n' if portal.account.totp_secret else ""
    return (
        f'[accounts.{name}]\nportal = "recipe"\nrecipe = "{REPOSITORY / "config" / "recipes" / recipe}"\n'
        f'base_url = "{portal.base_url}"\nca_file = "{portal.ca_file}"\n'
        f'username = "{portal.account.username}"\npassword = "{portal.account.password}"\n{secret}'
    )
