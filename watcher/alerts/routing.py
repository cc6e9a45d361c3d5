"""Which channel gets what, and when. Pure.

Every channel narrows what it takes by account, kind and severity; what it takes of one occasion goes as one alert,
with the severity of its most urgent change. An urgent alert goes at once, whole: the routine changes of the same
round are part of its story. What is not urgent waits for the channel's digest, and everything keeps the quiet hours
but urgent alerts where they may break them.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from watcher.model.alert import AlertContext, HoldReason, RoutedAlert
from watcher.model.change import Change, ChangeKind, Severity, severity_of
from watcher.settings import ChannelSettings


def route(
    occasion: AlertContext,
    channels: Mapping[str, ChannelSettings],
    *,
    zone: ZoneInfo,
    now: datetime,
    baseline: bool = False,
) -> list[RoutedAlert]:
    """What goes where, in the order of `channels`; `now` is aware, `zone` the user's.

    `baseline` is the first good read of a case: that it is watched is one alert, and so is each thing that it asks
    for; otherwise all changes of an occasion are one alert.
    """
    groups = _apart(occasion.changes) if baseline else [range(len(occasion.changes))]
    return [
        delivery
        for name, channel in channels.items()
        if not channel.accounts or occasion.account in channel.accounts
        for group in groups
        for delivery in _deliver(name, channel, occasion.changes, group, zone, now.astimezone(UTC))
    ]


def _apart(changes: Sequence[Change]) -> list[Sequence[int]]:
    groups: dict[str | None, list[int]] = {}
    for place, change in enumerate(changes):
        groups.setdefault(change.subject, []).append(place)
    return list(groups.values())


def _deliver(
    name: str, channel: ChannelSettings, changes: Sequence[Change], group: Sequence[int], zone: ZoneInfo, now: datetime
) -> Iterator[RoutedAlert]:
    taken = tuple(place for place in group if _takes(channel, changes[place]))
    if not taken:
        return
    severity = max((changes[place].severity for place in taken), key=lambda each: each.rank)
    if channel.escalate_after and severity is not Severity.URGENT:
        return
    not_before, hold = _when(channel, severity, zone, now)
    yield RoutedAlert(channel=name, changes=taken, severity=severity, not_before=not_before, hold_reason=hold)


def _takes(channel: ChannelSettings, change: Change) -> bool:
    if channel.kinds and change.kind not in channel.kinds:
        return False
    return _weight(change).rank >= channel.min_severity.rank


def _weight(change: Change) -> Severity:
    """An end is told wherever the beginning was: who heard of blindness hears that it is over (promise 5)."""
    if change.kind is ChangeKind.RECOVERED and isinstance(change.new, dict):
        ended = change.new.get("after")
        if ended in set(ChangeKind):
            return severity_of(ChangeKind(ended))
    return change.severity


def _when(
    channel: ChannelSettings, severity: Severity, zone: ZoneInfo, now: datetime
) -> tuple[datetime, HoldReason | None]:
    """When an alert of this severity may go out at the earliest, and what it waits for.

    Waiting for somebody to acknowledge and for a digest come first; where that wait ends within quiet hours, they
    are waited for too.
    """
    not_before, hold = now, None
    if channel.escalate_after:
        not_before, hold = now + channel.escalate_after, HoldReason.ESCALATION
    elif channel.digest and severity is not Severity.URGENT:
        not_before, hold = channel.digest.next_after(now, zone), HoldReason.DIGEST
    if channel.quiet_hours and not (severity is Severity.URGENT and channel.urgent_breaks_quiet):
        end_of_quiet = channel.quiet_hours.ends_after(not_before, zone)
        if end_of_quiet is not None:
            return end_of_quiet, hold or HoldReason.QUIET
    return not_before, hold
