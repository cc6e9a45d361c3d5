import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.workspace import REPOSITORY
from watcher.store import Busy
from watcher.store.database.engine import Database
from watcher.store.database.locks import Locks
from watcher.store.database.server_locks import lock_key, locks_of

_HOLDER = """
import sys
from pathlib import Path
from watcher.store.database.engine import Database
from watcher.store.database.server_locks import locks_of

with locks_of(Database(sys.argv[1]), Path()).acquire("account family"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def locks(url: str, tmp_path: Path) -> Iterator[Locks]:
    database = Database(url)
    yield locks_of(database, tmp_path)
    database.close()


def test_lock_is_exclusive_and_separate_for_each_name(locks: Locks) -> None:
    with locks.acquire("account family"):
        with pytest.raises(Busy), locks.acquire("account family"):
            pytest.fail("two hold_lock one lock")
        with locks.acquire("account other"):
            pass
    with locks.acquire("account family"):
        pass


def test_waiting_gets_the_lock_when_it_is_released(locks: Locks) -> None:
    held, done = Event(), Event()

    def hold_lock() -> None:
        with locks.acquire("account family"):
            held.set()
            done.wait(10)

    holder = Thread(target=hold_lock)
    holder.start()
    held.wait(10)
    done.set()
    with locks.acquire("account family", wait=10.0):
        pass
    holder.join()


def test_waiting_ends_on_stop(locks: Locks) -> None:
    stop = Event()
    stop.set()
    with (
        locks.acquire("account family"),
        pytest.raises(Busy),
        locks.acquire("account family", wait=3600.0, stop=stop),
    ):
        pytest.fail("two hold_lock one lock")


def test_killed_process_releases_its_lock(locks: Locks, url: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, url], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(Busy), locks.acquire("account family"):
            pytest.fail("two hold_lock one lock")
        process.kill()
        with locks.acquire("account family", wait=10.0):
            pass


@given(st.text(), st.text())
def test_names_have_distinct_keys_that_fit_the_server(one: str, other: str) -> None:
    assert -(2**63) <= lock_key(one) < 2**63
    assert (lock_key(one) == lock_key(other)) == (one == other)


def test_key_is_the_same_in_every_release() -> None:
    assert lock_key("delivery") == -1735675545156020096
