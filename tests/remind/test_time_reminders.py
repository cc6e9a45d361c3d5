"""Changes that only time causes are recorded once, whichever process records them and however often."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.practice.visitor import HandClock
from tests.remind.app_with_case import NUMBER, app_with_case
from tests.store.temporary_store import temporary_store
from watcher.app import App
from watcher.context.context import Context
from watcher.errors import PortalUnavailable
from watcher.model.account_health import AccountState, after_read
from watcher.model.change import ChangeKind, RecordedChange, Severity
from watcher.remind.time_reminders import record_time_reminders


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def app(tmp_path: Path, clock: HandClock) -> Iterator[App]:
    with app_with_case(tmp_path, clock) as app:
        yield app


def kinds(context: Context) -> list[ChangeKind]:
    return [change.change.kind for change in record_time_reminders(context)]


def test_a_stall_is_reported_once_and_again_after_the_repetition(app: App, clock: HandClock) -> None:
    clock.pass_by(timedelta(days=89))
    assert kinds(app.context) == []
    clock.pass_by(timedelta(days=2))
    assert [kinds(app.context), kinds(app.context)] == [[ChangeKind.STALLED], []]
    clock.pass_by(timedelta(days=29))
    assert kinds(app.context) == []
    clock.pass_by(timedelta(days=2))
    assert kinds(app.context) == [ChangeKind.STALLED]
    assert len(app.store.outbox.list()) == 2


def test_reminders_of_a_clock_that_was_ahead_are_given_again(app: App, clock: HandClock) -> None:
    clock.pass_by(timedelta(days=95))
    assert kinds(app.context) == [ChangeKind.STALLED]
    clock.pass_by(-timedelta(days=50))
    assert [kinds(app.context), kinds(app.context)] == [[ChangeKind.CLOCK_SET_BACK], []]
    clock.pass_by(timedelta(days=50))
    assert [kinds(app.context), kinds(app.context)] == [[ChangeKind.STALLED], []]


def test_clock_that_is_set_back_by_less_than_an_hour_repeats_nothing(app: App, clock: HandClock) -> None:
    clock.pass_by(timedelta(days=95))
    assert kinds(app.context) == [ChangeKind.STALLED]
    clock.pass_by(-timedelta(minutes=59))
    assert kinds(app.context) == []
    clock.pass_by(timedelta(minutes=59))
    assert kinds(app.context) == []


def test_a_failed_account_without_another_check_is_reported_as_blind_once(app: App, clock: HandClock) -> None:
    now = clock.now()
    failing, _ = after_read(
        app.store.accounts.health("family", now),
        (PortalUnavailable("down"),),
        cases_read=0,
        now=now,
        blind_after=timedelta(days=1),
    )
    app.store.accounts.set_health("family", failing)
    assert kinds(app.context) == []
    clock.pass_by(timedelta(days=1, seconds=1))
    assert [kinds(app.context), kinds(app.context)] == [[ChangeKind.BLIND], []]


def test_check_that_hangs_is_reported_once_and_its_end_too(app: App, clock: HandClock, tmp_path: Path) -> None:
    app.context.stop.set()  # so that nothing waits
    app.store.accounts.set_next_read("family", clock.now() + timedelta(minutes=15))
    with temporary_store(tmp_path) as other, other.store.locks.acquire("account family"):
        clock.pass_by(timedelta(hours=23))
        assert kinds(app.context) == []
        clock.pass_by(timedelta(hours=1, seconds=1))
        assert [kinds(app.context), kinds(app.context)] == [[ChangeKind.BLIND], []]
    (blind,) = app.store.history(kinds={ChangeKind.BLIND})
    assert blind.summary.endswith("the check of this account does not finish, or the program is not running")
    health = app.store.accounts.health("family", clock.now())
    assert (health.state, health.failing_since) == (AccountState.OK, None)
    _, changes = after_read(health, (), now=clock.now(), blind_after=timedelta(days=1), cases_read=1)
    assert [change.kind for change in changes] == [ChangeKind.RECOVERED]


def test_check_that_began_a_moment_ago_does_not_hang(app: App, clock: HandClock, tmp_path: Path) -> None:
    clock.pass_by(timedelta(days=9))
    app.store.accounts.set_next_read("family", clock.now() + timedelta(minutes=15))
    with temporary_store(tmp_path) as other, other.store.locks.acquire("account family"):
        assert kinds(app.context) == []


def test_a_case_without_changes_does_not_make_the_account_blind(app: App, clock: HandClock) -> None:
    clock.pass_by(timedelta(days=30))
    assert kinds(app.context) == []


def test_nothing_is_recorded_while_another_process_does_the_same(app: App, clock: HandClock, tmp_path: Path) -> None:
    clock.pass_by(timedelta(days=95))
    with temporary_store(tmp_path) as other, other.store.locks.acquire("time"):
        assert kinds(app.context) == []
    assert kinds(app.context) == [ChangeKind.STALLED]


def test_date_of_the_users_own_is_reminded_of_before_it_and_once_on_the_day(app: App, clock: HandClock) -> None:
    day = clock.now().date() + timedelta(days=20)
    app.store.user.add_reminder("family", NUMBER, "Card expires", day, clock.now())
    given = []
    for _ in range(30):
        clock.pass_by(timedelta(days=1))
        recorded = record_time_reminders(app.context) + record_time_reminders(app.context)
        given += [(change.change.kind, change.change.severity, days_left(change)) for change in recorded]
    important = [(ChangeKind.REMINDER, Severity.IMPORTANT, days) for days in (14, 7, 3, 1, 0)]
    assert given == important


def test_date_of_the_users_own_is_reminded_of_late_rather_than_never(app: App, clock: HandClock) -> None:
    app.store.user.add_reminder("family", NUMBER, "Hearing", clock.now().date() + timedelta(days=2), clock.now())
    clock.pass_by(timedelta(days=5))
    (reminder,) = record_time_reminders(app.context)
    assert days_left(reminder) == -3
    assert "the date has passed" in reminder.summary
    assert record_time_reminders(app.context) == []


def test_finished_case_has_only_reminders_of_the_users_own_dates(app: App, clock: HandClock) -> None:
    number = app.store.user.add_reminder("family", NUMBER, "Hearing", clock.now().date(), clock.now())
    app.store.user.finish(NUMBER, clock.now())
    clock.pass_by(timedelta(days=200))
    assert kinds(app.context) == [ChangeKind.REMINDER]
    app.store.ledger.set_due(number, clock.now().date() + timedelta(days=1))
    assert kinds(app.context) == [ChangeKind.REMINDER]
    app.store.ledger.set_done(number)
    clock.pass_by(timedelta(days=2))
    assert kinds(app.context) == []
    app.store.user.watch(NUMBER)
    assert kinds(app.context) == [ChangeKind.STALLED]


def days_left(reminder: RecordedChange) -> object:
    new = reminder.change.new
    return new.get("days") if isinstance(new, dict) else None
