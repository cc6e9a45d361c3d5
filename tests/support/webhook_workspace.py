"""A workspace whose alerts arrive at a local webhook server."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.webhook import Webhook, webhook
from tests.support.workspace import REPOSITORY, Workspace
from watcher.model.alert import Alert
from watcher.model.change import RecordedChange
from watcher.practice import PracticePortal


@dataclass(slots=True, kw_only=True)
class WebhookWorkspace(Workspace):
    """A workspace with one channel, `phone`, that receives alerts of every severity.

    `accounts` is the TOML of the accounts, and `schedule` that of the section [schedule].
    """

    phone: Webhook
    accounts: str
    schedule: str = ""

    def configure(self) -> None:
        """Write the configuration from the current fields."""
        self.write(
            f"{self.schedule}\n{self.accounts}\n"
            f'[channels.phone]\nurl = "json://{self.phone.host}/"\nmin_severity = "routine"\nmax_per_hour = 0\n'
        )

    def check(self, *, expect: Collection[int] = (0,)) -> Any:
        """Run `watcher check --json` and return the document."""
        return self.run("check", "--json", expect=expect).json

    def changes(self) -> list[RecordedChange]:
        """Return every recorded change, oldest first."""
        with self.app() as app:
            return app.store.history()[::-1]

    def alerts(self) -> list[Alert]:
        """Return every alert, oldest first."""
        with self.app() as app:
            return list(app.store.outbox.list())[::-1]


@contextmanager
def webhook_workspace(folder: Path, accounts: str) -> Iterator[WebhookWorkspace]:
    """Yield a workspace with these accounts and its configuration written."""
    with webhook() as phone:
        workspace = WebhookWorkspace(folder=folder, phone=phone, accounts=accounts)
        workspace.configure()
        yield workspace


def api_account(portal: PracticePortal, *numbers: str, name: str = "api") -> str:
    """Return the TOML of an account at the practice portal's Case Status API."""
    return (
        f'[accounts.{name}]\nportal = "uscis-api"\nbase_url = "{portal.base_url}"\nca_file = "{portal.ca_file}"\n'
        f'client_id = "{portal.account.client_id}-{name}"\nclient_secret = "{portal.account.client_secret}"\n'
        f"cases = {json.dumps(list(numbers))}\n"
    )


def page_account(portal: PracticePortal, recipe: str = "practice.toml", *, name: str = "family") -> str:
    """Return the TOML of an account at the practice portal's own pages, read with a recipe."""
    secret = f'totp_secret = "{portal.account.totp_secret}"\n' if portal.account.totp_secret else ""
    return (
        f'[accounts.{name}]\nportal = "recipe"\nrecipe = "{REPOSITORY / "config" / "recipes" / recipe}"\n'
        f'base_url = "{portal.base_url}"\nca_file = "{portal.ca_file}"\n'
        f'username = "{portal.account.username}"\npassword = "{portal.account.password}"\n{secret}'
    )
