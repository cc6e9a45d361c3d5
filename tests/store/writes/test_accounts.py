"""Promise 2 on disk: the breaker before a password, the daily budget, the locks."""

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


def breaker(kept: TemporaryStore, clock: HandClock, *, credential: str = "secret", limit: int = 5) -> StoredSignInGuard:
    """A process of its own each time, as far as the books can tell."""
    return kept.store.sign_in_guard(
        "family",
        clock=clock,
        fingerprint=lambda: kept.store.accounts.fingerprint(credential),
        max_sign_ins_per_day=limit,
    )


class TestBreaker:
    def test_a_rejected_credential_stays_rejected_when_the_books_are_opened_again(
        self, shelf: StoreAddress, clock: HandClock
    ) -> None:
        with shelf.open() as kept:
            gate = breaker(kept, clock)
            gate.before_submission()
            gate.refused()
        clock.pass_by(timedelta(days=30))
        with shelf.open() as kept:
            with pytest.raises(SignInRejected, match="watcher resume family"):
                breaker(kept, clock).before_submission()
            breaker(kept, clock, credential="another").before_submission()

    def test_what_the_user_lifts_may_be_tried_once_more(self, kept: TemporaryStore, clock: HandClock) -> None:
        gate = breaker(kept, clock)
        gate.before_submission()
        gate.refused()
        breaker(kept, clock).reset()
        breaker(kept, clock).before_submission()

    def test_one_that_was_cut_off_waits_for_twenty_minutes_and_a_third_does_not_happen(
        self, kept: TemporaryStore, clock: HandClock
    ) -> None:
        breaker(kept, clock).before_submission()
        clock.pass_by(timedelta(minutes=5))
        with pytest.raises(PortalUnavailable) as waiting:
            breaker(kept, clock).before_submission()
        assert waiting.value.retry_after == timedelta(minutes=15)
        clock.pass_by(timedelta(minutes=15))
        breaker(kept, clock).before_submission()
        clock.pass_by(timedelta(days=9))
        with pytest.raises(SignInRejected, match="cut off"):
            breaker(kept, clock).before_submission()

    def test_three_in_a_row_that_nobody_understood_are_enough(self, kept: TemporaryStore, clock: HandClock) -> None:
        for _ in range(3):
            gate = breaker(kept, clock)
            gate.before_submission()
            gate.unclear()
            clock.pass_by(timedelta(days=2))
        with pytest.raises(SignInRejected, match="unclear"):
            breaker(kept, clock).before_submission()

    def test_one_that_was_accepted_in_between_starts_the_count_anew(
        self, kept: TemporaryStore, clock: HandClock
    ) -> None:
        for verdict in ("unclear", "unclear", "accepted", "unclear", "unclear"):
            gate = breaker(kept, clock)
            gate.before_submission()
            getattr(gate, verdict)()
            clock.pass_by(timedelta(days=2))
        breaker(kept, clock).before_submission()

    def test_a_portal_that_was_not_there_to_judge_is_asked_again(self, kept: TemporaryStore, clock: HandClock) -> None:
        for _ in range(4):
            gate = breaker(kept, clock)
            gate.before_submission()
            gate.unanswered()

    def test_the_days_sign_ins_are_counted_and_come_back_a_day_after(
        self, kept: TemporaryStore, clock: HandClock
    ) -> None:
        for _ in range(2):
            gate = breaker(kept, clock, limit=2)
            gate.before_submission()
            gate.accepted()
            clock.pass_by(timedelta(hours=1))
        with pytest.raises(PortalUnavailable, match="max_sign_ins_per_day") as full:
            breaker(kept, clock, limit=2).before_submission()
        assert full.value.retry_after == timedelta(hours=22)
        breaker(kept, clock, limit=2).before_submission(counts=False)
        clock.pass_by(timedelta(hours=23))
        gate = breaker(kept, clock, limit=2)

    def test_a_submission_is_on_disk_before_it_is_sent_and_the_credential_never(
        self, on_disk: TemporaryStore, clock: HandClock
    ) -> None:
        breaker(on_disk, clock, credential="correct horse").before_submission()
        assert on_disk.rows("SELECT verdict FROM submission") == [(None,)]
        content = on_disk.file.read_bytes() + Path(f"{on_disk.file}-wal").read_bytes()
        assert b"correct horse" not in content


class TestAccounts:
    def test_an_account_that_is_new_is_entered_and_found_again(self, shelf: StoreAddress) -> None:
        with shelf.open() as kept:
            assert kept.store.accounts.health("family", NOW).state is AccountState.NEVER_READ
        with shelf.open() as kept:
            later = NOW + timedelta(days=1)
            assert kept.store.accounts.health("family", later) == AccountHealth(first_seen_at=NOW)

    def test_a_fingerprint_is_the_same_in_these_books_and_another_in_others(self, new_shelf: NewAddress) -> None:
        prints = []
        for shelf in (new_shelf(), new_shelf()):
            for _ in range(2):
                with shelf.open() as kept:
                    prints.append(kept.store.accounts.fingerprint("secret"))
        assert prints[0] == prints[1] != prints[2] == prints[3]

    def test_the_daily_budget_is_counted_across_processes(self, shelf: StoreAddress) -> None:
        with shelf.open() as kept:
            assert kept.store.quota("family").take(7, daily_limit=10, day="2026-03-02") == 7
        with shelf.open() as kept:
            quota = kept.store.quota("family")
            assert quota.take(7, daily_limit=10, day="2026-03-02") == 3
            assert quota.take(1, daily_limit=10, day="2026-03-02") == 0
            quota.give_back(2, day="2026-03-02")
            assert quota.take(5, daily_limit=10, day="2026-03-02") == 2
            assert quota.take(5, daily_limit=10, day="2026-03-03") == 5
            assert kept.store.quota("work").take(5, daily_limit=10, day="2026-03-02") == 5


_HOLDER = """
import sys, time
from pathlib import Path
from watcher.store import Store
store = Store(sys.argv[1], locks=Path(sys.argv[2]))
with store.locks.acquire("daemon"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_keeps_another_process_out_and_a_kill_releases_it(kept: TemporaryStore, shelf: StoreAddress) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, shelf.url, str(shelf.locks)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    with holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(Busy), kept.store.locks.acquire("daemon"):
                pass
            with kept.store.locks.acquire("account family"):
                pass
        finally:
            with suppress(ProcessLookupError):
                os.kill(holder.pid, signal.SIGKILL)
            holder.wait()
        with kept.store.locks.acquire("daemon", wait=5):
            pass
