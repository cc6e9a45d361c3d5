"""Who gets the alerts of a case or an account, and when, by the rules of the channels. Pure.

This is what `watcher.alerts.routing` does with a change, said in advance for every change of a severity.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from watcher.alerts.coverage import REQUESTS, covers, received_by
from watcher.alerts.routing import accepts
from watcher.clock.quiet_hours import Digest, QuietHours
from watcher.model.alert import AlertContext
from watcher.model.change import Change, ChangeKind, Severity, severities_of, severity_of
from watcher.settings import ChannelSettings

SEVERITIES = (Severity.URGENT, Severity.IMPORTANT, Severity.ROUTINE)
"""From the most to the least severe."""

_ABOUT_ACCOUNTS = REQUESTS | {ChangeKind.BLIND, ChangeKind.RECOVERED, ChangeKind.CLOCK_SET_BACK, ChangeKind.NOTE}
_KINDS = {
    severity: frozenset(kind for kind in ChangeKind if kind not in _ABOUT_ACCOUNTS and severity in severities_of(kind))
    for severity in SEVERITIES
}
"""The kinds of a case's changes that can have each severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a channel gets an alert: at once, in its digest, or, if nobody marks it as seen, after `escalate_after`.

    `quiet_hours` are None if they do not delay it.
    """

    escalate_after: timedelta | None = None
    digest: Digest | None = None
    quiet_hours: QuietHours | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A channel that gets alerts of one severity. `kinds` are the only kinds of them that it gets, if not all."""

    channel: str
    timing: Timing
    kinds: tuple[str, ...] = ()


CasePlan: TypeAlias = tuple[tuple[Recipient, ...], ...]
"""The recipients of a case's alerts, for each of `SEVERITIES`."""


def plan_of_case(
    channels: Mapping[str, ChannelSettings], account: str, case_number: str, person: str | None
) -> CasePlan:
    """Return who gets the alerts of a case, in the order of `channels`."""
    covering = [channel for channel in channels.values() if covers(channel, account, case_number, person)]
    return tuple(
        tuple(
            Recipient(channel=channel.name, timing=timing_of(channel, severity), kinds=_kinds(channel, severity))
            for channel in covering
            if _gets(channel, severity)
        )
        for severity in SEVERITIES
    )


def plan_of_account(
    channels: Mapping[str, ChannelSettings], context: AlertContext, kind: ChangeKind
) -> tuple[Recipient, ...]:
    """Return who gets an alert of this kind about the account of `context`."""
    change = Change(kind=kind, severity=severity_of(kind))
    return tuple(
        Recipient(channel=channel.name, timing=timing_of(channel, change.severity))
        for channel in channels.values()
        if received_by(channel, change, context, channels)
        and accepts(channel, change)
        and (not channel.escalate_after or change.severity is Severity.URGENT)
    )


def timing_of(channel: ChannelSettings, severity: Severity) -> Timing:
    """Return when the channel gets an alert of this severity."""
    is_urgent = severity is Severity.URGENT
    quiet_hours = None if is_urgent and channel.urgent_breaks_quiet else channel.quiet_hours
    if channel.escalate_after:
        return Timing(escalate_after=channel.escalate_after, quiet_hours=quiet_hours)
    if is_urgent or channel.digest is None:
        return Timing(quiet_hours=quiet_hours)
    is_quiet = quiet_hours is not None and quiet_hours.include(channel.digest.at)
    return Timing(digest=channel.digest, quiet_hours=quiet_hours if is_quiet else None)


def _gets(channel: ChannelSettings, severity: Severity) -> bool:
    if severity.rank < channel.min_severity.rank or (channel.escalate_after and severity is not Severity.URGENT):
        return False
    return not channel.kinds or bool(channel.kinds & _KINDS[severity])


def _kinds(channel: ChannelSettings, severity: Severity) -> tuple[str, ...]:
    return tuple(sorted(channel.kinds & _KINDS[severity]))
