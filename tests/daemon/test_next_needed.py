"""A worker is next needed when the first of its tasks is due."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.doubles.disk import DiskFault, failing
from tests.practice.visitor import HandClock
from tests.remind.app_with_case import app_with_case
from watcher.app import App
from watcher.daemon.next_needed import HORIZON, next_needed
from watcher.errors import PortalUnavailable, StoreUnusable
from watcher.model.account_health import AccountHealth, after_read, check_blindness
from watcher.model.change import ChangeKind
from watcher.store.writes.claims import CLAIM_TIME, claimant

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
YEARLY = '[schedule]\nevery = "365d"\n'
ANOTHER_CHANNEL = '[channels.mail]\nurl = "json://127.0.0.1/mail"\n'

OpenApp = Callable[..., AbstractContextManager[App]]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def open_app(tmp_path: Path, clock: HandClock) -> OpenApp:
    return partial(app_with_case, tmp_path, clock)


@pytest.fixture
def app(open_app: OpenApp, clock: HandClock) -> Iterator[App]:
    """The account is checked next in a year, so that nothing else hides what is tested."""
    with open_app(more=YEARLY) as app:
        app.store.accounts.set_next_read("family", clock.now() + 365 * DAY)
        yield app


def days_until(app: App, expected: int, clock: HandClock) -> list[ChangeKind]:
    """Let time pass from one moment to the next until something is recorded; return what."""
    for _ in range(expected + 2):
        clock.pass_by(next_needed(app) - clock.now())
        if recorded := app.record_time_reminders(at_any_hour=False):
            return [change.change.kind for change in recorded]
    return []


def fail_check(app: App, now: datetime) -> AccountHealth:
    """Store that the account's check failed. Return its health."""
    health = app.store.accounts.health("family", now)
    failing, _ = after_read(health, (PortalUnavailable("down"),), now=now, blind_after=DAY, cases_read=0)
    app.store.accounts.set_health("family", failing)
    return failing


def queue_alerts(app: App, now: datetime) -> dict[str, int]:
    """Queue an alert for each channel, due now. Return their numbers by channel."""
    health, changes = check_blindness(fail_check(app, now), now=now + 2 * DAY, blind_after=DAY)
    app.context.record_changes(app.settings.accounts["family"], changes, health=health)
    return {alert.channel: alert.id for alert in app.store.outbox.list()}


def test_new_account_is_checked_now(app: App, clock: HandClock) -> None:
    renamed = app.settings.model_copy(update={"accounts": {"other": app.settings.accounts["family"]}})
    assert next_needed(app.with_settings(renamed)) == clock.now()


def test_account_is_checked_at_its_time(app: App, clock: HandClock) -> None:
    planned = clock.now() + timedelta(hours=4, seconds=7)
    app.store.accounts.set_next_read("family", planned)
    assert next_needed(app) == planned


def test_worker_looks_again_after_a_day_without_anything_due(app: App, clock: HandClock) -> None:
    assert next_needed(app) == clock.now() + HORIZON


def test_stall_is_found_in_the_morning_of_its_day(app: App, clock: HandClock) -> None:
    began = clock.now().date()
    clock.pass_by(87 * DAY)
    assert days_until(app, 3, clock) == [ChangeKind.STALLED]
    assert clock.now() == datetime.combine(began + 90 * DAY, time(8), tzinfo=UTC)


def test_account_goes_blind_at_its_moment(app: App, clock: HandClock) -> None:
    now = clock.now()
    fail_check(app, now)
    assert days_until(app, 1, clock) == [ChangeKind.BLIND]
    assert timedelta() < clock.now() - now - DAY <= timedelta(seconds=1)


def test_channel_that_accepts_nothing_is_reported_at_its_moment(open_app: OpenApp, clock: HandClock) -> None:
    with open_app(more=YEARLY + ANOTHER_CHANNEL) as app:
        app.store.accounts.set_next_read("family", clock.now() + 365 * DAY)
        began = clock.now()
        alerts = queue_alerts(app, began)
        app.store.outbox.mark_sent([alerts["mail"]], began)
        app.store.outbox.mark_failed([alerts["phone"]], "no", now=began, next_attempt_at=began + 30 * DAY)
        assert days_until(app, 1, clock) == [ChangeKind.CHANNEL_FAILING]
        assert clock.now() == began + DAY


def test_waiting_alert_is_due_at_its_next_attempt(app: App, clock: HandClock) -> None:
    alert = queue_alerts(app, clock.now())["phone"]
    assert next_needed(app) <= clock.now()
    app.store.outbox.postpone([alert], clock.now() + 5 * MINUTE)
    assert next_needed(app) == clock.now() + 5 * MINUTE


def test_alert_that_another_process_sends_is_looked_at_when_its_claim_ends(app: App, clock: HandClock) -> None:
    alert = queue_alerts(app, clock.now())["phone"]
    with claimant() as name:
        app.store.outbox.claim([alert], name, clock.now())
        assert next_needed(app) == clock.now() + CLAIM_TIME


def test_worker_is_needed_until_what_was_delivered_is_saved(app: App, clock: HandClock) -> None:
    alerts = queue_alerts(app, clock.now())
    app.store.outbox.postpone(list(alerts.values()), clock.now() + 5 * MINUTE)
    assert app.store.file is not None
    with failing(DiskFault.READ_ONLY, app.store.file):
        with pytest.raises(StoreUnusable):
            app.store.outbox.mark_sent([alerts["phone"]], clock.now())
        assert next_needed(app) == clock.now()
    assert app.store.outbox.due_channels(clock.now()) == []
    assert next_needed(app) > clock.now()


@pytest.mark.parametrize(("passed", "left"), [(0, 24), (23, 1), (24, 0), (-48, 24)])
def test_backup_is_due_when_its_interval_is_over(open_app: OpenApp, clock: HandClock, passed: int, left: int) -> None:
    with open_app(more=YEARLY + '[backup]\nevery = "1d"\n') as app:
        app.store.accounts.set_next_read("family", clock.now() + 365 * DAY)
        assert next_needed(app) == clock.now()
        clock.pass_by(timedelta(seconds=1) - timedelta(microseconds=clock.now().microsecond))
        app.back_up()
        clock.pass_by(timedelta(hours=passed))
        assert next_needed(app) == clock.now() + timedelta(hours=left)
