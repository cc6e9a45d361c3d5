"""What a person does about alerts: mark one as seen, send again, test a channel."""

from dataclasses import dataclass

from watcher.actions import LOCK_TIMEOUT, Refused
from watcher.alerts.text_blocks import Paragraph
from watcher.app import App
from watcher.delivery.apprise_notifier import AppriseNotifier, Notifier
from watcher.delivery.channel_url import delivery_caveat
from watcher.errors import DeliveryFailed
from watcher.language.catalogue import load_catalogue
from watcher.messages import _
from watcher.model.alert import Alert, AlertState
from watcher.settings import ChannelSettings

_UNSENT = (AlertState.FAILED, AlertState.QUEUED)


def acknowledge(app: App, number: int) -> str | None:
    """Mark an alert as seen, so that it is not escalated. Return what to say; None if there is no such alert."""
    if not app.store.outbox.acknowledge(number, app.clock.now()):
        return None
    return _("Alert {number} is marked as seen and will not be escalated.", number=number)


def retry(app: App, number: int | None) -> list[Alert]:
    """Send all alerts that failed or wait, or one of them, now. Return them as they are afterwards, the oldest first.

    Raises `Refused` if this one has neither failed nor waits.
    """
    unsent = {alert.id for state in _UNSENT for alert in app.store.outbox.list(state=state)}
    selected = unsent if number is None else {number}
    if not selected <= unsent:
        raise Refused(_("Alert {number} has not failed and is not waiting.", number=number))
    if not selected:
        return []
    app.store.outbox.retry(app.clock.now(), number)
    app.outbox_worker().deliver_due(wait=LOCK_TIMEOUT)
    return sorted((alert for alert in app.store.outbox.list() if alert.id in selected), key=lambda alert: alert.id)


def reason_not_sent(alert: Alert) -> str:
    """Return why an alert that was sent again has not arrived; "" if it has, or is no longer needed."""
    if alert.state in {AlertState.SENT, AlertState.DROPPED}:
        return ""
    return alert.last_error or _("waits for its turn")


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSendResult:
    """The result of a test alert. `error` is None if the service accepted it; `caveat` is what that does not prove.

    `gone`: the channel is a device whose subscription has ended.
    """

    channel: str
    error: str | None
    caveat: str | None
    gone: bool = False


def send_test(channel: ChannelSettings, *, language: str, notifier: Notifier | None = None) -> TestSendResult:
    """Send one message directly, not through the outbox, because it is about the channel and not about a case."""
    catalogue = load_catalogue(language)
    title = catalogue.message("test_alert", "title")
    body = catalogue.format("test_alert", "body", channel=channel.name)
    markup = "".join(Paragraph(text).html() for text in body.split("\n\n"))
    error: str | None = None
    gone = False
    try:
        (notifier or AppriseNotifier()).send(channel.url, title=title, body=body, html=markup, short=title)
    except DeliveryFailed as failure:
        error, gone = str(failure), failure.gone
    caveat = None if error else delivery_caveat(channel.url)
    return TestSendResult(channel=channel.name, error=error, caveat=caveat, gone=gone)
