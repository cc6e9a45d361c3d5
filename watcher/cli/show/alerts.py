"""`watcher alerts`, `ack`, `notify test`: what was sent, what waits, and whether a channel works."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watcher.actions import Refused
from watcher.cli.context import load_settings, open_context, read_only_context
from watcher.cli.groups import CommandGroup
from watcher.cli.names import parse_number, unknown_name
from watcher.cli.options import CONFIG, JSON, OWN_CONFIG
from watcher.cli.show.notify_plan import notify_plan_command
from watcher.cli.terminal.output import (
    local_time,
    print_error,
    print_json,
    print_line,
    print_table,
    severity_color,
    styled,
)
from watcher.cli.terminal.termination import finishing_on_sigterm
from watcher.context.read_only import ReadOnlyContext, settings_with_devices
from watcher.export.json_documents import alert_document, change_document
from watcher.messages import _, mark
from watcher.model.alert import Alert, AlertState
from watcher.settings import ChannelSettings, Settings
from watcher.text.link_marks import without_link
from watcher.views.words import alert_text

if TYPE_CHECKING:
    from watcher.actions.alerts import TestSendResult

_COLORS = {
    AlertState.SENT: "green",
    AlertState.FAILED: "red",
    AlertState.HELD: "yellow",
    AlertState.QUEUED: None,
    AlertState.DROPPED: None,
}
_PARSE_ALERT = parse_number(mark("'{typed}' is not an alert number. `watcher alerts` lists them."))
_HEAD = (
    mark("ALERT"),
    mark("CREATED"),
    mark("CHANNEL"),
    mark("STATE"),
    mark("SENT OR NEXT ATTEMPT"),
    mark("ATTEMPTS"),
    mark("TITLE"),
)
_NO_ALERT = mark("There is no alert {number}. `watcher alerts` lists them.")
_NO_CHANNEL = mark("No channel is set up yet; `watcher init` adds one.")


@click.group("alerts", cls=CommandGroup, invoke_without_command=True)
@CONFIG
@JSON
@click.option(
    "--state", type=click.Choice([state.value for state in AlertState]), help="Show only alerts in this state."
)
@click.option("--limit", type=click.IntRange(min=1), help="Show only this many, the newest first.")
@click.pass_context
def alerts_command(
    click_context: click.Context, config: Path | None, state: str | None, limit: int | None, *, as_json: bool
) -> None:
    """List sent, waiting, and failed alerts, newest first.

    `watcher alerts show ID` shows the text of one; `watcher alerts retry` sends failed ones again.
    """
    click_context.obj = config
    if click_context.invoked_subcommand is not None:
        return
    with read_only_context(config) as context:
        alerts = context.store.outbox.list(limit=limit, state=AlertState(state) if state else None)
        if as_json:
            print_json({"alerts": [alert_document(alert) for alert in alerts]})
            return
        _show(context, alerts)


def _show(context: ReadOnlyContext, alerts: Sequence[Alert]) -> None:
    zone = context.settings.timezone
    rows = [
        (
            str(alert.id),
            local_time(alert.created_at, zone),
            alert.channel,
            styled(alert_text(alert.state), _COLORS[alert.state]),
            local_time(alert.sent_at or alert.next_attempt_at, zone) if alert.sent_at or alert.next_attempt_at else "-",
            str(alert.attempts),
            styled(alert.title, severity_color(alert.severity)),
        )
        for alert in alerts
    ]
    print_table(tuple(map(_, _HEAD)), rows)
    for alert in alerts:
        if alert.last_error:
            print_line(f"{alert.id}: {alert.last_error}", color="red")
        if alert.state is AlertState.DROPPED:
            note = _(alert.note) if alert.note else "-"
            print_line(f"{alert.id}: {note}{f': {alert.covered_by}' if alert.covered_by else ''}")
    if not rows:
        print_line(_("There are no alerts."))
    elif any(alert.state is AlertState.FAILED for alert in alerts):
        print_line(_("`watcher alerts retry` sends the alerts that were not delivered again."))


@alerts_command.command("show")
@OWN_CONFIG
@JSON
@click.argument("number", callback=_PARSE_ALERT, metavar="ID")
@click.pass_obj
def show_command(config: Path | None, own_config: Path | None, number: int, *, as_json: bool) -> None:
    """Show alert ID with its whole text, how it was delivered, and the changes it is about."""
    with read_only_context(own_config or config) as context:
        found = context.store.outbox.find(number)
        if found is None:
            raise click.BadParameter(_(_NO_ALERT, number=number), param_hint="ID")
        alert, changes = found
        if as_json:
            text = {"body": alert.body, "html": alert.html, "short": alert.short}
            print_json(alert_document(alert) | text | {"changes": [change_document(change) for change in changes]})
            return
        _show(context, [alert])
        print_line()
        print_line(alert.title, bold=True)
        print_line(without_link(alert.body))
        print_line()
        print_line(_("SMS: {text}", text=alert.short))
        print_line()
        rows = [
            (str(change.id), local_time(change.at, context.settings.timezone), change.summary) for change in changes
        ]
        print_table((_("CHANGE"), _("WHEN"), _("DETAILS")), rows)


@alerts_command.command("retry")
@OWN_CONFIG
@click.argument("alert", callback=_PARSE_ALERT, required=False, metavar="[ID]")
@click.pass_obj
def retry_command(config: Path | None, own_config: Path | None, alert: int | None) -> None:
    """Send all alerts that failed or are waiting now, or only alert ID."""
    from watcher.actions.alerts import reason_not_sent, retry  # noqa: PLC0415 - listing alerts starts faster without it

    with open_context(own_config or config) as app:
        try:
            with finishing_on_sigterm(app.context.stop):
                retried = retry(app, alert)
        except Refused as refused:
            raise click.BadParameter(f"{refused} {_('`watcher alerts` lists all alerts.')}") from None
    if not retried:
        print_line(_("No alert has failed, and none is waiting."))
        return
    for item in retried:
        print_line(f"{item.id}  {item.channel}  {styled(alert_text(item.state), _COLORS[item.state])}  {item.title}")
    failed = [(item, reason) for item in retried if (reason := reason_not_sent(item))]
    for item, reason in failed:
        print_error(_("alert {number} to {channel}: {reason}", number=item.id, channel=item.channel, reason=reason))
    sys.exit(1 if failed else 0)


@click.command("ack")
@CONFIG
@click.argument("alert", callback=_PARSE_ALERT)
def ack_command(config: Path | None, alert: int) -> None:
    """Mark ALERT as seen, so that it is not escalated.

    `watcher alerts` shows the numbers. Example: watcher ack 12
    """
    from watcher.actions.alerts import acknowledge  # noqa: PLC0415 - listing alerts starts faster without it

    with open_context(config) as app:
        text = acknowledge(app, alert)
        if text is None:
            raise click.BadParameter(_(_NO_ALERT, number=alert), param_hint="ALERT")
        print_line(text)


@click.group("notify", cls=CommandGroup)
def notify_command() -> None:
    """Test the channels that alerts go to, and show who gets what."""


notify_command.add_command(notify_plan_command)


@notify_command.command("test")
@CONFIG
@JSON
@click.argument("channel", required=False)
def notify_test_command(config: Path | None, channel: str | None, *, as_json: bool) -> None:
    """Send a test alert to every channel, or only to CHANNEL, and print the result."""
    from watcher.actions.alerts import send_test  # noqa: PLC0415 - listing alerts starts faster without it

    settings = settings_with_devices(load_settings(config))
    results = [
        send_test(item, language=settings.language_of(item.name)) for item in _select_channels(settings, channel)
    ]
    if as_json:
        print_json(
            {
                "channels": [
                    {
                        "name": result.channel,
                        "sent": result.error is None,
                        "error": result.error,
                        "worth": result.caveat,
                    }
                    for result in results
                ]
            }
        )
    else:
        print_test_results(results)
    failed = [result for result in results if result.error is not None]
    if as_json:
        for result in failed:
            print_error(f"{result.channel}: {result.error}")
    sys.exit(1 if failed else 0)


def _select_channels(settings: Settings, channel: str | None) -> list[ChannelSettings]:
    if channel is not None and channel not in settings.channels:
        raise unknown_name(
            channel,
            list(settings.channels),
            problem=mark("There is no channel '{name}' in the configuration."),
            others=mark("Channels: {names}."),
            if_none=_NO_CHANNEL,
            param_hint="CHANNEL",
        )
    if not settings.channels:
        raise click.UsageError(_(_NO_CHANNEL))
    return [settings.channels[channel]] if channel is not None else list(settings.channels.values())


def print_test_results(results: "list[TestSendResult]") -> None:
    """Print one line for each channel, failures on standard error."""
    for result in results:
        if result.error is not None:
            print_error(f"{result.channel}: {styled(_('not sent'), 'red')}: {result.error}")
            continue
        print_line(f"{result.channel}: {styled(_('sent'), 'green')}{f'. {result.caveat}' if result.caveat else ''}")
