"""The status of the whole service at a moment, for health checks, metrics, and systemd. Pure.

The service is healthy while its scheduler runs, its database can be written, and no account has been without a
successful check for longer than `blind_after`. The newest report is kept, and evaluated anew for each request:

    status = ServiceStatus(at=clock.now(), reported=newest, scheduler_alive=worker_is_alive)
    status.healthy, status_line(status), status_json(status)

`scheduler_alive` is false if a worker is overdue, hangs, or repeatedly cannot start: checks that are due are not done.
"""

from dataclasses import dataclass
from datetime import datetime

from watcher.clock.timestamps import utc_text
from watcher.messages import _, plural
from watcher.model.account_health import AccountState
from watcher.model.alert import AlertState
from watcher.model.change import Json
from watcher.monitoring.reported_status import ReportedAccount, ReportedStatus

_UNFINISHED = (AlertState.QUEUED, AlertState.HELD, AlertState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """The status of the service at the moment `at` (aware, UTC). `scheduler_alive` is false if the scheduler is stuck.

    `healthy`: the scheduler runs, the database can be written, and no account is blind.
    """

    at: datetime
    reported: ReportedStatus
    scheduler_alive: bool = True

    @property
    def healthy(self) -> bool:
        """Whether checks are done and succeed."""
        return self.scheduler_alive and self.reported.database_writable and not self.blind_accounts

    @property
    def blind_accounts(self) -> int:
        """The number of blind accounts."""
        return sum(map(self.is_blind, self.reported.accounts))

    @property
    def pending_alerts(self) -> int:
        """The number of alerts that are still to be sent."""
        return self.reported.alerts.get(AlertState.QUEUED, 0) + self.reported.alerts.get(AlertState.HELD, 0)

    def is_blind(self, account: ReportedAccount) -> bool:
        """Return whether the last success is too old and a check failed or is overdue; weekly checks alone are fine.

        An account about which nothing is stored was just added and is not blind.
        """
        seen_at = account.last_read_at or account.first_seen_at
        overdue = account.next_read_at is None or account.next_read_at < self.at
        too_old = seen_at is not None and self.at - seen_at > self.reported.blind_after
        return too_old and (account.failing or overdue)


def status_line(status: ServiceStatus) -> str:
    """Return the status in one line without names, as `systemctl status` shows it."""
    accounts = status.reported.accounts
    parts = [plural("watching {n} account", "watching {n} accounts", len(accounts))]
    states = [account.state for account in accounts]
    if failing := states.count(AccountState.FAILING):
        parts.append(plural("{n} failing", "{n} failing", failing))
    if paused := sum(state.waits_for_person for state in states):
        parts.append(plural("{n} paused", "{n} paused", paused))
    if not status.reported.database_writable:
        parts.append(_("the database cannot be written"))
    if blind := status.blind_accounts:
        parts.append(
            plural("{n} without a successful check for too long", "{n} without a successful check for too long", blind)
        )
    if status.reported.next_check:
        parts.append(_("next check {time}", time=status.reported.next_check))
    if waiting := status.pending_alerts:
        parts.append(plural("{n} alert waiting", "{n} alerts waiting", waiting))
    return ", ".join(parts)


def status_json(status: ServiceStatus) -> dict[str, Json]:
    """Return the status as `/healthz` shows it: with account names, but no case numbers or error texts."""
    reported = status.reported
    return {
        "status": "ok" if status.healthy else "unwell",
        "summary": status_line(status),
        "at": utc_text(status.at),
        "scheduler": "turning" if status.scheduler_alive else "stuck",
        "database": "writable" if reported.database_writable else "not writable",
        "accounts": [
            {
                "name": account.name,
                "portal": account.portal,
                "state": account.state.value,
                "blind": status.is_blind(account),
                "last_attempt_at": utc_text(account.last_attempt_at),
                "last_read_at": utc_text(account.last_read_at),
                "next_read_at": utc_text(account.next_read_at),
            }
            for account in reported.accounts
        ],
        "alerts": {state.value: reported.alerts.get(state, 0) for state in _UNFINISHED},
    }
