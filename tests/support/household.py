"""A family that watches its cases: a configuration in a folder, the real command, a phone that listens."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.webhook import Webhook, webhook
from tests.support.watching import REPOSITORY, Watching
from watcher.model.alert import Alert
from watcher.model.change import RecordedChange
from watcher.practice import PracticePortal


@dataclass(slots=True, kw_only=True)
class Household(Watching):
    """`accounts` is the TOML of the accounts; `phone` is the one channel, and wants everything."""

    phone: Webhook
    accounts: str
    schedule: str = ""

    def configure(self) -> None:
        """Writes down what the fields say now."""
        self.write(
            f"{self.schedule}\n{self.accounts}\n"
            f'[channels.phone]\nurl = "json://{self.phone.host}/"\nmin_severity = "routine"\nmax_per_hour = 0\n'
        )

    def check(self, *, expect: Collection[int] = (0,)) -> Any:
        """One read now, as JSON."""
        return self.run("check", "--json", expect=expect).json

    def changes(self) -> list[RecordedChange]:
        """Every recorded change, oldest first."""
        with self.app() as app:
            return app.store.history()[::-1]

    def alerts(self) -> list[Alert]:
        """Every alert, oldest first."""
        with self.app() as app:
            return list(app.store.outbox.list())[::-1]


@contextmanager
def household(folder: Path, accounts: str) -> Iterator[Household]:
    """A household with these accounts, its configuration written."""
    with webhook() as phone:
        family = Household(folder=folder, phone=phone, accounts=accounts)
        family.configure()
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
