"""`watcher export` as a real command."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import icalendar
import pytest

from tests.cli.office_workspace import OfficeWorkspace
from tests.cli.practice_workspace import FIRST, PracticeWorkspace, practice_workspace
from tests.practice.visitor import START
from tests.support.workspace import Workspace
from watcher.model.case import Snapshot

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
    for arguments in (
        ("--format", "ics", "--what", "items"),
        ("--format", "xml"),
        ("--format", "md"),
        ("--output", "no/such/folder.json"),
    ):
        empty_workspace.run("export", *arguments, expect=(2,))


@pytest.fixture
def labelled(tmp_path: Path) -> OfficeWorkspace:
    """Return a workspace with a labelled case of a person, with a note and a reminder, and another case."""
    workspace = OfficeWorkspace(folder=tmp_path)
    workspace.configure()
    workspace.check(
        *(Snapshot(case_number=number, form="I-485", status="Case Was Received") for number in (FIRST, "IOE0000000002"))
    )
    workspace.run("label", FIRST, "=Green card", "--person", "Maria Sample")
    workspace.run("note", FIRST, "Called the lawyer")
    workspace.run("remind", FIRST, (datetime.now(UTC) + timedelta(days=90)).date().isoformat(), "Passport expires")
    return workspace


def test_labels_notes_and_reminders_are_in_every_format(labelled: OfficeWorkspace) -> None:
    document = labelled.run("export").json
    assert {(case["label"], case["person"], case["finished"]) for case in document["cases"]} == {
        ("=Green card", "Maria Sample", False),
        (None, None, False),
    }
    assert [change["new"]["text"] for change in document["history"] if change["kind"] == "note"] == [
        "Called the lawyer"
    ]
    assert [(item["kind"], item["title"]) for item in document["items"]] == [("reminder", "Passport expires")]
    for what in ("cases", "history", "items"):
        rows = list(csv.DictReader(io.StringIO(labelled.run("export", "--format", "csv", "--what", what).out)))
        of_first = [row for row in rows if row["case_number"] == FIRST]
        assert {(row["label"], row["person"]) for row in of_first} == {("'=Green card", "Maria Sample")}
    assert "Passport expires" in labelled.run("export", "--format", "ics").out


def test_one_case_is_exported_alone(labelled: OfficeWorkspace) -> None:
    document = labelled.run("export", "--case", "=green card").json
    for rows in document.values():
        assert {row["case_number"] for row in rows} == {FIRST}
    assert len(labelled.run("export", "--case", "IOE0000000002", "--format", "csv").out.splitlines()) == 2


@pytest.mark.parametrize("form", ["md", "html"])
def test_case_on_paper_has_what_the_user_said_unless_it_is_masked(labelled: OfficeWorkspace, form: str) -> None:
    private = ("Green card", "Maria Sample", "Called the lawyer", "Passport expires", FIRST)
    labelled.run("export", "--case", FIRST, "--format", form, "--output", "case.txt")
    file = labelled.folder / "case.txt"
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text(encoding="utf-8")
    assert [part for part in private if part not in text] == []
    masked = labelled.run("export", "--case", FIRST, "--format", form, "--masked").out
    assert [part for part in private if part in masked] == []
    for both in (text, masked):
        assert "Case Was Received" in both
