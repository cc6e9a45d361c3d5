"""`watcher export`, run for real."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import icalendar
import pytest

from tests.cli.practice_workspace import FIRST, PracticeWorkspace, practice_workspace
from tests.practice.visitor import START
from tests.support.workspace import Workspace

PLACE = "26 Federal Plaza"


@pytest.fixture
def family(tmp_path: Path) -> Iterator[PracticeWorkspace]:
    """Two cases read, one of them with an interview somewhere and a request for evidence."""
    with practice_workspace(tmp_path) as made:
        made.configure(totp_secret=made.portal.account.totp_secret)
        with made.app() as app:
            assert app.poll("family").outcome.value == "ok"
            case = made.portal.cases[FIRST]
            case.request_evidence(key="item-7", due_on=START.date())
            case.add_item("Interview", "=Come to the interview", starts_at=START.replace(tzinfo=None), place=PLACE)
            assert app.poll("family").changes
        yield made


def test_json_holds_cases_history_and_items_as_the_contract_has_them(family: PracticeWorkspace) -> None:
    said = family.run("export")
    assert set(said.json) == {"cases", "history", "items"}
    assert [case["case_number"] for case in said.json["cases"]] == [FIRST, "IOE0000000002"]
    assert said.json["cases"] == family.run("status", "--json").json["cases"]
    assert said.json["history"] == family.run("history", "--json").json["changes"]
    assert {item["place"] for item in said.json["items"]} == {PLACE, None}


def test_csv_is_one_table_that_no_spreadsheet_computes(family: PracticeWorkspace) -> None:
    for what, count in (("cases", 2), ("items", 2)):
        rows = list(csv.DictReader(io.StringIO(family.run("export", "--format", "csv", "--what", what).out)))
        assert len(rows) == count
    titles = {row["title"] for row in rows}
    assert any(title.startswith("'=") for title in titles)
    assert not any(title.startswith("=") for title in titles)


def test_a_masked_export_names_no_case_no_account_and_no_place(family: PracticeWorkspace) -> None:
    for arguments in (("--format", "json"), ("--format", "csv", "--what", "history"), ("--format", "ics")):
        whole = family.run("export", *arguments)
        masked = family.run("export", "--masked", *arguments)
        assert FIRST in whole.out
        for told in (FIRST, FIRST[3:], PLACE):
            assert told not in masked.out
    document = json.loads(family.run("export", "--masked").out)
    assert {case["account"] for case in document["cases"]} == {"account 1"}
    assert document["cases"][0]["case_number"] == "IOE••••••0001"
    assert {case["stage"] for case in document["cases"]} == {"evidence_requested", "received"}


def test_the_calendar_is_one_and_the_file_is_the_owners_alone(family: PracticeWorkspace) -> None:
    said = family.run("export", "--format", "ics", "--output", "deadlines.ics")
    assert said.out == ""
    file = family.folder / "deadlines.ics"
    assert file.stat().st_mode & 0o777 == 0o600
    calendar = icalendar.Calendar.from_ical(file.read_bytes())
    assert len(calendar.walk("VEVENT")) == 2
    assert [each.name for each in family.folder.iterdir() if each.name.endswith(".tmp")] == []


def test_what_cannot_be_done_is_wrong_usage(empty_workspace: Workspace) -> None:
    empty_workspace.write()
    for arguments in (("--format", "ics", "--what", "items"), ("--format", "xml"), ("--output", "no/such/folder.json")):
        empty_workspace.run("export", *arguments, expect=(2,))
