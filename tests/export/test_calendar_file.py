"""`calendar_file`: kept up to date on disk by every way in which something becomes known."""

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
class Desk:
    """A case with a date, and the calendar that a person's calendar program reads."""

    app: App
    file: Path

    def read(self, due_on: date = DUE) -> None:
        item = PendingItem(key="rfe-1", kind=ItemKind.RFE, title="Send the evidence", due_on=due_on)
        snapshot = Snapshot(case_number=NUMBER, status="Request for Evidence Was Sent", pending=(item,))
        account = self.app.settings.accounts["family"]
        record_results([CaseRead(snapshot=snapshot)], account, find("manual"), self.app.context)

    def days(self) -> list[date]:
        """The due dates in the file, as a calendar program sees them."""
        events = Calendar.from_ical(self.file.read_bytes()).walk("VEVENT")
        return [event.decoded("dtstart") for event in events]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    file = tmp_path / "watcher.toml"
    file.write_text(
        'timezone = "America/New_York"\nstate_dir = "state"\ncalendar_file = "shared/deadlines.ics"\n'
        f'[accounts.family]\nportal = "manual"\nsite = "egov"\ncases = ["{NUMBER}"]\n'
    )
    (tmp_path / "shared").mkdir()
    with open_app(read_settings(file, {}), clock=FakeClock()) as app:
        yield Desk(app, tmp_path / "shared" / "deadlines.ics")


def test_it_is_written_for_its_owner_alone_and_only_when_something_moved(desk: Desk) -> None:
    desk.read()
    assert update_calendar_file(desk.app.context)
    assert desk.days() == [DUE]
    assert stat.S_IMODE(desk.file.stat().st_mode) == 0o600
    written = desk.file.stat().st_mtime_ns
    assert not update_calendar_file(desk.app.context)
    assert desk.file.stat().st_mtime_ns == written
    desk.read(DUE + timedelta(days=7))
    assert update_calendar_file(desk.app.context)
    assert desk.days() == [DUE + timedelta(days=7)]
    assert [each.name for each in desk.file.parent.iterdir()] == [desk.file.name]


def test_without_the_key_nothing_is_written(desk: Desk) -> None:
    app = desk.app.with_settings(desk.app.settings.model_copy(update={"calendar_file": None}))
    assert not update_calendar_file(app.context)
    assert not desk.file.exists()


def test_a_place_that_cannot_be_written_to_ends_nothing(desk: Desk) -> None:
    desk.read()
    desk.file.mkdir()
    assert not update_calendar_file(desk.app.context)
    assert [each.name for each in desk.file.parent.iterdir()] == [desk.file.name]


def test_the_daemon_keeps_it(desk: Desk) -> None:
    desk.read()
    daemon = Daemon(desk.app)
    daemon.start()
    try:
        until = time.monotonic() + 30
        while not desk.file.exists() and time.monotonic() < until:
            time.sleep(0.02)
        assert desk.days() == [DUE]
    finally:
        daemon.stop()
