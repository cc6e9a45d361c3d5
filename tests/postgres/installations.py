"""Installations of the program on several machines that share a database on the server."""

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
class Installations:
    """Each of `machines` has a state folder; database and phone are shared."""

    portal: PracticePortal
    machines: list[WebhookWorkspace]
    numbers: dict[str, str] = field(default_factory=dict)

    @property
    def first(self) -> WebhookWorkspace:
        return self.machines[0]

    def move(self) -> None:
        """Send every case a request for evidence."""
        for number in self.numbers.values():
            self.portal.cases[number].set_status(RFE, in_history=True)

    def reads(self, account: str) -> int:
        """Return how often the portal was asked for the account's case."""
        return sum(request.path == f"/case-status/{self.numbers[account]}" for request in self.portal.requests)

    def alerts_of(self, account: str) -> list[str]:
        """Return the phone's alerts about the account's case since it moved; its number is masked in them."""
        titles = [message["title"] for message in self.first.phone.messages]
        return [
            title for title in titles if title.endswith("asks for evidence") and self.numbers[account][-4:] in title
        ]


@contextmanager
def installations(folder: Path, url: str, *, accounts: int, machines: int) -> Iterator[Installations]:
    """Set up accounts with one case each, all known to the portal."""
    names = [f"family{index}" for index in range(accounts)]
    numbers = {name: f"EAC999900{index:04}" for index, name in enumerate(names, 1)}
    with PracticePortal(SystemClock()) as portal:
        for number in numbers.values():
            portal.cases.add(number)
        sections = "".join(api_account(portal, numbers[name], name=name) for name in names)
        with webhook_workspace(folder, sections) as first:
            shared = Installations(portal=portal, machines=[first], numbers=numbers)
            shared.machines += [_machine(first, folder / f"machine{index}") for index in range(1, machines)]
            for machine in shared.machines:
                machine.schedule = f'database_url = "{url}"\n[schedule]\njitter = "0"'
                machine.configure()
            yield shared


def _machine(other: WebhookWorkspace, folder: Path) -> WebhookWorkspace:
    folder.mkdir()
    return WebhookWorkspace(folder=folder, phone=other.phone, accounts=other.accounts)


@contextmanager
def running_daemon(machine: WebhookWorkspace) -> Iterator["subprocess.Popen[bytes]"]:
    """Start `watcher run` as a real process, and kill it at the end if it still runs."""
    with (machine.folder / "run.log").open("wb") as log:
        process = subprocess.Popen(
            machine.command("run"), env=machine.environment(), cwd=machine.folder, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
