"""The status of the whole service, for health checks, metrics, and systemd. Pure.

The service is healthy while its scheduler runs, its database can be written, and no account has been without a
successful check for longer than `blind_after`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from watcher.clock.timestamps import local_text, utc_text
from watcher.model.account_health import AccountHealth, AccountState
from watcher.model.alert import AlertState
from watcher.model.change import Json
from watcher.settings import Settings

_UNFINISHED = (AlertState.QUEUED, AlertState.HELD, AlertState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatus:
    """The status of one account. Times are aware, in UTC.

    `blind` means that the last successful check is older than `blind_after`, and the account is failing or overdue.
    """

    name: str
    portal: str
    state: AccountState
    blind: bool
    last_attempt_at: datetime | None
    last_read_at: datetime | None
    next_read_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """The status of the service.

    `scheduler_alive` is false if the scheduler is stuck, `database_writable` if the last probe of a write failed.
    """

    at: datetime
    accounts: tuple[AccountStatus, ...]
    alerts: Mapping[AlertState, int]
    scheduler_alive: bool = True
    database_writable: bool = True

    @property
    def healthy(self) -> bool:
        """Whether the scheduler runs, the database can be written, and no account is blind."""
        works = self.scheduler_alive and self.database_writable
        return works and not any(account.blind for account in self.accounts)

    @property
    def pending_alerts(self) -> int:
        """The number of alerts that are still to be sent."""
        return self.alerts.get(AlertState.QUEUED, 0) + self.alerts.get(AlertState.HELD, 0)


def service_status(
    settings: Settings,
    accounts: Mapping[str, tuple[AccountHealth, datetime | None]],
    alerts: Mapping[AlertState, int],
    *,
    now: datetime,
    scheduler_alive: bool = True,
    database_writable: bool = True,
) -> ServiceStatus:
    """Build the status from the stored `accounts`, each with its health and the time of its next check."""
    configured = tuple(
        _account(
            name, account.portal, *accounts.get(name, (None, None)), now=now, tolerance=settings.schedule.blind_after
        )
        for name, account in settings.accounts.items()
    )
    return ServiceStatus(
        at=now,
        accounts=configured,
        alerts=alerts,
        scheduler_alive=scheduler_alive,
        database_writable=database_writable,
    )


def _account(
    name: str,
    portal: str,
    health: AccountHealth | None,
    next_read_at: datetime | None,
    *,
    now: datetime,
    tolerance: timedelta,
) -> AccountStatus:
    """Build an account's status. One without stored health was just added and counts as healthy."""
    return AccountStatus(
        name=name,
        portal=portal,
        state=AccountState.NEVER_READ if health is None else health.state,
        blind=health is not None and _is_blind(health, next_read_at, now=now, tolerance=tolerance),
        last_attempt_at=None if health is None else health.last_attempt_at,
        last_read_at=None if health is None else health.last_read_at,
        next_read_at=next_read_at,
    )


def _is_blind(health: AccountHealth, next_read_at: datetime | None, *, now: datetime, tolerance: timedelta) -> bool:
    """Return whether the last success is too old and a check failed or is overdue; weekly checks alone are fine."""
    failing = health.failing_since is not None or health.state.waits_for_person
    overdue = next_read_at is None or next_read_at < now
    return now - (health.last_read_at or health.first_seen_at) > tolerance and (failing or overdue)


def status_line(status: ServiceStatus) -> str:
    """Return the status in one line without names, as `systemctl status` shows it."""
    count = len(status.accounts)
    parts = [f"watching {count} account{'' if count == 1 else 's'}"]
    states = [account.state for account in status.accounts]
    failing = states.count(AccountState.FAILING)
    paused = sum(state.waits_for_person for state in states)
    blind = sum(account.blind for account in status.accounts)
    parts += [f"{number} {label}" for number, label in ((failing, "failing"), (paused, "paused")) if number]
    parts += [] if status.database_writable else ["the database cannot be written"]
    parts += [f"{blind} without a good read for too long"] if blind else []
    next_checks = [account.next_read_at for account in status.accounts if account.next_read_at is not None]
    parts += [f"next read {local_text(min(next_checks))}Z"] if next_checks else []
    parts += [f"{status.pending_alerts} alerts waiting"] if status.pending_alerts else []
    return ", ".join(parts)


def status_json(status: ServiceStatus) -> dict[str, Json]:
    """Return the status as `/healthz` shows it: with account names, but no case numbers or error texts."""
    return {
        "status": "ok" if status.healthy else "unwell",
        "summary": status_line(status),
        "at": utc_text(status.at),
        "scheduler": "turning" if status.scheduler_alive else "stuck",
        "database": "writable" if status.database_writable else "not writable",
        "accounts": [
            {
                "name": account.name,
                "portal": account.portal,
                "state": account.state.value,
                "blind": account.blind,
                "last_attempt_at": utc_text(account.last_attempt_at),
                "last_read_at": utc_text(account.last_read_at),
                "next_read_at": utc_text(account.next_read_at),
            }
            for account in status.accounts
        ],
        "alerts": {state.value: status.alerts.get(state, 0) for state in _UNFINISHED},
    }
