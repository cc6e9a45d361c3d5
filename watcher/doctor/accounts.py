"""Checks of what the database holds: last checks, pauses and their reasons, and undelivered alerts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from shlex import quote

from watcher.app import App
from watcher.clock.durations import format_duration
from watcher.doctor.finding import Finding, failed, ok, warning
from watcher.language.catalogue import load_catalogue
from watcher.model.account_health import AccountHealth, AccountState
from watcher.model.alert import Alert, AlertState
from watcher.privacy.sealing import SealFault
from watcher.reading.other_key import have_other_key, other_key_message

_FAULTS = {
    SealFault.DAMAGED: "it is damaged",
    SealFault.KEY_MISSING: "it is encrypted, but no state_key is set",
    SealFault.KEY_WRONG: "it is damaged, or was encrypted with a state_key that is no longer set",
}


def check_accounts(app: App) -> Iterator[Finding]:
    """Report the health of each configured account after its last check."""
    stored, now = app.store.accounts.all(), app.clock.now()
    for name in app.settings.accounts:
        health, _ = stored.get(name, (None, None))
        if health is None or health.last_attempt_at is None:
            remedy = "run `watcher check` to check once, or `watcher run` to keep checking"
            yield warning(f"account {name}", "has not been checked yet", remedy)
        else:
            yield _account(name, health, now, app.settings.schedule.blind_after)
        if caution := app.portal_of(name).caution(app.settings.accounts[name]):
            text = load_catalogue(app.settings.language).message("caution", caution)
            yield warning(f"account {name}", text, "nothing to do if this is what you want")


def _account(name: str, health: AccountHealth, now: datetime, blind_after: timedelta) -> Finding:
    about = f"account {name}"
    if health.state.waits_for_person:
        remedy = f"fix this first, then run `watcher resume {quote(name)}`"
        if health.state in {AccountState.MFA_NEEDED, AccountState.SESSION_ENDED}:
            remedy = f"run `watcher login {quote(name)}`, with `--cookies FILE` if you signed in with your own browser"
        return failed(about, f"is paused: {health.last_error}", remedy)
    if health.last_read_at is None:
        return failed(
            about,
            f"has never been checked successfully: {health.last_error}",
            "fix what the reason says; the program keeps trying",
        )
    text = f"last successful check {_ago(now - health.last_read_at)} ago"
    if now - health.last_read_at > blind_after:
        reason = f": {health.last_error}" if health.last_error else ""
        return failed(
            about, f"{text}{reason}", "make sure that `watcher run` is running; `watcher check` checks once now"
        )
    if health.last_error:
        return warning(about, f"{text}; since then: {health.last_error}", "nothing to do yet: the program tries again")
    return ok(about, text)


def _ago(span: timedelta) -> str:
    """Return the span in its largest whole unit."""
    for unit in (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)):
        if span >= unit:
            return format_duration(unit * (span // unit))
    return "a moment"


def check_sessions(app: App) -> Iterator[Finding]:
    """Report saved sessions that cannot be used, and a database that is shared without a common key."""
    if app.store.shared and not app.sessions.has_common_key:
        text = "none is set, so other machines cannot use the sessions of this one"
        yield warning("secret state_key", text, "set the same state_key on every machine that uses this database")
    for name in app.settings.accounts:
        fault = app.sessions.of(name).fault()
        if have_other_key(app.sealed_values(app.settings.accounts[name]), app.context):
            yield failed(
                f"account {name}",
                other_key_message(name),
                "set the same state_key on every machine; until then, only the other machines check this account",
            )
        elif fault is not None:
            text = f"its saved session cannot be used: {_FAULTS[fault]}"
            yield warning(f"account {name}", text, f"run `watcher login {quote(name)}` to create a new one")


def check_alerts(app: App) -> Iterator[Finding]:
    """Report alerts that failed or were not accepted yet, by channel, with the newest error."""
    failed_alerts = _by_channel(app.store.outbox.list(state=AlertState.FAILED))
    unaccepted = _by_channel([alert for alert in app.store.outbox.list(state=AlertState.QUEUED) if alert.last_error])
    for channel, alerts in failed_alerts.items():
        text = f"{_count_text(alerts)} not delivered: {alerts[0].last_error}"
        yield failed(f"channel {channel}", text, "fix the channel, then run `watcher alerts retry`")
    for channel, alerts in unaccepted.items():
        text = f"{_count_text(alerts)} not accepted so far: {alerts[0].last_error}"
        yield warning(
            f"channel {channel}",
            text,
            f"the program tries again; `watcher notify test {quote(channel)}` sends a test now",
        )
    if not failed_alerts:
        yield ok("alerts", "all are delivered or waiting")


def _by_channel(alerts: Iterable[Alert]) -> Mapping[str, Sequence[Alert]]:
    """Group alerts by channel, in their order. Channels are sorted by name."""
    groups: dict[str, list[Alert]] = {}
    for alert in alerts:
        groups.setdefault(alert.channel, []).append(alert)
    return dict(sorted(groups.items()))


def _count_text(alerts: Sequence[Alert]) -> str:
    return "1 alert was" if len(alerts) == 1 else f"{len(alerts)} alerts were"
