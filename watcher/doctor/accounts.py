"""What the database says: when each account was last read well, what is paused and why, what was not delivered."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from watcher.app import App
from watcher.clock.durations import format_duration
from watcher.doctor.finding import Finding, failed, ok, warning
from watcher.model.account_health import AccountHealth
from watcher.model.alert import Alert, AlertState


def check_accounts(app: App) -> Iterator[Finding]:
    """Each account of the configuration, as its last read left it."""
    known, now = app.store.accounts.all(), app.clock.now()
    for name in app.settings.accounts:
        health, _ = known.get(name, (None, None))
        if health is None or health.last_attempt_at is None:
            remedy = "`watcher check` reads it once, `watcher run` keeps watch"
            yield warning(f"account {name}", "has never been read", remedy)
        else:
            yield _account(name, health, now, app.settings.schedule.blind_after)


def _account(name: str, health: AccountHealth, now: datetime, blind_after: timedelta) -> Finding:
    about = f"account {name}"
    if health.state.waits_for_person:
        remedy = f"put right what it names, then `watcher resume {name}`"
        return failed(about, f"is paused ({health.state.value}): {health.last_error}", remedy)
    if health.last_read_at is None:
        return failed(about, f"has never been read well: {health.last_error}", "see the reason")
    told = f"last good read {_ago(now - health.last_read_at)} ago"
    if now - health.last_read_at > blind_after:
        reason = f": {health.last_error}" if health.last_error else ""
        return failed(about, f"{told}{reason}", "is `watcher run` running? `watcher check` reads once now")
    if health.failures:
        return warning(about, f"{told}; since then: {health.last_error}", "nothing yet: it is tried again")
    return ok(about, told)


def _ago(span: timedelta) -> str:
    """In the largest whole unit: nobody wants the seconds of a day."""
    for unit in (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)):
        if span >= unit:
            return format_duration(unit * (span // unit))
    return "a moment"


def check_sessions(app: App) -> Iterator[Finding]:
    """Sessions on disk that cannot be used; without a usable one the next read signs in."""
    unusable = app.unusable_sessions()
    for each in unusable:
        yield warning(f"account {each.account}", str(each), f"`watcher login {each.account}` makes a new one")


def check_alerts(app: App) -> Iterator[Finding]:
    """Alerts that were given up or not taken so far, by channel, with the newest reason."""
    given_up = _by_channel(app.store.outbox.list(state=AlertState.FAILED))
    refused = _by_channel([alert for alert in app.store.outbox.list(state=AlertState.QUEUED) if alert.last_error])
    for channel, alerts in given_up.items():
        told = f"{_alerts(alerts)} given up: {alerts[0].last_error}"
        yield failed(f"channel {channel}", told, "put the channel right, then `watcher alerts retry`")
    for channel, alerts in refused.items():
        told = f"{_alerts(alerts)} not taken so far: {alerts[0].last_error}"
        yield warning(f"channel {channel}", told, f"it is tried again; `watcher notify test {channel}` tries it now")
    if not given_up:
        yield ok("alerts", "none was given up")


def _by_channel(alerts: Iterable[Alert]) -> Mapping[str, Sequence[Alert]]:
    """Channel by channel, in the order that they came in."""
    found: dict[str, list[Alert]] = {}
    for alert in alerts:
        found.setdefault(alert.channel, []).append(alert)
    return dict(sorted(found.items()))


def _alerts(alerts: Sequence[Alert]) -> str:
    return "1 alert was" if len(alerts) == 1 else f"{len(alerts)} alerts were"
