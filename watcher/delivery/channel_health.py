"""Tell the other channels that one has accepted nothing for a long time, once, and that it accepts alerts again.

Whether that was told is read from the history. A channel is failing from its first refusal after the last message that
it accepted, so one that had nothing to send is not.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from watcher.alerts import compose
from watcher.clock.first_moment import first_moment
from watcher.clock.timestamps import utc_text
from watcher.context.context import Context
from watcher.context.wrong_clock import is_undone, recorded_set_backs
from watcher.errors import LockLost
from watcher.model.alert import AlertContext
from watcher.model.change import Change, ChangeKind, RecordedChange, severity_of
from watcher.store import Busy

CHANNEL_ACCOUNT = ""
"""The account in changes and alerts about a channel, which belongs to none."""

_KINDS = (ChangeKind.CHANNEL_FAILING, ChangeKind.RECOVERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelHistory:
    """What is known of a channel. Times are aware, UTC; None stands for never.

    `reported` is the last change that was recorded about it. `is_undone`: it was recorded by a clock that was ahead, so
    it may have been too early.
    """

    failing_since: datetime | None
    last_accepted_at: datetime | None
    reported: RecordedChange | None
    is_undone: bool = False


def channel_change(name: str, history: ChannelHistory, *, now: datetime, blind_after: timedelta) -> Change | None:
    """Return the change to record about a channel now, if any. Pure."""
    reported, accepted_at, since = history.reported, history.last_accepted_at, history.failing_since
    if reported is not None and reported.change.kind is ChangeKind.CHANNEL_FAILING:
        if accepted_at is not None and accepted_at > reported.at:
            old = reported.change.new
            told_since = old.get("since") if isinstance(old, dict) else None
            details = {"after": ChangeKind.CHANNEL_FAILING.value, "since": told_since}
            return Change(
                kind=ChangeKind.RECOVERED, severity=severity_of(ChangeKind.RECOVERED), subject=name, new=dict(details)
            )
        if not history.is_undone:
            return None
    if since is None or now - since < blind_after:
        return None
    kind = ChangeKind.CHANNEL_FAILING
    return Change(kind=kind, severity=severity_of(kind), subject=name, new={"since": utc_text(since)})


def record_channel_health(context: Context) -> list[RecordedChange]:
    """Record which channels fail and which work again, and queue the alerts for the others. Raises `StoreUnusable`.

    Does nothing while another process does the same.
    """
    recorded: list[RecordedChange] = []
    with suppress(Busy, LockLost), context.store.locks.acquire("channels") as held:
        for name in context.settings.channels:
            recorded += _record(replace(context, held=held), name)
    return recorded


def next_channel_change(context: Context, until: datetime) -> datetime | None:
    """Return when `record_channel_health` next has something to record; None if nothing by `until`.

    A moment that is not in the future: now. Raises `StoreUnusable`.
    """
    histories = {name: _history(context, name) for name in context.settings.channels}
    blind_after = context.settings.schedule.blind_after

    def is_due(at: datetime) -> bool:
        return any(channel_change(name, of, now=at, blind_after=blind_after) for name, of in histories.items())

    return first_moment(is_due, context.clock.now(), until)


def _history(context: Context, name: str) -> ChannelHistory:
    outbox = context.store.outbox
    known = context.store.history(accounts=[CHANNEL_ACCOUNT], kinds=_KINDS)
    reported = next((entry for entry in known if entry.change.subject == name), None)
    return ChannelHistory(
        failing_since=outbox.failing_since(name),
        last_accepted_at=outbox.last_accepted_at(name),
        reported=reported,
        is_undone=reported is not None and is_undone(reported, recorded_set_backs(context)),
    )


def _record(context: Context, name: str) -> list[RecordedChange]:
    now = context.clock.now()
    change = channel_change(name, _history(context, name), now=now, blind_after=context.settings.schedule.blind_after)
    if change is None:
        return []
    about = AlertContext(account=CHANNEL_ACCOUNT, portal_title="", links=None, changes=(change,))
    return context.record([compose.compose(about, context.settings, now=now)], now=now)
