"""Notice that the clock was ahead, correct what was stored meanwhile, and say once that alerts may have been wrong.

Called before anything trusts a stored moment: at the start of each check, before reminders, and by the daemon all the
time. A clock that was behind and is right now needs no correction: what is overdue is done.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from watcher.alerts import compose
from watcher.alerts.routing import schedule
from watcher.clock.timestamps import utc_text
from watcher.context.context import Context
from watcher.errors import MAX_RETRY_AFTER
from watcher.model.alert import AlertContext, AlertState
from watcher.model.change import Change, ChangeKind, Json, RecordedChange, severity_of
from watcher.model.writes import WriteSet
from watcher.portals import find
from watcher.settings import Settings
from watcher.settings.handover import interval_of
from watcher.store import MAX_REST, Busy
from watcher.store.writes.clock_correction import SHORT_WAIT, StoredTimes, WaitingAlert

_TOLERANCE: Final = timedelta(minutes=1)
"""How far the clocks of two machines with one database may differ."""

_REPORTED_FROM: Final = timedelta(hours=1)
_REPEATED_AFTER: Final = timedelta(days=1)
_LONGEST_HOLD: Final = timedelta(days=31)
_MANUAL: Final = timedelta(days=1)
_TWO_DAYS: Final = timedelta(days=2)
_EARLIEST: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""A machine without a battery starts its clock in the distant past; nothing is corrected by such a clock."""

_LOCK_WAIT: Final = 10.0  # real seconds
_ACCOUNT = ""  # as in changes about a channel
_log = structlog.get_logger(__name__)


def correct_wrong_clock(context: Context, *, set_back_by: timedelta = timedelta()) -> list[RecordedChange]:
    """Correct stored moments if the clock was ahead when they were stored; record that if it was by over an hour.

    `set_back_by` is what the caller has seen of it. Returns the recorded change, if any. Leaves it to another process
    that is doing the same. Raises `StoreUnusable`.
    """
    if not _must_act(context, context.clock.now(), set_back_by):
        return []
    with suppress(Busy), context.store.locks.acquire("clock", wait=_LOCK_WAIT, stop=context.stop):
        now = context.clock.now()
        if not _must_act(context, now, set_back_by):
            return []
        latest = max(context.store.stored_times().latest or now, now + set_back_by)
        is_reported = latest - now > _REPORTED_FROM
        _log.warning("stored_times_corrected", ahead_hours=round((latest - now) / timedelta(hours=1), 1))
        writes = [_announcement(context, latest, now)] if is_reported else []
        if context.store.shared and _was_reported(context, now, within=_REPEATED_AFTER):
            writes = []  # the clock of one of several machines is wrong: once a day is enough
        plans = _Plans(settings=context.settings, now=now)
        return context.store.correct_clock(now, plans, undo_reminders=is_reported, writes=writes)
    return []


def _must_act(context: Context, now: datetime, set_back_by: timedelta) -> bool:
    if now < _EARLIEST:
        return False
    if _is_suspect(context.store.stored_times(), context.settings, now):
        return True
    # Another thread or process may have noticed it first, and reported it.
    return set_back_by > _REPORTED_FROM and not _was_reported(context, now, within=_REPORTED_FROM)


def is_undone(change: RecordedChange, set_backs: Iterable[RecordedChange]) -> bool:
    """Return whether a change was recorded while the clock was ahead. `set_backs` are all `clock_set_back` changes."""
    return any(_first_undone(set_back) <= change.id < set_back.id for set_back in set_backs)


def recorded_set_backs(context: Context) -> list[RecordedChange]:
    """Return every recorded `clock_set_back`, newest first."""
    return context.store.history(accounts=[_ACCOUNT], kinds=[ChangeKind.CLOCK_SET_BACK])


def _first_undone(set_back: RecordedChange) -> int:
    details = set_back.change.new
    first = details.get("first_change") if isinstance(details, dict) else None
    return first if isinstance(first, int) else set_back.id


def _is_suspect(times: StoredTimes, settings: Settings, now: datetime) -> bool:
    """Return whether something is stored that a right clock cannot have stored by `now`."""
    plans = _Plans(settings=settings, now=now)
    escalations = (channel.escalate_after for channel in settings.channels.values() if channel.escalate_after)
    limits = (
        (times.latest, now),
        (times.not_before, now + MAX_RETRY_AFTER),
        (times.queued_until, now + MAX_REST),
        (times.held_until, now + _LONGEST_HOLD + max(escalations, default=timedelta())),
        *(
            (moment, max(plans.latest_check(name), times.not_before or now))
            for name, moment in times.next_checks.items()
        ),
    )
    return any(moment is not None and moment - limit > _TOLERANCE for moment, limit in limits)


def _was_reported(context: Context, now: datetime, *, within: timedelta) -> bool:
    return any(now - set_back.at < within for set_back in recorded_set_backs(context)[:1])


def _announcement(context: Context, latest: datetime, now: datetime) -> WriteSet:
    kind, ahead = ChangeKind.CLOCK_SET_BACK, latest - now
    new: dict[str, Json] = {
        "from": utc_text(latest),
        "to": utc_text(now),
        "days": ahead.days if ahead >= _TWO_DAYS else None,
        "hours": round(ahead / timedelta(hours=1)),
        "first_change": context.store.first_change_after(now),
    }
    change = Change(kind=kind, severity=severity_of(kind), new=new)
    about = AlertContext(account=_ACCOUNT, portal_title="", links=None, changes=(change,))
    return compose.compose(about, context.settings, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plans:
    """`Plans` by the configuration."""

    settings: Settings
    now: datetime

    def latest_check(self, account: str) -> datetime:
        """Return the latest moment for which a check can be planned now, unless the portal asks to wait."""
        configured, schedule_settings = self.settings.accounts.get(account), self.settings.schedule
        if configured is None:
            return datetime.max.replace(tzinfo=UTC)
        every = interval_of(configured, self.settings)
        if (
            find(configured.portal).is_manual or configured.is_handed_over
        ):  # a person may have looked tomorrow, where it is tomorrow already
            return self.now + max(every, _MANUAL) + _MANUAL
        return self.now + every + schedule_settings.jitter

    def latest_attempt(self, alert: WaitingAlert) -> datetime:
        """Return the end of a hold that begins now; for an alert that is not held, a moment soon."""
        channel = self.settings.channels.get(alert.channel)
        if channel is None or alert.state is AlertState.QUEUED:
            return self.now + SHORT_WAIT
        return schedule(channel, alert.severity, self.settings.timezone, self.now)[0]
