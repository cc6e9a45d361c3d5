"""Checks that are overdue: the one under way hangs, or nothing checks the account. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta

from watcher.clock.timestamps import utc_text
from watcher.messages import _
from watcher.model.account_health import AccountHealth, AccountState

MAX_CHECK_DURATION = timedelta(hours=12)
"""The longest that a check takes, unless the account's interval is longer."""


def is_overdue(next_read_at: datetime | None, *, now: datetime, blind_after: timedelta) -> bool:
    """Return whether a check is so late that the one under way hangs, or that nothing checks the account.

    A check that begins sets the time of the next one.
    """
    return next_read_at is not None and now - next_read_at > min(blind_after, MAX_CHECK_DURATION)


def apparent_health(
    health: AccountHealth, next_read_at: datetime | None, *, now: datetime, blind_after: timedelta
) -> AccountHealth:
    """Return the health as a person should see it: as failing if checks hang or have stopped, which none can report."""
    last_seen_at = health.last_read_at or health.first_seen_at
    is_quiet = health.state in {AccountState.OK, AccountState.NEVER_READ}
    if (
        not is_quiet
        or now - last_seen_at <= blind_after
        or not is_overdue(next_read_at, now=now, blind_after=blind_after)
    ):
        return health
    error = _(
        "no successful check since {since}: the check of this account does not finish, or the program is not running",
        since=utc_text(last_seen_at),
    )
    return replace(health, state=AccountState.FAILING, last_error=error)
