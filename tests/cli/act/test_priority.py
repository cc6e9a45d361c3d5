"""`watcher priority`, and what `status`, `doctor`, and alerts say about published lists, as real commands."""

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.cli.api_workspace import RECEIPT, ApiWorkspace
from tests.doubles.loopback import reply, serve
from tests.reference.lists import cell, data_set
from watcher.model.priority import Priority
from watcher.reference.visa_bulletin import month_of, year_before

SET = ("--category", "EB-2", "--country", "in", "--date", "2014-01-15")
MONTH = month_of(datetime.now(UTC).date())
LISTS = '[reference]\nvisa_bulletin = "bulletin.json"\nfiling_chart = "charts.csv"\ninquiry_dates = "inquiry.csv"\n'


def write_lists(workspace: ApiWorkspace, value: str, *, month: str = MONTH) -> None:
    """Write the bulletin with a cutoff, and configure it beside a list of inquiry dates that lets every case ask."""
    rows = [cell(year_before(month), "2013-01-01"), cell(month, value), cell(month, "C", chart="dates_for_filing")]
    (workspace.folder / "bulletin.json").write_bytes(data_set(*rows))
    charts = f"bulletin,kind,chart\n{month},employment,dates_for_filing\n"
    (workspace.folder / "charts.csv").write_text(charts, encoding="utf-8")
    inquiry = "form,subtype,office,inquiry_date\nI-130,,,2026-01-01\n"
    (workspace.folder / "inquiry.csv").write_text(inquiry, encoding="utf-8")
    workspace.configure(LISTS)


def test_priority_date_is_set_shown_and_cleared(workspace: ApiWorkspace) -> None:
    result = workspace.run("priority", RECEIPT, *SET)
    assert result.out.startswith(f"{RECEIPT}: priority date 2014-01-15 (EB2, India).\n")
    assert "Name the visa bulletin in the section [reference]" in result.out
    with workspace.app() as app:
        expected = Priority(category="EB2", country="IN", day=date(2014, 1, 15))
        assert app.store.user_case(RECEIPT).priority == expected
    workspace.run("label", RECEIPT, "Green card")
    assert workspace.run("priority", "Green card", "--clear").out == f"Green card ({RECEIPT}) has no priority date.\n"
    with workspace.app() as app:
        assert (app.store.user_case(RECEIPT).priority, app.store.user_case(RECEIPT).label) == (None, "Green card")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "Enter --category, --country, and --date, or --clear."),
        (("--clear", "--date", "2014-01-15"), "Enter --clear alone"),
        (("--category", "EB9", *SET[2:]), "'EB9' is not a category of the visa bulletin. Categories: F1, F2A"),
        ((*SET[:2], "--country", "India", *SET[4:]), "'India' is not a country."),
        ((*SET[:4], "--date", "15/01/2014"), "is not a date. Use YYYY-MM-DD"),
        ((*SET[:4], "--date", "2114-01-15"), "2114-01-15 cannot be a priority date."),
    ],
)
def test_wrong_arguments_are_explained(workspace: ApiWorkspace, arguments: tuple[str, ...], problem: str) -> None:
    assert problem in " ".join(workspace.run("priority", RECEIPT, *arguments, expect=(2,)).err.split())


def test_place_in_line_is_shown_by_priority_status_and_json(workspace: ApiWorkspace) -> None:
    workspace.check()
    write_lists(workspace, "2013-07-01")
    set_priority = workspace.run("priority", RECEIPT, *SET).out
    shown = " ".join(workspace.run("status", RECEIPT).out.split())
    for sentence in (
        f"Not current: 2014-01-15 is 198 days after the cutoff 2013-07-01 in the bulletin for {MONTH} (bulletin.json).",
        f"The cutoff moved forward by 181 days in the last 12 bulletins, up to {MONTH} (bulletin.json).",
        f"would take 14 months. This is arithmetic, not a forecast (bulletin for {MONTH}, bulletin.json).",
        f"Dates for Filing: Current for every priority date in the bulletin for {MONTH} (bulletin.json).",
        "USCIS accepts the chart Dates for Filing (charts.csv).",
    ):
        assert sentence in shown
        assert sentence in " ".join(set_priority.split())
    assert "Priority date 2014-01-15 (EB2, India)" in shown
    (case,) = workspace.run("status", RECEIPT, "--json").json["cases"]
    assert case["priority"] == {"category": "EB2", "country": "IN", "date": "2014-01-15"}
    place = case["place_in_line"]
    assert (place["bulletin"], place["accepted_chart"], place["old"]) == (MONTH, "dates_for_filing", False)
    (final,) = (chart for chart in place["charts"] if chart["chart"] == "final_action")
    assert final == {
        "chart": "final_action",
        "column": "IN",
        "cutoff": "date",
        "cutoff_on": "2013-07-01",
        "current": False,
        "days_behind": 198,
        "moved_days_in_12_bulletins": 181,
        "months_at_this_pace": 14,
    }


