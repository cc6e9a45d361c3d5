"""Two processes deliver the alerts of one database: nothing is sent twice, whatever happens to their connections."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock

import pytest

from tests.doubles.loopback import ReceivedRequest, reply, serve
from tests.postgres.server import Server
from tests.store.temporary_store import StoreAddress, a_draft, record_alerts
from tests.support.waiting import eventually
from tests.support.workspace import REPOSITORY
from watcher.model.alert import AlertState

TITLES = list("abcdefgh")
WITHIN = 60.0


@dataclass(slots=True)
class Phone:
    """A service that calls `disturb` in the middle of the third message, with the sender, before it accepts it."""

    disturb: Callable[[], None]
    sent: list[str] = field(default_factory=list)
    disturbed: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)

    def answer(self, request: ReceivedRequest) -> bytes:
        with self._lock:
            self.sent.append(next(title for title in TITLES if f'"title": "{title}"' in request.body.decode()))
            is_third = len(self.sent) == 3
        if is_third:
            self.disturb()
            self.disturbed.set()
        return reply()


@contextmanager
def courier(url: str, hook: str, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a process that delivers; kill it at the end if it still runs."""
    command = [sys.executable, "-m", "tests.postgres.courier", url, hook, str(folder)]
    process = subprocess.Popen(command, cwd=REPOSITORY)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def address(postgres: Server, tmp_path: Path) -> StoreAddress:
    """A database with alerts about different cases."""
    address = StoreAddress(url=postgres.new_store(), locks=tmp_path / "locks")
    with address.open() as opened:
        for title in TITLES:
            record_alerts(opened.store, a_draft(title), number=title)
    return address


def ended(address: StoreAddress) -> bool:
    with address.open() as opened:
        return opened.store.outbox.counts()[AlertState.SENT] == len(TITLES)


def name_of(address: StoreAddress) -> str:
    return address.url.rpartition("/")[2]


def cut(postgres: Server, address: StoreAddress, *, only_locks: bool) -> None:
    """End the connections to the database, or only those that hold a lock."""
    holders = "AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')" if only_locks else ""
    name = name_of(address)
    postgres.do(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' {holders}")  # noqa: S608


def restart(postgres: Server, address: StoreAddress) -> None:
    """Do to the clients what a restart of the server does."""
    postgres.do(f"ALTER DATABASE {name_of(address)} ALLOW_CONNECTIONS false")
    cut(postgres, address, only_locks=False)
    postgres.do(f"ALTER DATABASE {name_of(address)} ALLOW_CONNECTIONS true")


@pytest.mark.parametrize("disturb", [cut, restart], ids=["lost-lock", "restart"])
def test_alert_under_way_is_sent_once_if_the_server_ends_connections(
    disturb: Callable[..., None], postgres: Server, address: StoreAddress, tmp_path: Path
) -> None:
    options = {"only_locks": True} if disturb is cut else {}
    phone = Phone(lambda: disturb(postgres, address, **options))
    with serve(phone.answer) as server:
        hook = server.origin.removeprefix("http://")
        with courier(address.url, hook, tmp_path / "a"), courier(address.url, hook, tmp_path / "b"):
            assert phone.disturbed.wait(WITHIN)
            assert eventually(lambda: ended(address), within=WITHIN)
    assert Counter(phone.sent) == Counter(TITLES)


def test_stopped_process_sends_nothing_twice_when_it_goes_on(
    postgres: Server, address: StoreAddress, tmp_path: Path
) -> None:
    running: list[subprocess.Popen[bytes]] = []

    def freeze() -> None:
        os.kill(running[0].pid, signal.SIGSTOP)
        cut(postgres, address, only_locks=True)

    phone = Phone(freeze)
    with serve(phone.answer) as server:
        hook = server.origin.removeprefix("http://")
        with courier(address.url, hook, tmp_path / "a") as first:
            running.append(first)
            assert phone.disturbed.wait(WITHIN)
            with courier(address.url, hook, tmp_path / "b"):
                assert eventually(lambda: len(phone.sent) == len(TITLES), within=WITHIN)
                os.kill(first.pid, signal.SIGCONT)
                assert eventually(lambda: ended(address), within=WITHIN)
    assert Counter(phone.sent) == Counter(TITLES)


def test_alert_of_a_killed_process_is_sent_at_once_by_another(address: StoreAddress, tmp_path: Path) -> None:
    running: list[subprocess.Popen[bytes]] = []

    def kill() -> None:
        running[0].kill()

    phone = Phone(kill)
    with serve(phone.answer) as server:
        hook = server.origin.removeprefix("http://")
        with courier(address.url, hook, tmp_path / "a") as first:
            running.append(first)
            assert phone.disturbed.wait(WITHIN)
            first.wait()
            with courier(address.url, hook, tmp_path / "b"):
                assert eventually(lambda: ended(address), within=WITHIN)
    assert Counter(phone.sent) == Counter([*TITLES, phone.sent[2]]), "only the one that was under way"
