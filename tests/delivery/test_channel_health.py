"""The other channels are told once that one accepts nothing, and once that it accepts alerts again."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.practice.visitor import HandClock
from tests.store.temporary_store import NOW, TemporaryStore, a_draft, record_alerts, temporary_store
from watcher.context.context import Context
from watcher.delivery.channel_health import record_channel_health
from watcher.model.change import ChangeKind, Severity
from watcher.settings import ChannelSettings, Settings

DAY = timedelta(days=1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[TemporaryStore]:
    with temporary_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def context(database: TemporaryStore) -> Context:
    channels = {
        name: ChannelSettings(name=name, url=SecretStr(f"json://{name}"), accounts=frozenset({"another"}))
        for name in ("phone", "aunt", "uncle")
    }
    settings = Settings(state_dir=database.file.parent, channels=channels)
    return Context(store=database.store, settings=settings, clock=HandClock(NOW))


def pass_by(context: Context, span: timedelta) -> None:
    assert isinstance(context.clock, HandClock)
    context.clock.pass_by(span)


def refuse(context: Context) -> None:
    record_alerts(context.store, a_draft())
    context.store.outbox.mark_failed([1], "no", now=context.clock.now(), next_attempt_at=context.clock.now() + DAY)


def told(context: Context) -> list[tuple[str, str]]:
    """Return channel and title of the alerts about channels, oldest first."""
    alerts = [alert for alert in context.store.outbox.list() if alert.title != "news"]
    return [(alert.channel, alert.title) for alert in reversed(alerts)]


def test_channel_that_accepts_nothing_is_reported_once_to_the_others(context: Context) -> None:
    refuse(context)
    pass_by(context, DAY - timedelta(minutes=1))
    assert record_channel_health(context) == []
    pass_by(context, timedelta(minutes=1))
    (change,) = record_channel_health(context)
    assert (change.change.kind, change.change.severity) == (ChangeKind.CHANNEL_FAILING, Severity.IMPORTANT)
    assert (change.account, change.change.subject) == ("", "phone")
    title = "Alerts: Channel phone does not accept alerts"
    assert told(context) == [("aunt", title), ("uncle", title)]
    pass_by(context, 3 * DAY)
    assert record_channel_health(context) == []


def test_end_of_the_failure_is_reported_once_and_a_new_failure_again(context: Context) -> None:
    refuse(context)
    pass_by(context, DAY)
    assert len(record_channel_health(context)) == 1
    pass_by(context, DAY)
    context.store.outbox.mark_sent([1], context.clock.now())
    (recovered,) = record_channel_health(context)
    assert recovered.change.kind is ChangeKind.RECOVERED
    title = "Alerts: Channel phone accepts alerts again"
    assert told(context)[2:] == [("aunt", title), ("uncle", title)]
    assert record_channel_health(context) == []
    record_alerts(context.store, a_draft())
    newest = context.store.outbox.list(limit=1)[0].id
    pass_by(context, DAY)
    context.store.outbox.mark_failed([newest], "no", now=context.clock.now(), next_attempt_at=None)
    pass_by(context, DAY)
    assert [change.change.kind for change in record_channel_health(context)] == [ChangeKind.CHANNEL_FAILING]


def test_channel_that_had_nothing_to_send_is_not_failing(context: Context) -> None:
    record_alerts(context.store, a_draft(at=NOW + 30 * DAY))
    pass_by(context, 10 * DAY)
    assert record_channel_health(context) == []


def test_channel_that_accepts_other_messages_is_not_failing(context: Context) -> None:
    refuse(context)
    record_alerts(context.store, a_draft())
    pass_by(context, timedelta(hours=1))
    context.store.outbox.mark_sent([2], context.clock.now())
    pass_by(context, 2 * DAY)
    assert record_channel_health(context) == []


def test_retry_by_the_user_is_no_recovery(context: Context) -> None:
    refuse(context)
    pass_by(context, DAY)
    assert len(record_channel_health(context)) == 1
    context.store.outbox.retry(context.clock.now())
    assert record_channel_health(context) == []