def test_check_sends_an_alert_when_the_date_becomes_current_and_when_it_goes_back(workspace: ApiWorkspace) -> None:
    workspace.check()
    write_lists(workspace, "2014-01-15")
    workspace.run("priority", RECEIPT, *SET)
    for value, title in (("2014-01-16", "Priority date is current"), ("U", "Priority date is no longer current")):
        workspace.phone.requests.clear()
        write_lists(workspace, value)
        workspace.run("check")
        assert any(title in message["title"] for message in workspace.phone.messages)
        workspace.phone.requests.clear()
        workspace.run("check")
        assert workspace.phone.messages == []
    kinds = [change["kind"] for change in workspace.run("history", RECEIPT, "--json").json["changes"]]
    assert kinds.count("priority_back") == 1
    assert kinds.count("priority_current") == 2  # one for each chart


def test_check_fetches_the_bulletin_from_an_address(workspace: ApiWorkspace) -> None:
    workspace.check()
    with serve(lambda _: reply(200, data_set(cell(MONTH, "C")))) as server:
        workspace.configure(f'[reference]\nvisa_bulletin = "{server.origin}/bulletin.json"\n')
        workspace.run("priority", RECEIPT, *SET)
        workspace.run("check")
        workspace.run("check")
        assert [request.target for request in server.requests] == ["/bulletin.json"]
    assert f"Current for every priority date in the bulletin for {MONTH} (127.0.0.1)." in " ".join(
        workspace.run("status", RECEIPT).out.split()
    )


def test_status_and_doctor_say_that_a_list_is_old_or_damaged(workspace: ApiWorkspace) -> None:
    workspace.check()
    write_lists(workspace, "C", month=year_before(MONTH))
    (workspace.folder / "charts.csv").write_text("<html>", encoding="utf-8")
    doctor = workspace.run("doctor", "--offline", "--json", expect=(0, 1)).json
    text = " ".join(f"{finding['about']}: {finding['told']}" for finding in doctor["findings"])
    status = " ".join(workspace.run("status").out.split())
    for said in (text, status):
        assert "The visa bulletin is out of date (bulletin.json, saved on" in said
        assert "The list of filing charts cannot be read: it is not a list with the columns" in said
    assert "[reference] inquiry_dates: " in text
    assert "1 line, 0 without a usable date" in text


def test_missing_file_is_said_and_ends_no_command(workspace: ApiWorkspace) -> None:
    workspace.configure(LISTS)
    workspace.check()
    assert "no such file or directory (inquiry.csv)" in " ".join(workspace.run("status").out.split())
    workspace.run("check")
    assert [change["kind"] for change in workspace.run("history", "--json").json["changes"]].count("list_failing") == 3


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (
            "https://travel.state.gov/bulletin.html",
            "travel.state.gov does not answer programs. Name an open data set",
        ),
        ("https://adoption.state.gov/list.json", "adoption.state.gov does not answer programs."),
        ("https://EGOV.uscis.gov/processing-times/", "egov.uscis.gov does not answer programs. Copy what applies"),
        ("https://www.ireland.ie/list.csv", "www.ireland.ie does not answer programs."),
        ("http://data.example.org/list.json", "http is allowed for this machine only"),
        ("ftp://data.example.org/list.json", "http is allowed for this machine only"),
        ("https://user@data.example.org/list.json", "must not have a user name"),
    ],
)
def test_walled_and_unsafe_addresses_are_refused(workspace: ApiWorkspace, source: str, problem: str) -> None:
    workspace.configure(f'[reference]\nvisa_bulletin = "{source}"\n')
    result = workspace.run("status", expect=(2,))
    assert "reference.visa_bulletin: " in result.err
    assert problem in result.err


def test_value_that_is_no_text_is_a_fault(workspace: ApiWorkspace) -> None:
    workspace.configure("[reference]\ninquiry_dates = 5\n")
    assert "must be a file or an https address in text" in workspace.run("status", expect=(2,)).err


def test_file_is_dated_by_the_day_on_which_it_was_saved(workspace: ApiWorkspace) -> None:
    workspace.check()
    write_lists(workspace, "C")
    saved = datetime(2026, 10, 1, 12, tzinfo=UTC)
    os.utime(workspace.folder / "inquiry.csv", (saved.timestamp(), saved.timestamp()))
    (case,) = workspace.run("status", "--json").json["cases"]
    assert case["inquiry"]["as_of"] == "2026-10-01"
    assert Path(workspace.folder / "inquiry.csv").exists()
