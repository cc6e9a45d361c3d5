"""How long an account is left alone after a portal, or a firewall in front of it, asked for it. Pure."""

from collections.abc import Sequence
from datetime import datetime

from watcher.errors import MAX_RETRY_AFTER, AccessBlocked, PortalUnavailable, ReadFailed


def end_of_wait(
    errors: Sequence[ReadFailed], now: datetime, *, attempted_before: datetime | None, waited_until: datetime | None
) -> datetime | None:
    """Return the end of the longest wait that the errors of this check ask for; None for no wait.

    The wait after a firewall's refusal is twice that since the check before, which did not help.
    """
    waits = [error.retry_after for error in errors if isinstance(error, PortalUnavailable) and error.retry_after]
    if any(isinstance(error, AccessBlocked) for error in errors) and attempted_before and waited_until:
        waits.append(min(2 * (waited_until - attempted_before), MAX_RETRY_AFTER))
    return now + max(waits) if waits else None
