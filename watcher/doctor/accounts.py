"""Checks of what the database holds: last checks, pauses and their reasons, and undelivered alerts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from shlex import quote

from watcher.app import App
from watcher.clock.durations import format_duration
from watcher.doctor.finding import Finding, about_account, about_channel, about_secret, failed, ok, warning
from watcher.language.catalogue import load_catalogue
from watcher.messages import _, current_language, mark, plural
from watcher.model.account_health import AccountHealth, AccountState
from watcher.model.alert import Alert, AlertState
from watcher.privacy.sealing import SealFault
from watcher.reading.other_key import have_other_key, other_key_message
from watcher.settings.handover import HandoverAccount

_FAULTS = {
    SealFault.DAMAGED: mark("its saved session cannot be used: it is damaged"),
    SealFault.KEY_MISSING: mark("its saved session cannot be used: it is encrypted, but no state_key is set"),
    SealFault.KEY_WRONG: mark(
        "its saved session cannot be used: it is damaged, or was encrypted with a state_key that is no longer set"
    ),
}


def check_accounts(app: App) -> Iterator[Finding]:
    """Report the health of each configured account after its last check."""
    stored, now = app.store.accounts.all(), app.clock.now()
    for name, account in app.settings.accounts.items():
        health = stored[name][0] if name in stored else None
        if isinstance(account, HandoverAccount) and account.is_handed_over:
            yield _handed_over(account, health, now)
        elif health is None or health.last_attempt_at is None:
            remedy = _("run `watcher check` to check once, or `watcher run` to keep checking")
            yield warning(about_account(name), _("has not been checked yet"), remedy)
        else:
            yield _account(name, health, now, app.settings.schedule.blind_after)
        if caution := app.portal_of(name).caution(app.settings.accounts[name]):
            text = load_catalogue(current_language()).message("caution", caution)
            yield warning(about_account(name), text, _("nothing to do if this is what you want"))


def _handed_over(account: HandoverAccount, health: AccountHealth | None, now: datetime) -> Finding:
    about = about_account(account.name)
    remedy = _(
        "sign in with your own browser and hand over: `watcher handover {name}`, or `watcher import {name} FILE`",
        name=quote(account.name),
    )
    if health is None or health.last_read_at is None:
        return warning(about, _("has not been handed over yet"), remedy)
    span = now - health.last_read_at
    text = _("last handed over {day}", day=f"{health.last_read_at:%Y-%m-%d}")
    return failed(about, text, remedy) if span > account.longest_silence else ok(about, text)


def _account(name: str, health: AccountHealth, now: datetime, blind_after: timedelta) -> Finding:
    about, error = about_account(name), health.last_error
    if health.state.waits_for_person:
        remedy = _("fix this first, then run `watcher resume {name}`", name=quote(name))
        if health.state in {AccountState.MFA_NEEDED, AccountState.SESSION_ENDED}:
            remedy = _(
                "run `watcher login {name}`, with `--cookies FILE` if you signed in with your own browser",
                name=quote(name),
            )
        return failed(about, _("is paused: {reason}", reason=error), remedy)
    if health.last_read_at is None:
        text = _("has never been checked successfully: {reason}", reason=error)
        return failed(about, text, _("fix what the reason says; the program keeps trying"))
    text = _last_success(now - health.last_read_at)
    if now - health.last_read_at > blind_after:
        text = _("{text}: {reason}", text=text, reason=error) if error else text
        return failed(about, text, _("make sure that `watcher run` is running; `watcher check` checks once now"))
    if error:
        text = _("{text}; since then: {reason}", text=text, reason=error)
        return warning(about, text, _("nothing to do yet: the program tries again"))
    return ok(about, text)


def _last_success(span: timedelta) -> str:
    """Return how long ago the last successful check was, in the largest whole unit."""
    for unit in (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)):
        if span >= unit:
            return _("last successful check {duration} ago", duration=format_duration(unit * (span // unit)))
    return _("last successful check a moment ago")


def check_sessions(app: App) -> Iterator[Finding]:
    """Report saved sessions that cannot be used, and a database that is shared without a common key."""
    if app.store.shared and not app.sessions.has_common_key:
        text = _("none is set, so other machines cannot use the sessions of this one")
        remedy = _("set the same state_key on every machine that uses this database")
        yield warning(about_secret("state_key"), text, remedy)
    for name, account in app.settings.accounts.items():
        fault = app.sessions.of(name).fault()
        if have_other_key(app.sealed_values(account), app.context):
            remedy = _(
                "set the same state_key on every machine; until then, only the other machines check this account"
            )
            yield failed(about_account(name), other_key_message(name), remedy)
        elif fault is not None and not account.is_handed_over:
            remedy = _("run `watcher login {name}` to create a new one", name=quote(name))
            yield warning(about_account(name), _(_FAULTS[fault]), remedy)


def check_alerts(app: App) -> Iterator[Finding]:
    """Report alerts that failed or were not accepted yet, by channel, with the newest error."""
    failed_alerts = _by_channel(app.store.outbox.list(state=AlertState.FAILED))
    unaccepted = _by_channel([alert for alert in app.store.outbox.list(state=AlertState.QUEUED) if alert.last_error])
    for channel, alerts in failed_alerts.items():
        text = plural(
            "{n} alert was not delivered: {reason}",
            "{n} alerts were not delivered: {reason}",
            len(alerts),
            reason=alerts[0].last_error,
        )
        yield failed(about_channel(channel), text, _("fix the channel, then run `watcher alerts retry`"))
    for channel, alerts in unaccepted.items():
        text = plural(
            "{n} alert was not accepted so far: {reason}",
            "{n} alerts were not accepted so far: {reason}",
            len(alerts),
            reason=alerts[0].last_error,
        )
        remedy = _("the program tries again; `watcher notify test {channel}` sends a test now", channel=quote(channel))
        yield warning(about_channel(channel), text, remedy)
    if not failed_alerts:
        yield ok(_("alerts"), _("all are delivered or waiting"))


def _by_channel(alerts: Iterable[Alert]) -> Mapping[str, Sequence[Alert]]:
    """Group alerts by channel, in their order. Channels are sorted by name."""
    groups: dict[str, list[Alert]] = {}
    for alert in alerts:
        groups.setdefault(alert.channel, []).append(alert)
    return dict(sorted(groups.items()))
