"""When the service counts as healthy."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from watcher.model.account_health import AccountHealth, AccountState
from watcher.model.alert import AlertState
from watcher.model.change import Json
from watcher.monitoring.reported_status import ReportedStatus, reported_status
from watcher.monitoring.service_status import ServiceStatus, status_json, status_line
from watcher.settings import AccountSettings, ScheduleSettings, Settings

NOW = datetime(2026, 7, 9, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def status_of(
    health: AccountHealth | None, *, next_read_in: timedelta = HOUR, scheduler_alive: bool = True, writable: bool = True
) -> ServiceStatus:
    """Return the status with one account and `blind_after` at one day."""
    settings = Settings(
        state_dir=Path("state"),
        timezone="America/New_York",
        accounts={"family": AccountSettings(name="family", portal="uscis-api")},
        schedule=ScheduleSettings(blind_after=timedelta(days=1)),
    )
    accounts = {} if health is None else {"family": (health, NOW + next_read_in)}
    alerts = {AlertState.QUEUED: 2, AlertState.SENT: 40}
    reported = reported_status(settings, accounts, alerts, database_writable=writable)
    received = ReportedStatus.from_json(json.loads(json.dumps(reported.to_json())))
    assert received == reported
    return ServiceStatus(at=NOW, reported=received, scheduler_alive=scheduler_alive)


def last_success(ago: timedelta, state: AccountState = AccountState.OK) -> AccountHealth:
    """Return the health of an account whose last successful check was so long ago."""
    failing = None if state is AccountState.OK else NOW - ago + HOUR
    return AccountHealth(state=state, first_seen_at=NOW - 90 * 24 * HOUR, last_read_at=NOW - ago, failing_since=failing)


def test_new_account_is_healthy() -> None:
    assert status_of(None).healthy
    assert status_of(AccountHealth(first_seen_at=NOW)).healthy


def test_account_checked_weekly_is_healthy_in_between() -> None:
    assert status_of(last_success(6 * 24 * HOUR)).healthy


@pytest.mark.parametrize("state", [state for state in AccountState if state is not AccountState.OK])
def test_failures_are_tolerated_for_blind_after(state: AccountState) -> None:
    assert status_of(last_success(24 * HOUR, state)).healthy
    assert not status_of(last_success(25 * HOUR, state)).healthy


def test_overdue_check_is_unhealthy_without_a_failure() -> None:
    assert status_of(last_success(23 * HOUR), next_read_in=-HOUR).healthy
    assert not status_of(last_success(25 * HOUR), next_read_in=-HOUR).healthy


def test_report_is_evaluated_at_the_moment_of_the_request() -> None:
    status = status_of(last_success(23 * HOUR, AccountState.FAILING))
    assert status.healthy
    assert not replace(status, at=NOW + 2 * HOUR).healthy


def test_check_that_was_not_started_in_time_becomes_unhealthy() -> None:
    status = status_of(last_success(24 * HOUR), next_read_in=2 * HOUR)
    assert replace(status, at=NOW + 2 * HOUR).healthy
    assert not replace(status, at=NOW + 3 * HOUR).healthy


@pytest.mark.parametrize("message", [{}, {"blind_after": 1, "accounts": [], "alerts": {"lost": 1}}])
def test_message_of_another_shape_is_refused(message: dict[str, Json]) -> None:
    with pytest.raises((KeyError, ValueError)):
        ReportedStatus.from_json(message)


def test_message_keeps_moments_to_the_microsecond() -> None:
    at = NOW + timedelta(microseconds=1)
    reported = status_of(AccountHealth(first_seen_at=at, last_attempt_at=at, last_read_at=at)).reported
    (account,) = reported.accounts
    assert account.first_seen_at == account.last_attempt_at == account.last_read_at == at


def test_database_that_cannot_be_written_is_unhealthy() -> None:
    status = status_of(last_success(HOUR), writable=False)
    assert not status.healthy
    assert "the database cannot be written" in status_line(status)
    assert status_json(status)["database"] == "not writable"


def test_stuck_scheduler_is_unhealthy() -> None:
    assert not status_of(last_success(HOUR), scheduler_alive=False).healthy


def test_status_line_summarizes_the_service() -> None:
    assert status_line(status_of(last_success(HOUR))) == (
        "watching 1 account, next check 2026-07-09 09:00 EDT, 2 alerts waiting"
    )
    assert "1 failing, 1 without a successful check for too long" in status_line(
        status_of(last_success(25 * HOUR, AccountState.FAILING))
    )
    assert "1 paused" in status_line(status_of(last_success(HOUR, AccountState.REJECTED)))


def test_document_shows_accounts_and_queue_but_no_error_text() -> None:
    document = status_json(status_of(last_success(25 * HOUR, AccountState.FAILING)))
    assert document == {
        "status": "unwell",
        "summary": (
            "watching 1 account, 1 failing, 1 without a successful check for too long, next check 2026-07-09 09:00 EDT,"
            " 2 alerts waiting"
        ),
        "at": "2026-07-09T12:00:00Z",
        "scheduler": "turning",
        "database": "writable",
        "accounts": [
            {
                "name": "family",
                "portal": "uscis-api",
                "state": "failing",
                "blind": True,
                "last_attempt_at": None,
                "last_read_at": "2026-07-08T11:00:00Z",
                "next_read_at": "2026-07-09T13:00:00Z",
            }
        ],
        "alerts": {"queued": 2, "held": 0, "failed": 0},
    }
