"""When the watcher counts as well, as seen from outside."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from watcher.model.account_health import AccountHealth, AccountState
from watcher.model.alert import AlertState
from watcher.monitoring.service_status import ServiceStatus, service_status, status_json, status_line
from watcher.settings import AccountSettings, ScheduleSettings, Settings

NOW = datetime(2026, 7, 9, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def condition(health: AccountHealth | None, *, next_read_in: timedelta = HOUR, turned: bool = True) -> ServiceStatus:
    """The condition with one account, where a day without a good read is tolerated."""
    settings = Settings(
        state_dir=Path("state"),
        accounts={"family": AccountSettings(name="family", portal="uscis-api")},
        schedule=ScheduleSettings(blind_after=timedelta(days=1)),
    )
    known = {} if health is None else {"family": (health, NOW + next_read_in)}
    return service_status(settings, known, {AlertState.QUEUED: 2, AlertState.SENT: 40}, now=NOW, scheduler_alive=turned)


def read(ago: timedelta, state: AccountState = AccountState.OK) -> AccountHealth:
    """An account that was last read well so long ago."""
    failing = None if state is AccountState.OK else NOW - ago + HOUR
    return AccountHealth(state=state, first_seen_at=NOW - 90 * 24 * HOUR, last_read_at=NOW - ago, failing_since=failing)


def test_an_account_that_was_just_configured_is_well() -> None:
    assert condition(None).healthy
    assert condition(AccountHealth(first_seen_at=NOW)).healthy


def test_an_account_that_is_read_once_a_week_is_well_in_between() -> None:
    assert condition(read(6 * 24 * HOUR)).healthy


@pytest.mark.parametrize("state", [state for state in AccountState if state is not AccountState.OK])
def test_trouble_is_tolerated_for_as_long_as_the_configuration_says(state: AccountState) -> None:
    assert condition(read(24 * HOUR, state)).healthy
    assert not condition(read(25 * HOUR, state)).healthy


def test_a_read_that_is_overdue_is_trouble_though_nothing_has_failed() -> None:
    assert condition(read(23 * HOUR), next_read_in=-HOUR).healthy
    assert not condition(read(25 * HOUR), next_read_in=-HOUR).healthy


def test_a_scheduler_that_is_stuck_is_not_well() -> None:
    assert not condition(read(HOUR), turned=False).healthy


def test_one_line_says_it() -> None:
    assert status_line(condition(read(HOUR))) == ("watching 1 account, next read 2026-07-09 13:00Z, 2 alerts waiting")
    assert "1 failing, 1 without a good read for too long" in status_line(
        condition(read(25 * HOUR, AccountState.FAILING))
    )
    assert "1 paused" in status_line(condition(read(HOUR, AccountState.REJECTED)))


def test_the_document_shows_accounts_and_queue_but_no_error_text() -> None:
    told = status_json(condition(read(25 * HOUR, AccountState.FAILING)))
    assert told == {
        "status": "unwell",
        "summary": (
            "watching 1 account, 1 failing, 1 without a good read for too long, next read 2026-07-09 13:00Z,"
            " 2 alerts waiting"
        ),
        "at": "2026-07-09T12:00:00Z",
        "scheduler": "turning",
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
