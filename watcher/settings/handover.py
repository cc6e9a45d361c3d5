"""Accounts that a person can hand over: they sign in with their own browser, and pass on what the portal shows them.

The program neither signs in to such an account nor checks it. Its rhythm is the person's. Pure.
"""

from datetime import time, timedelta
from typing import Final

from watcher.settings import AccountSettings, Settings
from watcher.settings.values import DayTime, PositiveDuration

MIN_EVERY: Final = timedelta(days=1)
"""The shortest interval of reminders to hand over."""

_EVERY: Final = timedelta(days=3)
_MISSED: Final = 3
"""After how many intervals without a hand-over an account counts as blind."""
_HOURS: Final = (18, 17, 19, 16, 12, 11, 10, 9, 8, 14, 20, 7, 21)


class HandoverAccount(AccountSettings):
    """The keys of an account that a person can hand over.

    `remind_at` is when to remind them, None for an hour in the evening outside of all quiet hours. `blind_after` is how
    long they may hand over nothing before an alert, None for three times `every`.
    """

    remind_at: DayTime = None
    blind_after: PositiveDuration | None = None

    @property
    def min_every(self) -> timedelta | None:
        """The shortest interval of reminders, for an account that is handed over."""
        return MIN_EVERY if self.is_handed_over else None

    @property
    def longest_silence(self) -> timedelta:
        """How long nothing may be handed over before an alert."""
        return self.blind_after or _MISSED * handover_interval(self)


def handover_interval(account: AccountSettings) -> timedelta:
    """Return after which time without a hand-over to remind the person."""
    return account.every or _EVERY


def interval_of(account: AccountSettings, settings: Settings) -> timedelta:
    """Return the time between two checks of an account, or between two hand-overs."""
    if account.is_handed_over:
        return handover_interval(account)
    return account.every or max(settings.schedule.every, account.default_every)


def reminder_hour(account: HandoverAccount, settings: Settings) -> time:
    """Return at which time of the day to remind the person."""
    quiet = [channel.quiet_hours for channel in settings.channels.values() if channel.quiet_hours]
    hours = (time(hour) for hour in _HOURS)
    calm = (hour for hour in hours if not any(hours_of.include(hour) for hours_of in quiet))
    return account.remind_at or next(calm, time(_HOURS[0]))
