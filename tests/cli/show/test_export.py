"""`watcher export` as a real command."""

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
    """Yield a workspace with two checked cases. One has an interview at a place and a request for evidence."""
    with practice_workspace(tmp_path) as workspace:
        workspace.configure(totp_secret=workspace.portal.account.totp_secret)
        with workspace.app() as app:
            assert app.poll("family").outcome.value == "ok"
            case = workspace.portal.cases[FIRST]
            case.request_evidence(key="item-7", due_on=START.date())
            case.add_item("Interview", "=Come to the interview", starts_at=START.replace(tzinfo=None), place=PLACE)
            assert app.poll("family").changes
        yield workspace


def test_json_contains_cases_history_and_items_as_documented(family: PracticeWorkspace) -> None:
    result = family.run("export")
    assert set(result.json) == {"cases", "history", "items"}
    assert [case["case_number"] for case in result.json["cases"]] == [FIRST, "IOE0000000002"]
    assert result.json["cases"] == family.run("status", "--json").json["cases"]
    assert result.json["history"] == family.run("history", "--json").json["changes"]
    assert {item["place"] for item in result.json["items"]} == {PLACE, None}


def test_csv_is_one_table_without_formulas(family: PracticeWorkspace) -> None:
    for what, count in (("cases", 2), ("items", 2)):
        rows = list(csv.DictReader(io.StringIO(family.run("export", "--format", "csv", "--what", what).out)))
        assert len(rows) == count
    titles = {row["title"] for row in rows}
    assert any(title.startswith("'=") for title in titles)
    assert not any(title.startswith("=") for title in titles)


def test_masked_export_contains_no_case_number_account_or_place(family: PracticeWorkspace) -> None:
    for arguments in (("--format", "json"), ("--format", "csv", "--what", "history"), ("--format", "ics")):
        unmasked = family.run("export", *arguments)
        masked = family.run("export", "--masked", *arguments)
        assert FIRST in unmasked.out
        for private in (FIRST, FIRST[3:], PLACE):
            assert private not in masked.out
    document = json.loads(family.run("export", "--masked").out)
    assert {case["account"] for case in document["cases"]} == {"account 1"}
    assert document["cases"][0]["case_number"] == "IOE••••••0001"
    assert {case["stage"] for case in document["cases"]} == {"evidence_requested", "received"}


def test_calendar_is_valid_and_private(family: PracticeWorkspace) -> None:
    result = family.run("export", "--format", "ics", "--output", "deadlines.ics")
    assert result.out == ""
    file = family.folder / "deadlines.ics"
    assert file.stat().st_mode & 0o777 == 0o600
    calendar = icalendar.Calendar.from_ical(file.read_bytes())
    assert len(calendar.walk("VEVENT")) == 2
    assert [file.name for file in family.folder.iterdir() if file.name.endswith(".tmp")] == []


def test_impossible_options_are_wrong_usage(empty_workspace: Workspace) -> None:
    empty_workspace.write()
    for arguments in (("--format", "ics", "--what", "items"), ("--format", "xml"), ("--output", "no/such/folder.json")):
        empty_workspace.run("export", *arguments, expect=(2,))
