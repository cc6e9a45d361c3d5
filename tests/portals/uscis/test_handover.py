"""A USCIS account that a person hands over: nothing is sent, and the hand-over is the check."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.doubles.uscis_answers import RECEIPT, body, case
from tests.portals.context import FakeClock
from watcher.app import App, open_app
from watcher.context.opening import read_settings
from watcher.errors import SettingsFaults
from watcher.model.account_health import AccountState, ReadOutcome
from watcher.model.change import ChangeKind
from watcher.portals import find
from watcher.portals.uscis import import_answers
from watcher.reading.poll import record_results
from watcher.reading.session_end import note_session_end
from watcher.sign_in.cookie_session import dump_cookies

START = datetime(2026, 6, 1, 16, tzinfo=UTC)  # noon in New York
EVENING = timedelta(hours=6)
CONFIGURATION = """
timezone = "America/New_York"
state_dir = "state"
[stall]
after = "10d"
[accounts.family]
portal = "uscis"
sign_in = "handover"
{more}
[channels.phone]
url = "json://127.0.0.1:1/"
quiet_hours = "22:00-07:00"
"""


@dataclass
class Family:
    app: App
    clock: FakeClock

    def hand_over(self) -> list[ChangeKind]:
        """Hand over the case, as `watcher import` does, and return the kinds of the changes."""
        reads = import_answers([("case.json", body(case()))], "en")
        result = record_results(reads, self.app.settings.accounts["family"], find("uscis"), self.app.context)
        assert result.outcome is ReadOutcome.OK
        return [recorded.change.kind for recorded in result.changes]

    def pass_by(self, span: timedelta) -> list[tuple[timedelta, ChangeKind]]:
        """Do what the daemon does for this long, and return what is recorded, each with the time since the start."""
        until, recorded = self.clock.current + span, list[tuple[timedelta, ChangeKind]]()
        while self.clock.current < until:
            if self.app.store.accounts.all().get("family", (None, None))[1] in (None, self.clock.current):
                result = self.app.poll("family")
                assert (result.outcome, result.error) == (ReadOutcome.OK, None)
                recorded += [(self.clock.current - START, change.change.kind) for change in result.changes]
            changes = self.app.record_time_reminders(at_any_hour=False)
            recorded += [(self.clock.current - START, change.change.kind) for change in changes]
            _, next_read_at = self.app.store.accounts.all()["family"]
            assert next_read_at is not None
            assert next_read_at > self.clock.current
            self.clock.current = min(until, next_read_at, self.clock.current + timedelta(hours=1))
        return recorded


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    with opened(tmp_path) as app:
        clock = app.clock
        assert isinstance(clock, FakeClock)
        yield Family(app, clock)


def opened(folder: Path, more: str = "") -> AbstractContextManager[App]:
    file = folder / "watcher.toml"
    file.write_text(CONFIGURATION.replace("{more}", more))
    file.chmod(0o600)
    return open_app(read_settings(file, {}), clock=FakeClock(START))


def test_reminders_come_in_the_evening_and_end_with_a_handover(family: Family) -> None:
    assert family.pass_by(timedelta(days=2)) == [(timedelta(days=1, hours=6), ChangeKind.LOOK_REMINDER)]
    assert family.hand_over() == [ChangeKind.CASE_ADDED]
    third_day = timedelta(days=2) + timedelta(days=3) + EVENING
    assert family.pass_by(timedelta(days=5)) == [(third_day, ChangeKind.LOOK_REMINDER)]
    family.hand_over()
    assert family.app.store.accounts.all()["family"][0].last_read_at == family.clock.current


def test_account_goes_blind_by_its_own_threshold_and_stalls_are_recorded_meanwhile(family: Family) -> None:
    family.hand_over()
    recorded = family.pass_by(timedelta(days=14))
    kinds = [kind for _, kind in recorded if kind is not ChangeKind.STALLED]
    assert kinds == [
        ChangeKind.LOOK_REMINDER,
        ChangeKind.LOOK_REMINDER,
        ChangeKind.BLIND,
        ChangeKind.LOOK_REMINDER,
    ]
    assert (timedelta(days=9) + EVENING, ChangeKind.BLIND) in recorded
    assert ChangeKind.STALLED in [kind for _, kind in recorded]
    assert family.hand_over() == [ChangeKind.RECOVERED]
    assert family.pass_by(timedelta(days=2)) == []


def test_reminder_names_the_days_and_the_site(family: Family) -> None:
    family.hand_over()
    family.pass_by(timedelta(days=3, hours=7))
    (alert,) = family.app.store.outbox.list(limit=1)
    assert alert.title == "USCIS: Not handed over for 3 days"
    assert "Open USCIS, sign in, and tap “Hand over”." in alert.body
    assert "https://myaccount.uscis.gov/sign-in" in alert.body


def test_finished_cases_need_no_handover(family: Family) -> None:
    family.hand_over()
    family.app.store.user.finish(RECEIPT, START)
    assert family.pass_by(timedelta(days=12)) == []


def test_pause_of_an_earlier_way_to_sign_in_ends(family: Family) -> None:
    accounts = family.app.store.accounts
    ended = replace(accounts.health("family", START), state=AccountState.SESSION_ENDED, failing_since=START)
    accounts.set_health("family", ended)
    family.pass_by(timedelta(days=1))
    assert accounts.all()["family"][0].state is AccountState.NEVER_READ
    family.hand_over()
    assert accounts.all()["family"][0].state is AccountState.OK


def test_reminders_more_often_than_daily_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsFaults, match='use "1d" or more'), opened(tmp_path, 'every = "4h"'):
        pass
    with pytest.raises(SettingsFaults, match="use one such as"), opened(tmp_path, 'remind_at = "6 pm"'):
        pass


@pytest.mark.parametrize(
    ("expires", "used", "ends"),
    [
        (None, None, timedelta(minutes=30)),
        (None, timedelta(hours=7, minutes=45), timedelta(hours=8)),
        (timedelta(minutes=10), None, timedelta(minutes=10)),
    ],
)
def test_end_of_a_session_is_that_of_its_cookies_and_of_the_limits_of_uscis(
    family: Family, expires: timedelta | None, used: timedelta | None, ends: timedelta
) -> None:
    app = family.app
    account, session = app.settings.accounts["family"], app.sessions.of("family")
    cookie = {
        "name": "session",
        "value": "made-up",
        "domain": "my.uscis.gov",
        "hostOnly": True,
        "path": "/",
        "secure": True,
        "httpOnly": True,
        "expires": None if expires is None else (START + expires).timestamp(),
    }
    session.save(dump_cookies([cookie], began_at=START))
    if used is not None:
        health = app.store.accounts.health("family", START)
        app.store.accounts.set_health("family", replace(health, last_attempt_at=START + used))
    note_session_end(account, find("uscis"), session, app.context)
    assert app.store.accounts.session_ends() == {"family": START + ends}
    app.forget_session("family")
    assert app.store.accounts.session_ends() == {}
