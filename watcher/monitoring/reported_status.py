"""What a worker reports of the service, as a message for the process that answers health checks. Pure.

The worker reads the database and calls `reported_status`; `to_json` is its message. The receiver keeps the newest one
(`ReportedStatus.from_json`) and evaluates it whenever it is asked, as a `ServiceStatus` of that moment. So it needs no
database, and this module and those it imports need only the standard library.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from watcher.clock.timestamps import iso_text, parse_utc, zoned_text
from watcher.model.account_health import AccountHealth, AccountState
from watcher.model.alert import AlertState
from watcher.model.change import Json

if TYPE_CHECKING:
    from watcher.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedAccount:
    """An account as the worker last saw it. Times are aware, in UTC.

    `first_seen_at` is None if the account was just added and nothing is stored about it. `failing` means that its last
    check failed or that it waits for a person.
    """

    name: str
    portal: str
    state: AccountState = AccountState.NEVER_READ
    failing: bool = False
    first_seen_at: datetime | None = None
    last_attempt_at: datetime | None = None
    last_read_at: datetime | None = None
    next_read_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedStatus:
    """The part of the service's status that does not depend on the moment. `accounts` are the configured ones.

    `next_check` is when the first of them is due, in the user's zone. `database_writable` is false if the last probe
    of a write failed.
    """

    blind_after: timedelta
    accounts: tuple[ReportedAccount, ...]
    alerts: Mapping[AlertState, int]
    next_check: str | None = None
    database_writable: bool = True

    def to_json(self) -> dict[str, Json]:
        """Return the message. It has account names, but no case numbers, error texts, or secrets."""
        return {
            "blind_after": self.blind_after.total_seconds(),
            "accounts": [_account_json(account) for account in self.accounts],
            "alerts": {state.value: number for state, number in self.alerts.items()},
            "next_check": self.next_check,
            "database_writable": self.database_writable,
        }

    @classmethod
    def from_json(cls, message: Mapping[str, Any]) -> "ReportedStatus":
        """Decode what `to_json` returned. Raises `KeyError` or `ValueError` for anything else."""
        return cls(
            blind_after=timedelta(seconds=message["blind_after"]),
            accounts=tuple(map(_account, message["accounts"])),
            alerts={AlertState(state): number for state, number in message["alerts"].items()},
            next_check=message["next_check"],
            database_writable=message["database_writable"],
        )


def reported_status(
    settings: "Settings",
    accounts: Mapping[str, tuple[AccountHealth, datetime | None]],
    alerts: Mapping[AlertState, int],
    *,
    database_writable: bool = True,
) -> ReportedStatus:
    """Build the report from the stored `accounts`, each with its health and the time of its next check.

    `alerts` is the number of alerts in each state: `reported_status(settings, store.accounts.all(),
    store.outbox.counts())`.
    """
    planned = [accounts[name][1] for name in settings.accounts if name in accounts]
    next_check = min(filter(None, planned), default=None)
    return ReportedStatus(
        blind_after=settings.schedule.blind_after,
        accounts=tuple(
            _reported(name, account.portal, *accounts.get(name, (None, None)))
            for name, account in settings.accounts.items()
        ),
        alerts=alerts,
        next_check=zoned_text(next_check, settings.timezone) if next_check else None,
        database_writable=database_writable,
    )


def _reported(name: str, portal: str, health: AccountHealth | None, next_read_at: datetime | None) -> ReportedAccount:
    if health is None:
        return ReportedAccount(name=name, portal=portal, next_read_at=next_read_at)
    return ReportedAccount(
        name=name,
        portal=portal,
        state=health.state,
        failing=health.failing_since is not None or health.state.waits_for_person,
        first_seen_at=health.first_seen_at,
        last_attempt_at=health.last_attempt_at,
        last_read_at=health.last_read_at,
        next_read_at=next_read_at,
    )


_MOMENTS = ("first_seen_at", "last_attempt_at", "last_read_at", "next_read_at")


def _account_json(account: ReportedAccount) -> dict[str, Json]:
    return {
        "name": account.name,
        "portal": account.portal,
        "state": account.state.value,
        "failing": account.failing,
        **{name: iso_text(getattr(account, name)) for name in _MOMENTS},
    }


def _account(message: Mapping[str, Any]) -> ReportedAccount:
    moments = {name: message[name] and parse_utc(message[name]) for name in _MOMENTS}
    return ReportedAccount(**{**message, "state": AccountState(message["state"]), **moments})
