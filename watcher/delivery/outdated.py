"""Drop due alerts that are no longer true, with a note in the outbox (`watcher.delivery.superseded` decides which)."""

from collections.abc import Iterable, Sequence

import structlog

from watcher.alerts.routing import routing_severity
from watcher.delivery.superseded import ChangeFact, ChannelAlert, fact_of, is_over, superseded
from watcher.model.alert import HoldReason
from watcher.model.change import RecordedChange, Severity
from watcher.store import QueuedAlert, Store

_log = structlog.get_logger(__name__)


def drop_outdated(store: Store, channel: str, due: Sequence[QueuedAlert]) -> list[QueuedAlert]:
    """Return the alerts without those that are outdated, which are dropped. `due` are sent to the channel now."""
    over = {
        queued.alert.id for queued in due if queued.hold_reason is HoldReason.ESCALATION and _is_over(store, queued)
    }
    store.outbox.drop(dict.fromkeys(over), note="over before it was sent")
    due = [queued for queued in due if queued.alert.id not in over]
    dropped = _superseded(store, channel, due)
    store.outbox.drop(dropped, note="made untrue by a later alert")
    if over or dropped:
        _log.info("held_alerts_dropped", channel=channel, alerts=sorted(over | dropped.keys()))
    return [queued for queued in due if queued.alert.id not in dropped]


def _is_over(store: Store, queued: QueuedAlert) -> bool:
    """Return whether the urgent part of an escalation is over. The rest of it is context."""
    urgent = [change for change in queued.changes if change.change.severity is Severity.URGENT]
    later = store.outbox.changes_after(queued)
    return is_over(_facts(queued.account, urgent), _facts(queued.account, later))


def _superseded(store: Store, channel: str, due: Sequence[QueuedAlert]) -> dict[int, int]:
    held = [queued.alert.id for queued in due if queued.hold_reason is not None]
    if not held:
        return {}
    now = [
        _channel_alert(queued.alert.id, queued.account, queued.changes, queued.alert.severity, queued.hold_reason)
        for queued in due
    ]
    sent = [
        _channel_alert(alert.id, alert.account, alert.changes, alert.severity)
        for alert in store.outbox.sent_after(channel, min(held))
    ]
    return superseded([*now, *sent])


def _channel_alert(
    alert_id: int,
    account: str,
    changes: Sequence[RecordedChange],
    severity: Severity,
    hold_reason: HoldReason | None = None,
) -> ChannelAlert:
    """Return the alert with the severity by which it was routed: a recovery has that of its problem."""
    severities = (severity, *(routing_severity(change.change) for change in changes))
    return ChannelAlert(
        id=alert_id,
        severity=max(severities, key=lambda severity: severity.rank),
        facts=_facts(account, changes),
        hold_reason=hold_reason,
    )


def _facts(account: str, changes: Iterable[RecordedChange]) -> tuple[ChangeFact, ...]:
    return tuple(fact_of(account, change.change) for change in changes)
