"""Which channel gets which alert, and when. Pure.

A channel receives changes of the accounts, cases, and people that `watcher.alerts.coverage` names, and selects from
them by kind and severity. The selected changes of one check are one alert with the severity of the most urgent of
them; what says that a request may need no answer any more goes along, whatever its
severity. An urgent alert is sent at once, including its routine changes, which give context. Others wait for the
channel's digest, and all alerts wait for the end of quiet hours, except urgent alerts on channels with
`urgent_breaks_quiet`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from watcher.alerts.change_facts import may_be_unanswered
from watcher.alerts.coverage import received_by
from watcher.model.alert import AlertContext, HoldReason, RoutedAlert
from watcher.model.change import Change, ChangeKind, Severity, severity_of
from watcher.settings import ChannelSettings


def route(
    context: AlertContext,
    channels: Mapping[str, ChannelSettings],
    *,
    zone: ZoneInfo,
    now: datetime,
    baseline: bool = False,
) -> list[RoutedAlert]:
    """Return the alerts to write, in the order of `channels`. `now` is aware, `zone` is the user's.

    On the first successful check of a case (`baseline`), the case itself and each open item are an alert of their own;
    otherwise all changes of the context are one alert. What concerns a channel is sent to the others.
    """
    groups = _by_subject(context.changes) if baseline else [range(len(context.changes))]
    routes: list[RoutedAlert] = []
    for name, channel in channels.items():
        if context.links is None and any(change.subject == name for change in context.changes):
            continue
        received = [received_by(channel, change, context, channels) for change in context.changes]
        for group in groups:
            routes += _routed(name, channel, received, group, zone, now.astimezone(UTC))
    return routes


def route_to_all(channels: Mapping[str, ChannelSettings], *, zone: ZoneInfo, now: datetime) -> list[RoutedAlert]:
    """Return a routine alert for each of these channels, whatever changes it selects.

    Only quiet hours delay it. `now` is aware, UTC.
    """
    routes = []
    for name, channel in channels.items():
        end_of_quiet = channel.quiet_hours.ends_after(now, zone) if channel.quiet_hours else None
        routes.append(
            RoutedAlert(
                channel=name,
                changes=(),
                severity=Severity.ROUTINE,
                not_before=end_of_quiet or now,
                hold_reason=HoldReason.QUIET if end_of_quiet else None,
            )
        )
    return routes


def _by_subject(changes: Sequence[Change]) -> list[Sequence[int]]:
    groups: dict[str | None, list[int]] = {}
    for index, change in enumerate(changes):
        groups.setdefault(change.subject, []).append(index)
    return list(groups.values())


def _routed(
    name: str,
    channel: ChannelSettings,
    received: Sequence[Change | None],
    group: Sequence[int],
    zone: ZoneInfo,
    now: datetime,
) -> Iterator[RoutedAlert]:
    changes = {index: change for index in group if (change := received[index]) is not None}
    accepted = {index for index, change in changes.items() if accepts(channel, change)}
    if not accepted:
        return
    selected = tuple(index for index, change in changes.items() if index in accepted or _goes_along(channel, change))
    severity = max((changes[index].severity for index in selected), key=lambda severity: severity.rank)
    if channel.escalate_after and severity is not Severity.URGENT:
        return
    not_before, hold_reason = schedule(channel, severity, zone, now)
    yield RoutedAlert(channel=name, changes=selected, severity=severity, not_before=not_before, hold_reason=hold_reason)


def accepts(channel: ChannelSettings, change: Change) -> bool:
    """Return whether the channel selects a change that it receives, by its kind and severity."""
    if channel.kinds and change.kind not in channel.kinds:
        return False
    return routing_severity(change).rank >= channel.min_severity.rank


def _goes_along(channel: ChannelSettings, change: Change) -> bool:
    """Return whether the change joins an alert about others, so that nobody answers a request in vain."""
    return may_be_unanswered(change) and (not channel.kinds or change.kind in channel.kinds)


def routing_severity(change: Change) -> Severity:
    """Return the severity by which channels select the change.

    For a recovery it is that of the problem: channels that reported it also report its end. That the clock was wrong is
    for every channel that may have said something wrong.
    """
    if change.kind is ChangeKind.CLOCK_SET_BACK:
        return Severity.URGENT
    if change.kind is ChangeKind.RECOVERED and isinstance(change.new, dict):
        problem = change.new.get("after")
        if problem in set(ChangeKind):
            return severity_of(ChangeKind(problem))
    return change.severity


def schedule(
    channel: ChannelSettings, severity: Severity, zone: ZoneInfo, now: datetime
) -> tuple[datetime, HoldReason | None]:
    """Return the earliest time to send an alert of this severity, and the reason to hold it.

    An escalation or digest is scheduled first. If that time is within quiet hours, the alert also waits for their end.
    """
    not_before, hold_reason = now, None
    if channel.escalate_after:
        not_before, hold_reason = now + channel.escalate_after, HoldReason.ESCALATION
    elif channel.digest and severity is not Severity.URGENT:
        not_before, hold_reason = channel.digest.next_after(now, zone), HoldReason.DIGEST
    end_of_quiet = quiet_until(channel, severity, zone, not_before)
    if end_of_quiet is not None:
        return end_of_quiet, hold_reason or HoldReason.QUIET
    return not_before, hold_reason


def quiet_until(channel: ChannelSettings, severity: Severity, zone: ZoneInfo, moment: datetime) -> datetime | None:
    """Return when quiet hours that hold an alert of this severity at `moment` end, in UTC; None if none apply."""
    if channel.quiet_hours is None or (severity is Severity.URGENT and channel.urgent_breaks_quiet):
        return None
    return channel.quiet_hours.ends_after(moment, zone)
