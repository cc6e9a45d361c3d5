"""A portal, a household and everything that can go wrong between them, from one seed."""

import gc
import random
import resource
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from tests.household import Household, household
from watcher.app import App, open_app, read_settings
from watcher.change import ChangeKind
from watcher.errors import DeliveryFailed
from watcher.message import AlertState
from watcher.practice import Fault, PracticePortal

NUMBERS = ("EAC9999020001", "EAC9999020002", "EAC9999020003")
FAULTS = (
    Fault.MAINTENANCE,
    Fault.UNAVAILABLE,
    Fault.BAD_GATEWAY,
    Fault.SERVER_ERROR,
    Fault.TOO_MANY_REQUESTS,
    Fault.HTML_FOR_JSON,
    Fault.INVALID_JSON,
    Fault.NO_ANSWER,
    Fault.CUT_OFF,
    Fault.CHANGED_SHAPE,
    Fault.EMPTY_LIST,
)
TITLES = ("Case Was Received", "Case Is Being Actively Reviewed By USCIS", "Case Was Transferred", "Name Was Updated")


@dataclass(slots=True)
class LeapingClock:
    """Goes on by itself only when told, and now and then leaps."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self.moment).total_seconds()


@dataclass(slots=True)
class FickleChannel:
    """Takes what it likes, when it likes."""

    chance: random.Random
    moody: bool = True
    taken: int = 0

    def send(
        self, url: SecretStr, *, title: str, body: str, html: str, short: str, attachments: Sequence[Path] = ()
    ) -> None:
        if self.moody and self.chance.random() < 0.3:
            raise DeliveryFailed("not now")
        assert url
        assert title
        assert body
        assert html
        assert short
        assert not attachments
        self.taken += 1


@dataclass(slots=True, kw_only=True)
class World:
    """`told` is the portal's true story: every status of each case, in order."""

    portal: PracticePortal
    home: Household
    clock: LeapingClock
    channel: FickleChannel
    chance: random.Random
    told: dict[str, list[str]] = field(default_factory=dict)
    rounds: int = 0
    faults: int = 0

    @contextmanager
    def program(self) -> Iterator[App]:
        settings = read_settings(self.home.config, {})
        with open_app(settings, clock=self.clock, notifier=self.channel) as app:
            yield app

    def live(self, rounds: int) -> None:
        """So many rounds in one process, then a death."""
        with self.program() as app:
            for _ in range(rounds):
                self._one_round(app)

    def settle(self) -> None:
        """Nothing goes wrong any more, for as long as anything could still be waiting."""
        self.channel.moody = False
        with self.program() as app:
            for _ in range(4):
                self.clock.moment += timedelta(days=1)
                app.poll("api")
                app.keep_time()
                app.courier().deliver_due()

    def die(self) -> None:
        """Another process reads the account, and is killed at some instant of it; its clock is the machine's own."""
        with subprocess.Popen(
            self.home.command("check"),
            env=self.home.environment(),
            cwd=self.home.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            time.sleep(self.chance.uniform(0.2, 2.5))
            process.kill()
        self.faults += 1

    def _one_round(self, app: App) -> None:
        self.rounds += 1
        self.clock.moment += self._step()
        self._tell_on(app)
        fault = self.chance.choice(FAULTS) if self.chance.random() < 0.4 else None
        if fault:
            self.faults += 1
            self.portal.faults.throw(fault, path="/case-status/*", times=self.chance.randint(1, 4))
        app.poll("api")
        self.portal.faults.clear()
        app.keep_time()
        app.courier().deliver_due()

    def _step(self) -> timedelta:
        """Mostly some hours; now and then the clock leaps, ahead or back."""
        if self.chance.random() < 0.03:
            self.faults += 1
            return timedelta(days=self.chance.choice((-1, 2, 8)))
        return timedelta(hours=self.chance.uniform(4, 9))

    def _tell_on(self, app: App) -> None:
        """A case moves on only when the program has seen where it stood: what nobody saw, nobody can tell."""
        seen = {case.case_number: case.snapshot for case in app.store.standings()}
        for number in NUMBERS:
            snapshot = seen.get(number)
            current = self.told[number][-1]
            if snapshot is not None and snapshot.status == current and self.chance.random() < 0.25:
                title = self.chance.choice([title for title in TITLES if title != current])
                self.portal.cases[number].set_status(title)
                self.told[number].append(title)


def story_in(app: App, number: str) -> list[str]:
    """Every status that the books tell of, oldest first."""
    kinds = [ChangeKind.CASE_ADDED, ChangeKind.STAGE_CHANGED, ChangeKind.STATUS_CHANGED]
    changes = app.store.history(case_number=number, kinds=kinds)[::-1]
    return [str(each.change.new["status"]) for each in changes if isinstance(each.change.new, dict)]


def unsent(app: App) -> dict[AlertState, int]:
    """Alerts that have not gone out."""
    return {
        state: count for state, count in app.store.outbox.counts().items() if count and state is not AlertState.SENT
    }


def open_files() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def resident_kib() -> int:
    """What the process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() // 1024


@contextmanager
def world(folder: Path, seed: int) -> Iterator[World]:
    """Begins with a quiet portal, and books that have seen nothing."""
    clock = LeapingClock(datetime.now(UTC))
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    with PracticePortal(clock, tls=False) as portal:
        for number in NUMBERS:
            portal.cases.add(number, form="I-485").set_status(TITLES[0])
        account = _plain(portal) + "requests_per_second = 500\ndaily_requests = 100000\n"
        with household(folder, account) as home:
            made = World(portal=portal, home=home, clock=clock, channel=FickleChannel(chance), chance=chance)
            made.told = {number: [TITLES[0]] for number in NUMBERS}
            yield made


def _plain(portal: PracticePortal) -> str:
    numbers = ", ".join(f'"{number}"' for number in NUMBERS)
    return (
        f'[accounts.api]\nportal = "uscis-api"\nbase_url = "{portal.base_url}"\n'
        f'client_id = "{portal.account.client_id}"\nclient_secret = "{portal.account.client_secret}"\n'
        f"cases = [{numbers}]\n"
    )
