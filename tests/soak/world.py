"""A portal, a user's installation, and everything that can fail between them, from one seed."""

import ctypes
import logging
import random
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from pydantic import SecretStr

from tests.doubles.disk import DiskFault, failing
from tests.doubles.notifier import AcceptsAttachments
from tests.soak.clock import LeapingClock
from tests.soak.turn import ACCOUNT, TURN
from tests.soak.victims import Victims, victims
from tests.support.webhook_workspace import WebhookWorkspace, webhook_workspace
from watcher.app import App, open_app
from watcher.context.opening import read_settings
from watcher.delivery.message_traits import NO_TRAITS, Traits
from watcher.errors import DeliveryFailed, StoreUnusable
from watcher.practice import Fault, PracticePortal

NUMBERS: Final = ("EAC9999020001", "EAC9999020002", "EAC9999020003")
FAULTS: Final = (
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
TITLES: Final = (
    "Case Was Received",
    "Case Is Being Actively Reviewed By USCIS",
    "Case Was Transferred",
    "Name Was Updated",
)
NOBODY_THERE: Final = ("http://127.0.0.1:9", "https://portal.invalid")
"""A port without a listener, and a name that does not exist."""

_PORTAL, _CHANNEL, _DISK, _NETWORK, _CLOCK = 0.35, 0.3, 0.2, 0.05, 0.03
"""How often each of them fails: the channel per message, the others per check."""

_M_MMAP_THRESHOLD = -3  # <malloc.h>
_LONGEST_LIFE = 0.6  # real seconds; one step takes a fifth of that


@dataclass(slots=True)
class FickleChannel(AcceptsAttachments):
    """Accepts or rejects messages at random."""

    chance: random.Random
    moody: bool = True
    refused: int = 0
    taken: Counter[str] = field(default_factory=Counter)

    def send(
        self,
        url: SecretStr,
        *,
        title: str,
        body: str,
        html: str,
        short: str,
        attachments: Sequence[Path] = (),
        accepted_by: Collection[str] = (),
        traits: Traits = NO_TRAITS,
    ) -> None:
        assert not accepted_by, "each channel is one target"
        assert isinstance(traits, Traits)
        if self.moody and self.chance.random() < _CHANNEL:
            self.refused += 1
            raise DeliveryFailed("not now")
        assert url
        assert body
        assert html
        assert short
        assert not attachments
        self.taken[title] += 1


@dataclass(slots=True, kw_only=True)
class World:
    """`told` is the portal's true story, created by `author`: every status of each case in order.

    What goes wrong when is up to `chance` alone, so that a seed brings the same faults whatever the machine's pace.

    `refusals` is how often the program could not use its books, and said so.
    """

    portal: PracticePortal
    home: WebhookWorkspace
    clock: LeapingClock
    channel: FickleChannel
    chance: random.Random
    author: random.Random
    victims: Victims
    told: dict[str, list[str]] = field(default_factory=dict)
    rounds: int = 0
    refusals: int = 0
    _faults: Counter[str] = field(default_factory=Counter)

    @property
    def faults(self) -> Mapping[str, int]:
        """Return the number of faults by what failed."""
        return dict(sorted((self._faults + Counter(channel=self.channel.refused)).items()))

    @contextmanager
    def program(self) -> Iterator[App]:
        settings = read_settings(self.home.config, {})
        with open_app(settings, clock=self.clock, notifier=self.channel) as app:
            yield app

    def live(self, app: App, rounds: int) -> None:
        """Run so many checks."""
        for _ in range(rounds):
            self._one_round(app)

    def settle(self) -> None:
        """Run without faults until nothing can still be waiting."""
        self.channel.moody = False
        with self.program() as app:
            for _ in range(4):
                self.clock.moment += timedelta(days=1)
                self._turn(app)

    def die(self, beside: App | None = None) -> None:
        """Run another process that checks the account, and kill it at a random moment.

        Either it is alone with the books, or the program is open `beside` it, and the portal's story goes on.
        """
        self._faults["kill"] += 1
        with self.victims.one(self.clock.moment):
            until = time.monotonic() + self.chance.uniform(0, _LONGEST_LIFE)
            while time.monotonic() < until:
                if beside is not None:
                    self._tell_on(beside)
                time.sleep(0.02)

    def received(self) -> Counter[str]:
        """Return the messages that reached the channel, by title, from this process and from killed ones."""
        self.channel.taken.update(message["title"] for message in self.home.phone.messages)
        self.home.phone.requests.clear()
        return self.channel.taken

    def _one_round(self, app: App) -> None:
        self.rounds += 1
        self.clock.moment += self._step()
        self._tell_on(app)
        self._trouble_the_portal()
        with self._disk():
            self._turn(self._reaching(app))
        self.portal.faults.clear()
        self.portal.forget_requests()

    def _turn(self, app: App) -> None:
        for work in TURN:
            try:
                work(app)
            except StoreUnusable:
                self.refusals += 1

    def _step(self) -> timedelta:
        """Advance by some hours; sometimes jump ahead or back."""
        if self._fails("clock", _CLOCK):
            return timedelta(days=self.chance.choice((-1, 2, 8)))
        return timedelta(hours=self.chance.uniform(4, 9))

    def _trouble_the_portal(self) -> None:
        if self._fails("portal", _PORTAL):
            fault, times = self.chance.choice(FAULTS), self.chance.randint(1, 4)
            self.portal.faults.throw(fault, path="/case-status/*", times=times)

    def _disk(self) -> AbstractContextManager[None]:
        if self._fails("disk", _DISK):
            return failing(self.chance.choice(list(DiskFault)), self.home.database, self.chance)
        return nullcontext()

    def _reaching(self, app: App) -> App:
        """Return the same program, sometimes without a reachable portal."""
        if not self._fails("network", _NETWORK):
            return app
        address = {"base_url": self.chance.choice(NOBODY_THERE)}
        accounts = {ACCOUNT: app.settings.accounts[ACCOUNT].model_copy(update=address)}
        return app.with_settings(app.settings.model_copy(update={"accounts": accounts}))

    def _fails(self, what: str, how_often: float) -> bool:
        fails = self.chance.random() < how_often
        self._faults[what] += fails
        return fails

    def _tell_on(self, app: App) -> None:
        """Move a case on only after the program has seen its status: nobody can report what nobody saw."""
        seen = {case.case_number: case.snapshot for case in app.store.tracked_cases()}
        for number in NUMBERS:
            snapshot = seen.get(number)
            current = self.told[number][-1]
            if snapshot is not None and snapshot.status == current and self.author.random() < 0.25:
                title = self.author.choice([title for title in TITLES if title != current])
                self.portal.cases[number].set_status(title)
                self.told[number].append(title)


@contextmanager
def world(folder: Path, seed: int) -> Iterator[World]:
    """Start with a portal without faults and an empty database."""
    clock = LeapingClock(datetime.now(UTC))
    chance, author, mood = (random.Random(f"{seed} {name}") for name in ("chance", "author", "mood"))  # noqa: S311
    _give_back_what_is_free()
    with _quiet(), PracticePortal(clock, tls=False) as portal:
        for number in NUMBERS:
            portal.cases.add(number, form="I-485").set_status(TITLES[0])
        with webhook_workspace(folder, _account(portal)) as home, victims(home.config) as to_die:
            yield World(
                portal=portal,
                home=home,
                clock=clock,
                channel=FickleChannel(mood),
                chance=chance,
                author=author,
                victims=to_die,
                told={number: [TITLES[0]] for number in NUMBERS},
            )


def _give_back_what_is_free() -> None:
    """Release memory such as the 16 MiB for stretching a credential, which glibc keeps for each thread.

    A daemon does it once; the many lives in this process would look like growth. The threshold is glibc's own at first.
    """
    ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 128 * 1024)


@contextmanager
def _quiet() -> Iterator[None]:
    """Drop the log: thousands of warnings are expected, and a failing disk would fail them too."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


def _account(portal: PracticePortal) -> str:
    numbers = ", ".join(f'"{number}"' for number in NUMBERS)
    return (
        f'[accounts.{ACCOUNT}]\nportal = "uscis-api"\nbase_url = "{portal.base_url}"\n'
        f'client_id = "{portal.account.client_id}"\nclient_secret = "{portal.account.client_secret}"\n'
        f"cases = [{numbers}]\nrequests_per_second = 500\ndaily_requests = 100000\n"
    )
