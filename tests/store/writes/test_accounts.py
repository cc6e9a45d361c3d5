"""The sign-in guard in the database, the daily quota, and the locks."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from tests.practice.visitor import HandClock
from tests.store.conftest import NewAddress
from tests.store.temporary_store import NOW, StoreAddress, TemporaryStore
from watcher.errors import PortalUnavailable, SignInRejected
from watcher.model.account_health import AccountHealth, AccountState
from watcher.store import Busy, StoredSignInGuard


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


def sign_in_guard(
    temporary: TemporaryStore, clock: HandClock, *, credential: str = "secret", limit: int = 5
) -> StoredSignInGuard:
    """A new guard each time, as in a new process."""
    return temporary.store.sign_in_guard(
        "family",
        clock=clock,
        fingerprint=lambda: temporary.store.accounts.fingerprint(credential),
        max_sign_ins_per_day=limit,
    )


class TestSignInGuard:
    def test_rejected_credential_stays_rejected_after_reopening(self, address: StoreAddress, clock: HandClock) -> None:
        with address.open() as temporary:
            guard = sign_in_guard(temporary, clock)
            guard.before_submission()
            guard.refused()
        clock.pass_by(timedelta(days=30))
        with address.open() as temporary:
            with pytest.raises(SignInRejected, match="watcher resume family"):
                sign_in_guard(temporary, clock).before_submission()
            sign_in_guard(temporary, clock, credential="another").before_submission()

    def test_reset_allows_another_attempt(self, temporary: TemporaryStore, clock: HandClock) -> None:
        guard = sign_in_guard(temporary, clock)
        guard.before_submission()
        guard.refused()
        sign_in_guard(temporary, clock).reset()
        sign_in_guard(temporary, clock).before_submission()

    def test_cut_off_sign_in_waits_twenty_minutes_and_there_is_no_third(
        self, temporary: TemporaryStore, clock: HandClock
    ) -> None:
        sign_in_guard(temporary, clock).before_submission()
        clock.pass_by(timedelta(minutes=5))
        with pytest.raises(PortalUnavailable) as waiting:
            sign_in_guard(temporary, clock).before_submission()
        assert waiting.value.retry_after == timedelta(minutes=15)
        clock.pass_by(timedelta(minutes=15))
        sign_in_guard(temporary, clock).before_submission()
        clock.pass_by(timedelta(days=9))
        with pytest.raises(SignInRejected, match="interrupted"):
            sign_in_guard(temporary, clock).before_submission()

    def test_three_unclear_sign_ins_in_a_row_stop_further_ones(
        self, temporary: TemporaryStore, clock: HandClock
    ) -> None:
        for _ in range(3):
            guard = sign_in_guard(temporary, clock)
            guard.before_submission()
            guard.unclear()
            clock.pass_by(timedelta(days=2))
        with pytest.raises(SignInRejected, match="unclear"):
            sign_in_guard(temporary, clock).before_submission()

    def test_accepted_sign_in_restarts_the_count(self, temporary: TemporaryStore, clock: HandClock) -> None:
        for verdict in ("unclear", "unclear", "accepted", "unclear", "unclear"):
            guard = sign_in_guard(temporary, clock)
            guard.before_submission()
            getattr(guard, verdict)()
            clock.pass_by(timedelta(days=2))
        sign_in_guard(temporary, clock).before_submission()

    def test_unanswered_sign_in_is_tried_again(self, temporary: TemporaryStore, clock: HandClock) -> None:
        for _ in range(4):
            guard = sign_in_guard(temporary, clock)
            guard.before_submission()
            guard.unanswered()

    def test_sign_ins_are_counted_for_a_day(self, temporary: TemporaryStore, clock: HandClock) -> None:
        for _ in range(2):
            guard = sign_in_guard(temporary, clock, limit=2)
            guard.before_submission()
            guard.accepted()
            clock.pass_by(timedelta(hours=1))
        with pytest.raises(PortalUnavailable, match="max_sign_ins_per_day") as full:
            sign_in_guard(temporary, clock, limit=2).before_submission()
        assert full.value.retry_after == timedelta(hours=22)
        sign_in_guard(temporary, clock, limit=2).before_submission(counts=False)
        clock.pass_by(timedelta(hours=23))
        guard = sign_in_guard(temporary, clock, limit=2)

    def test_submission_is_on_disk_before_it_is_sent_without_the_credential(
        self, on_disk: TemporaryStore, clock: HandClock
    ) -> None:
        sign_in_guard(on_disk, clock, credential="correct horse").before_submission()
        assert on_disk.rows("SELECT verdict FROM submission") == [(None,)]
        content = on_disk.file.read_bytes() + Path(f"{on_disk.file}-wal").read_bytes()
        assert b"correct horse" not in content


class TestAccounts:
    def test_new_account_is_added_and_found_again(self, address: StoreAddress) -> None:
        with address.open() as temporary:
            assert temporary.store.accounts.health("family", NOW).state is AccountState.NEVER_READ
        with address.open() as temporary:
            later = NOW + timedelta(days=1)
            assert temporary.store.accounts.health("family", later) == AccountHealth(first_seen_at=NOW)

    def test_fingerprint_differs_between_databases(self, new_address: NewAddress) -> None:
        fingerprints = []
        for address in (new_address(), new_address()):
            for _ in range(2):
                with address.open() as temporary:
                    fingerprints.append(temporary.store.accounts.fingerprint("secret"))
        assert fingerprints[0] == fingerprints[1] != fingerprints[2] == fingerprints[3]

    def test_daily_quota_is_counted_across_processes(self, address: StoreAddress) -> None:
        with address.open() as temporary:
            assert temporary.store.quota("family").take(7, daily_limit=10, day="2026-03-02") == 7
        with address.open() as temporary:
            quota = temporary.store.quota("family")
            assert quota.take(7, daily_limit=10, day="2026-03-02") == 3
            assert quota.take(1, daily_limit=10, day="2026-03-02") == 0
            quota.give_back(2, day="2026-03-02")
            assert quota.take(5, daily_limit=10, day="2026-03-02") == 2
            assert quota.take(5, daily_limit=10, day="2026-03-03") == 5
            assert temporary.store.quota("work").take(5, daily_limit=10, day="2026-03-02") == 5


_HOLDER = """
import sys, time
from pathlib import Path
from watcher.store import Store
store = Store(sys.argv[1], locks=Path(sys.argv[2]))
with store.locks.acquire("daemon"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_lock_excludes_another_process_and_a_kill_releases_it(temporary: TemporaryStore, address: StoreAddress) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, address.url, str(address.locks)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    with holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(Busy), temporary.store.locks.acquire("daemon"):
                pass
            with temporary.store.locks.acquire("account family"):
                pass
        finally:
            with suppress(ProcessLookupError):
                os.kill(holder.pid, signal.SIGKILL)
            holder.wait()
        with temporary.store.locks.acquire("daemon", wait=5):
            pass
