"""A household whose books are on the server, watched by as many machines as one likes."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.webhook_workspace import WebhookWorkspace, api_account, webhook_workspace
from watcher.clock import SystemClock
from watcher.practice import PracticePortal

RFE = "Request for Evidence Was Sent"


@dataclass(slots=True, kw_only=True)
class House:
    """`machines` have a state folder each; books and phone are common to all."""

    portal: PracticePortal
    machines: list[WebhookWorkspace]
    numbers: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> WebhookWorkspace:
        return self.machines[0]

    def move(self) -> None:
        """Every case is sent a request for evidence."""
        for number in self.numbers.values():
            self.portal.cases[number].set_status(RFE, in_history=True)

    def reads(self, account: str) -> int:
        """How often the portal was asked for the account's case."""
        return sum(request.path == f"/case-status/{self.numbers[account]}" for request in self.portal.requests)

    def alerts_of(self, account: str) -> list[str]:
        """What arrived on the phone about the account's case once it had moved; the number is masked in it."""
        titles = [message["title"] for message in self.home.phone.messages]
        return [
            title for title in titles if title.endswith("Evidence requested") and self.numbers[account][-4:] in title
        ]


@contextmanager
def house(folder: Path, url: str, *, accounts: int, machines: int) -> Iterator[House]:
    """A case for each account, all of them known to the portal."""
    names = [f"family{place}" for place in range(accounts)]
    numbers = {name: f"EAC999900{place:04}" for place, name in enumerate(names, 1)}
    with PracticePortal(SystemClock()) as portal:
        for number in numbers.values():
            portal.cases.add(number)
        sections = "".join(api_account(portal, numbers[name], name=name) for name in names)
        with webhook_workspace(folder, sections) as first:
            made = House(portal=portal, machines=[first], numbers=numbers)
            made.machines += [_machine(first, folder / f"machine{place}") for place in range(1, machines)]
            for machine in made.machines:
                machine.schedule = f'database_url = "{url}"\n[schedule]\njitter = "0"'
                machine.configure()
            yield made


def _machine(like: WebhookWorkspace, folder: Path) -> WebhookWorkspace:
    folder.mkdir()
    return WebhookWorkspace(folder=folder, phone=like.phone, accounts=like.accounts)


@contextmanager
def watching(home: WebhookWorkspace) -> Iterator["subprocess.Popen[bytes]"]:
    """`watcher run`, a real process, killed at the end where it still runs."""
    with (home.folder / "run.log").open("wb") as log:
        process = subprocess.Popen(
            home.command("run"), env=home.environment(), cwd=home.folder, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
