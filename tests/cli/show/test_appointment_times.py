"""Appointments in the zone of the account's office, in every text, document, and calendar."""

from datetime import UTC, date, datetime
from pathlib import Path

import icalendar
import pytest

from tests.support.workspace import Workspace
from watcher.model.appointment_time import AppointmentTime, Day, Moment, WallTime
from watcher.model.case import ItemKind, PendingItem, Snapshot
from watcher.portal import CaseRead
from watcher.portals import find
from watcher.reading.poll import record_results

NUMBER = "IOE0000000001"
CONFIG = f"""
[accounts.family]
portal = "manual"
site = "egov"
cases = ["{NUMBER}"]
timezone = "Pacific/Honolulu"

[channels.phone]
url = "json://127.0.0.1:9/"
privacy = "full"
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(folder=tmp_path)
    workspace.write(CONFIG)
    return workspace


def record(workspace: Workspace, *times: AppointmentTime) -> None:
    items = tuple(
        PendingItem(key=f"letter-{number}", kind=ItemKind.INTERVIEW, title="Appointment Scheduled", starts_at=when)
        for number, when in enumerate(times)
    )
    with workspace.app() as app:
        account = app.settings.accounts["family"]
        for pending in ((), items):
            snapshot = Snapshot(case_number=NUMBER, status="Case Was Received", pending=pending)
            record_results([CaseRead(snapshot=snapshot)], account, find("manual"), app.context)


def alert(workspace: Workspace) -> tuple[str, str]:
    with workspace.app() as app:
        [newest] = [alert for alert in app.store.outbox.list() if "nterview" in alert.title]
        return newest.title, newest.body


def starts_in_calendar(workspace: Workspace) -> date | datetime:
    content = workspace.run("export", "--format", "ics").out
    [event] = icalendar.Calendar.from_ical(content).walk("VEVENT")
    start: date | datetime = event.decoded("dtstart")
    return start


def test_moment_is_shown_in_the_zone_of_the_office_with_its_name(workspace: Workspace) -> None:
    instant = datetime(2036, 7, 10, 1, 0, tzinfo=UTC)
    record(workspace, Moment(instant))
    title, body = alert(workspace)
    assert title.endswith("Interview scheduled, Wed, July 9, 3:00 PM HST")
    assert "Wednesday, July 9, 2036, 3:00 PM HST" in body
    assert "Wednesday, July 9, 2036, 3:00 PM HST" in workspace.run("history").out
    assert "Wed, July 9, 3:00 PM HST" in workspace.run("pending").out
    assert starts_in_calendar(workspace) == instant
    [item] = workspace.run("pending", "--json").json["pending"]
    assert (item["starts_at"], item["starts_on"]) == ("2036-07-10T01:00:00Z", None)


def test_wall_clock_time_is_not_converted_and_has_no_zone(workspace: Workspace) -> None:
    wall = datetime(2036, 7, 9, 15, 0)  # noqa: DTZ001 - the portal states no zone
    record(workspace, WallTime(wall))
    title, body = alert(workspace)
    assert title.endswith("Interview, Wed, July 9, 3:00 PM local time")
    assert "3:00 PM" in body
    assert "HST" not in body
    assert "Wed, July 9, 3:00 PM " in workspace.run("pending").out
    assert starts_in_calendar(workspace) == wall
    [item] = workspace.run("pending", "--json").json["pending"]
    assert (item["starts_at"], item["starts_on"]) == ("2036-07-09T15:00:00", None)


def test_day_has_no_hour(workspace: Workspace) -> None:
    record(workspace, Day(date(2036, 7, 9)))
    title, body = alert(workspace)
    assert title.endswith("Interview scheduled, Wed, July 9")
    assert "Wednesday, July 9, 2036 (see your notice for the time)" in body
    assert ":00" not in title + body
    assert starts_in_calendar(workspace) == date(2036, 7, 9)
    [item] = workspace.run("pending", "--json").json["pending"]
    assert (item["starts_at"], item["starts_on"]) == (None, "2036-07-09")


def test_competing_letters_are_both_shown_and_said_to_compete(workspace: Workspace) -> None:
    record(workspace, *(Moment(datetime(2036, 7, day, 19, tzinfo=UTC)) for day in (10, 9)))
    _, body = alert(workspace)
    assert "Wednesday, July 9, 2036, 9:00 AM HST; Thursday, July 10, 2036, 9:00 AM HST. They compete" in body
    assert len(workspace.run("pending", "--json").json["pending"]) == 2


def test_appointment_that_is_over_does_not_compete(workspace: Workspace) -> None:
    record(workspace, *(Moment(datetime(year, 7, 9, 19, tzinfo=UTC)) for year in (2016, 2036)))
    assert "compete" not in alert(workspace)[1]
