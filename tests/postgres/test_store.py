from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from tests.postgres.server import PASSWORD, Server
from watcher.clock import SystemClock
from watcher.errors import PortalUnavailable, SignInRejected, StoreUnusable
from watcher.store import Store, StoredSignInGuard

NOW = datetime(2026, 3, 1, 23, 59, 59, 123456, tzinfo=UTC)
AT_ONCE = 6


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Store]:
    opened = Store(url, locks=tmp_path)
    yield opened
    opened.close()


def new_guard(store: Store) -> StoredSignInGuard:
    return store.sign_in_guard("family", clock=SystemClock(), fingerprint=lambda: "f", max_sign_ins_per_day=3)


def test_tables_are_created_once_if_several_processes_open_an_empty_database(url: str, tmp_path: Path) -> None:
    together = Barrier(AT_ONCE)

    def open_one(_: int) -> str | None:
        together.wait()
        store = Store(url, locks=tmp_path)
        try:
            return store.accounts.fingerprint("the same credential")
        finally:
            store.close()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        fingerprints = set(threads.map(open_one, range(AT_ONCE)))
    assert len(fingerprints) == 1


def test_database_of_a_newer_release_is_refused(postgres: Server, url: str, tmp_path: Path) -> None:
    Store(url, locks=tmp_path).close()
    postgres.do("UPDATE alembic_version SET version_num = '9999'", url.rpartition("/")[2])
    with pytest.raises(StoreUnusable, match="written by a newer release"):
        Store(url, locks=tmp_path)


def test_moments_are_unchanged_after_writing_and_reading(store: Store) -> None:
    store.accounts.health("family", NOW)
    assert store.accounts.next_read("family") is None
    store.accounts.set_next_read("family", NOW + timedelta(microseconds=1))
    assert store.accounts.next_read("family") == NOW + timedelta(microseconds=1)
    assert store.accounts.health("family", NOW + timedelta(days=1)).first_seen_at == NOW


def test_daily_quota_holds_for_concurrent_requests(store: Store) -> None:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        granted = list(
            threads.map(lambda _: store.quota("family").take(1, daily_limit=10, day="2026-03-01"), range(20))
        )
    assert sum(granted) == 10


def test_sign_in_guard_holds_for_concurrent_sign_ins(store: Store) -> None:
    def submit(_: int) -> bool:
        try:
            guard = new_guard(store)
            guard.before_submission()
        except (PortalUnavailable, SignInRejected):
            return False
        return True

    with ThreadPoolExecutor(AT_ONCE) as threads:
        submitted = list(threads.map(submit, range(12)))
    assert sum(submitted) == 1  # the first has no verdict yet; until then no other is submitted


def test_refused_credential_is_not_submitted_again(store: Store) -> None:
    first = new_guard(store)
    first.before_submission()
    first.refused()
    with pytest.raises(SignInRejected, match="rejected this credential before"):
        new_guard(store).before_submission()


def test_next_transaction_works_after_the_server_ended_all_connections(postgres: Server, store: Store) -> None:
    store.accounts.health("family", NOW)
    end_connections(postgres, store)
    assert set(store.accounts.all()) == {"family"}


def end_connections(postgres: Server, store: Store) -> None:
    name = store.display_name.split(" ", maxsplit=1)[0]
    postgres.do(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://watcher:{password}@127.0.0.1:{port}/nowhere", "create it with createdb"),
        ("postgresql://watcher:not-{password}@127.0.0.1:{port}/postgres", "refuses the user name or the password"),
        ("postgresql://watcher:{password}@127.0.0.1:1/postgres", "nothing answers there"),
        ("postgresql://watcher:{password}@host.invalid/postgres", "the name of its server is unknown"),
        ("postgresql+nosuchdriver://watcher:{password}@127.0.0.1:{port}/postgres", r"install case-watcher\[postgres\]"),
        ("mysql://watcher:{password}@127.0.0.1/books", "must look like"),
        ("{password}", "must look like"),
    ],
)
def test_unusable_database_is_reported_without_the_password(
    postgres: Server, tmp_path: Path, url: str, message: str
) -> None:
    with pytest.raises(StoreUnusable, match=message) as raised:
        Store(url.format(password=PASSWORD, port=postgres.port), locks=tmp_path)
    assert PASSWORD not in str(raised.value)


def test_user_who_may_not_create_tables_is_told_to_own_the_database(postgres: Server, tmp_path: Path) -> None:
    url = postgres.new_database()
    postgres.do(f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'")
    try:
        with pytest.raises(StoreUnusable, match="make it the owner"):
            Store(url.replace("//watcher:", "//guest:"), locks=tmp_path)
    finally:
        postgres.do("DROP ROLE guest")
