"""How the watcher is as a whole, for whoever asks from outside: a health check, a meter, systemd. Pure.

It is well while no account has gone without a good read for longer than `blind_after`, and while the scheduler turns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from watcher.clock.timestamps import local_text, utc_text
from watcher.model.account_health import AccountHealth, AccountState
from watcher.model.alert import AlertState
from watcher.model.change import Json
from watcher.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatus:
    """How one account is. Times are aware, UTC. `blind`: its last good read is longer ago than is tolerated."""

    name: str
    portal: str
    state: AccountState
    blind: bool
    last_attempt_at: datetime | None
    last_read_at: datetime | None
    next_read_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """How the watcher is. `turned` is false where the scheduler has not come round for too long."""

    at: datetime
    accounts: tuple[AccountStatus, ...]
    alerts: Mapping[AlertState, int]
    scheduler_alive: bool = True

    @property
    def healthy(self) -> bool:
        """Whether reads succeed, or have not failed for long."""
        return self.scheduler_alive and not any(account.blind for account in self.accounts)

    @property
    def waiting(self) -> int:
        """How many alerts are still to go out."""
        return self.alerts.get(AlertState.QUEUED, 0) + self.alerts.get(AlertState.HELD, 0)


def service_status(
    settings: Settings,
    known: Mapping[str, tuple[AccountHealth, datetime | None]],
    alerts: Mapping[AlertState, int],
    *,
    now: datetime,
    scheduler_alive: bool = True,
) -> ServiceStatus:
    """The condition, from what stands in the books: `known` has each account's health and its next read."""
    accounts = tuple(
        _account(name, account.portal, *known.get(name, (None, None)), now=now, tolerance=settings.schedule.blind_after)
        for name, account in settings.accounts.items()
    )
    return ServiceStatus(at=now, accounts=accounts, alerts=alerts, scheduler_alive=scheduler_alive)


def _account(
    name: str,
    portal: str,
    health: AccountHealth | None,
    next_read_at: datetime | None,
    *,
    now: datetime,
    tolerance: timedelta,
) -> AccountStatus:
    """An account that is not in the books yet has just been configured: nothing is wrong with it."""
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
    """An account that is read once a week is not blind in between; one whose read has failed or is overdue is."""
    failing = health.failing_since is not None or health.state.waits_for_person
    overdue = next_read_at is None or next_read_at < now
    return now - (health.last_read_at or health.first_seen_at) > tolerance and (failing or overdue)


def status_line(condition: ServiceStatus) -> str:
    """The condition in one line, without names: what `systemctl status` shows."""
    count = len(condition.accounts)
    parts = [f"watching {count} account{'' if count == 1 else 's'}"]
    states = [account.state for account in condition.accounts]
    failing = states.count(AccountState.FAILING)
    waiting = sum(state.waits_for_person for state in states)
    blind = sum(account.blind for account in condition.accounts)
    parts += [f"{number} {words}" for number, words in ((failing, "failing"), (waiting, "paused")) if number]
    parts += [f"{blind} without a good read for too long"] if blind else []
    turns = [account.next_read_at for account in condition.accounts if account.next_read_at is not None]
    parts += [f"next read {local_text(min(turns))}Z"] if turns else []
    parts += [f"{condition.waiting} alerts waiting"] if condition.waiting else []
    return ", ".join(parts)


def status_json(condition: ServiceStatus) -> dict[str, Json]:
    """The condition as /healthz shows it: accounts by their names, no case number and no error text."""
    return {
        "status": "ok" if condition.healthy else "unwell",
        "summary": status_line(condition),
        "at": utc_text(condition.at),
        "scheduler": "turning" if condition.scheduler_alive else "stuck",
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
            for account in condition.accounts
        ],
        "alerts": {state.value: condition.alerts.get(state, 0) for state in AlertState if state is not AlertState.SENT},
    }
