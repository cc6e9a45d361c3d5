"""What is said of a check that sent no request, because the portal or its firewall asked to wait. Pure."""

from datetime import datetime
from shlex import quote

from watcher.clock.timestamps import utc_text
from watcher.errors import BLOCKED_WAIT
from watcher.messages import _
from watcher.model.account_health import AccountHealth


def skipped_text(health: AccountHealth, *, agency: str, account: str) -> str:
    """Return why the check was skipped, and after a firewall's refusal how to try at once; `agency` asked to wait."""
    until = utc_text(health.not_before)
    if health.last_error and _is_long(health.last_attempt_at, health.not_before):
        return _(
            "skipped until {until}, unless you run `watcher resume {account}`: {reason}",
            until=until,
            account=quote(account),
            reason=health.last_error,
        )
    return _("skipped: {agency} asked us to wait until {until}", agency=agency, until=until)


def _is_long(start: datetime | None, end: datetime | None) -> bool:
    return start is not None and end is not None and end - start >= BLOCKED_WAIT
