"""Drop due alerts that are no longer true, with a note in the outbox.

`watcher.delivery.superseded` and `watcher.delivery.overtaken` decide which.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import structlog

from watcher.alerts.routing import routing_severity
from watcher.delivery.overtaken import Overtaken, overtaken
from watcher.delivery.superseded import ChangeFact, ChannelAlert, fact_of, is_over, superseded
from watcher.messages import mark
from watcher.model.alert import HoldReason
from watcher.model.change import RecordedChange, Severity
from watcher.store import QueuedAlert, SentAlert, Store

_log = structlog.get_logger(__name__)


def drop_outdated(
    store: Store, channel: str, due: Sequence[QueuedAlert], sent: Sequence[SentAlert]
) -> list[QueuedAlert]:
    """Return the alerts without those that are outdated, which are dropped.

    `due` are sent to the channel now, and `sent` are the ones that it accepted after the oldest of them was written.
    """
    escalations = [queued for queued in due if queued.hold_reason is HoldReason.ESCALATION]
    later = store.outbox.changes_after(escalations) if escalations else {}
    over = {queued.alert.id for queued in escalations if _is_over(queued, later[queued.alert.id])}
    store.outbox.drop(dict.fromkeys(over), note=mark("over before it was sent"))
    due = [queued for queued in due if queued.alert.id not in over]
    dropped = superseded([*map(_queued_alert, due), *map(_sent_alert, sent)])
    store.outbox.drop(dropped, note=mark("replaced by a later alert"))
    if over or dropped:
        _log.info("alerts_dropped", channel=channel, alerts=sorted(over | dropped.keys()))
    return [queued for queued in due if queued.alert.id not in dropped]


class SentAlerts:
    """The alerts that a channel has accepted, for comparison with older ones that are about to be sent."""

    def __init__(self, sent: Iterable[SentAlert]) -> None:
        """Start with alerts that were sent before."""
        self._by_case: dict[tuple[str, str | None], dict[int, ChannelAlert]] = defaultdict(dict)
        for alert in sent:
            self._add(_sent_alert(alert))

    def add(self, message: Iterable[QueuedAlert]) -> None:
        """Add alerts that were sent now."""
        for queued in message:
            self._add(_queued_alert(queued))

    def overtaking(self, message: Iterable[QueuedAlert]) -> dict[int, Overtaken]:
        """Return, for each alert of the message that newer ones have made outdated, how they did.

        What may have been sent before a restore is left alone, because its text says so.
        """
        found = {
            queued.alert.id: self._overtaken(_queued_alert(queued), queued.hold_reason)
            for queued in message
            if queued.hold_reason is not HoldReason.MAYBE_SENT
        }
        return {alert_id: result for alert_id, result in found.items() if result is not None}

    def _add(self, alert: ChannelAlert) -> None:
        for fact in alert.facts:
            self._by_case[fact.account, fact.case_number][alert.id] = alert

    def _overtaken(self, alert: ChannelAlert, hold_reason: HoldReason | None) -> Overtaken | None:
        cases = {(fact.account, fact.case_number) for fact in alert.facts}
        others = {number: other for case in cases for number, other in self._by_case[case].items()}
        return overtaken(replace(alert, hold_reason=hold_reason), others.values())


def _is_over(queued: QueuedAlert, later: Iterable[RecordedChange]) -> bool:
    """Return whether the urgent part of an escalation is over. The rest of it is context."""
    urgent = [change for change in queued.changes if change.change.severity is Severity.URGENT]
    return is_over(_facts(queued.account, urgent), _facts(queued.account, later))


def _sent_alert(alert: SentAlert) -> ChannelAlert:
    return _channel_alert(alert.id, alert.account, alert.changes, alert.severity)


def _queued_alert(queued: QueuedAlert) -> ChannelAlert:
    """Return the alert. One that was refused before counts as held overnight: only what is true now matters."""
    hold_reason = queued.hold_reason or (HoldReason.QUIET if queued.alert.attempts else None)
    return _channel_alert(queued.alert.id, queued.account, queued.changes, queued.alert.severity, hold_reason)


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
