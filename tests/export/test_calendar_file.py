"""Updates of `calendar_file`."""

import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from icalendar import Calendar

from tests.portals.context import FakeClock
from watcher.app import App, open_app
from watcher.context.opening import read_settings
from watcher.daemon.daemon import Daemon
from watcher.export.calendar_file import update_calendar_file
from watcher.model.case import ItemKind, PendingItem, Snapshot
from watcher.portal import CaseRead
from watcher.portals import find
from watcher.reading.poll import record_results

NUMBER = "IOE0000000001"
DUE = date(2027, 1, 15)


@dataclass
class CalendarSetup:
    """A case with a due date, and the calendar file."""

    app: App
    file: Path

    def read(self, due_on: date = DUE) -> None:
        item = PendingItem(key="rfe-1", kind=ItemKind.RFE, title="Send the evidence", due_on=due_on)
        snapshot = Snapshot(case_number=NUMBER, status="Request for Evidence Was Sent", pending=(item,))
        account = self.app.settings.accounts["family"]
        record_results([CaseRead(snapshot=snapshot)], account, find("manual"), self.app.context)

    def days(self) -> list[date]:
        """Return the due dates in the file, as parsed by a calendar library."""
        events = Calendar.from_ical(self.file.read_bytes()).walk("VEVENT")
        return [event.decoded("dtstart") for event in events]


@pytest.fixture
def setup(tmp_path: Path) -> Iterator[CalendarSetup]:
    file = tmp_path / "watcher.toml"
    file.write_text(
        'timezone = "America/New_York"\nstate_dir = "state"\ncalendar_file = "shared/deadlines.ics"\n'
        f'[accounts.family]\nportal = "manual"\nsite = "egov"\ncases = ["{NUMBER}"]\n'
    )
    (tmp_path / "shared").mkdir()
    with open_app(read_settings(file, {}), clock=FakeClock()) as app:
        yield CalendarSetup(app, tmp_path / "shared" / "deadlines.ics")


def test_file_is_private_and_written_only_after_a_change(setup: CalendarSetup) -> None:
    setup.read()
    assert update_calendar_file(setup.app.context)
    assert setup.days() == [DUE]
    assert stat.S_IMODE(setup.file.stat().st_mode) == 0o600
    written = setup.file.stat().st_mtime_ns
    assert not update_calendar_file(setup.app.context)
    assert setup.file.stat().st_mtime_ns == written
    setup.read(DUE + timedelta(days=7))
    assert update_calendar_file(setup.app.context)
    assert setup.days() == [DUE + timedelta(days=7)]
    assert [file.name for file in setup.file.parent.iterdir()] == [setup.file.name]


def test_nothing_is_written_without_the_setting(setup: CalendarSetup) -> None:
    app = setup.app.with_settings(setup.app.settings.model_copy(update={"calendar_file": None}))
    assert not update_calendar_file(app.context)
    assert not setup.file.exists()


def test_file_that_cannot_be_written_is_not_an_error(setup: CalendarSetup) -> None:
    setup.read()
    setup.file.mkdir()
    assert not update_calendar_file(setup.app.context)
    assert [file.name for file in setup.file.parent.iterdir()] == [setup.file.name]


def test_daemon_updates_the_file(setup: CalendarSetup) -> None:
    setup.read()
    daemon = Daemon(setup.app)
    daemon.start()
    try:
        deadline = time.monotonic() + 30
        while not setup.file.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert setup.days() == [DUE]
    finally:
        daemon.stop()
