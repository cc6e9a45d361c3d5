"""`watcher notices` and `watcher export --notices`, run for real after a portal has offered letters."""

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.webhook_workspace import page_account
from tests.support.workspace import CommandResult, Workspace
from watcher.clock import SystemClock
from watcher.practice import Account, Fault, PracticePortal

NUMBER, OTHER = "EAC9999000001", "EAC9999000002"


@dataclass
class Letters:
    workspace: Workspace
    portal: PracticePortal

    def run(self, *arguments: str, expect: Collection[int] = (0,)) -> CommandResult:
        return self.workspace.run(*arguments, expect=expect)


@pytest.fixture
def letters(tmp_path: Path) -> Iterator[Letters]:
    """Two cases with a letter each, both saved; a third letter that the portal cannot show."""
    workspace = Workspace(folder=tmp_path)
    with PracticePortal(SystemClock(), account=Account(totp_secret=None)) as portal:
        portal.cases.add(NUMBER, form="I-485").add_notice("Interview")
        portal.cases.add(OTHER).add_notice("Approval")
        bad = portal.cases[OTHER].add_notice("Broken")
        portal.faults.throw(Fault.SERVER_ERROR, path=f"/notices/{bad}.pdf")
        workspace.write(page_account(portal))
        with workspace.app() as app:
            app.poll("family")
        yield Letters(workspace, portal)


def test_the_list_says_what_is_saved_where_and_what_is_not_and_why(letters: Letters) -> None:
    said = letters.run("notices")
    lines = said.out.splitlines()
    assert lines[0].split() == ["NOTICE", "CASE", "DATED", "TITLE", "SAVED", "AS"]
    (interview,) = [line for line in lines if "Interview" in line]
    assert f"notices/family/{NUMBER}/" in interview
    (broken,) = [line for line in lines if "Broken" in line]
    assert "HTTP 500" in broken


def test_retry_takes_up_what_failed(letters: Letters) -> None:
    letters.portal.faults.clear()
    assert letters.run("notices", "retry").out.startswith("1 to be tried again")
    letters.run("check")
    assert all(each["saved_as"] for each in letters.run("notices", "--json").json["notices"])
    assert letters.run("notices", "retry").out.strip() == "None has failed."


def test_it_lists_those_of_one_case_and_as_json(letters: Letters) -> None:
    found = letters.run("notices", "eac 9999-000001", "--json").json["notices"]
    assert [(each["case_number"], each["title"]) for each in found] == [(NUMBER, "Interview")]
    assert set(found[0]) == {"id", "account", "case_number", "title", "dated", "saved_as", "sha256"}
    assert len(letters.run("notices", "--json").json["notices"]) == 3
    status = letters.run("status", "--json").json
    assert {each["sha256"] for case in status["cases"] for each in case["notices"]} >= {found[0]["sha256"]}


def test_the_configuration_may_be_named_before_and_after_the_case(letters: Letters) -> None:
    config = str(letters.workspace.config)
    assert "Interview" in letters.run("notices", "--config", config).out
    assert "Interview" in letters.run("notices", "--config", config, NUMBER).out
    assert "Interview" in letters.run("notices", NUMBER, "--config", config).out


def test_open_prints_where_the_letter_lies(letters: Letters) -> None:
    (kept,) = letters.run("notices", NUMBER, "--json").json["notices"]
    said = letters.run("notices", "open", kept["id"])
    file = Path(said.out.strip())
    assert file.read_bytes().startswith(b"%PDF-")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("notices", "open", "99"), "there is no notice 99"),
        (("notices", "open", "x"), "ID"),
        (("notices", "IOE0000000009"), "no case IOE0000000009"),
        (("export", "--notices", "letters.zip", "--masked"), "--notices writes the letters as they are"),
        (("export", "--notices", "nowhere/letters.zip"), "No such file"),
    ],
)
def test_wrong_usage_says_what_is_wrong(letters: Letters, arguments: tuple[str, ...], reason: str) -> None:
    said = letters.run(*arguments, expect=(2,))
    assert reason in said.err


def test_a_letter_that_is_not_saved_or_gone_cannot_be_opened(letters: Letters) -> None:
    found = {each["title"]: each for each in letters.run("notices", "--json").json["notices"]}
    said = letters.run("notices", "open", found["Broken"]["id"], expect=(1,))
    assert "is not saved" in said.err
    (letters.workspace.state / found["Interview"]["saved_as"]).unlink()
    said = letters.run("notices", "open", found["Interview"]["id"], expect=(1,))
    assert "is gone" in said.err


def test_the_archive_holds_every_saved_letter_by_account_and_case(letters: Letters) -> None:
    said = letters.run("export", "--notices", "letters.zip")
    assert said.out == ""
    file = letters.workspace.folder / "letters.zip"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with ZipFile(file) as archive:
        assert archive.testzip() is None
        names = sorted(archive.namelist())
        assert [os.path.dirname(name) for name in names] == [f"family/{NUMBER}", f"family/{OTHER}"]  # noqa: PTH120
        assert all(archive.read(name).startswith(b"%PDF-") for name in names)
    assert sorted(each.name for each in letters.workspace.folder.glob("*.zip*")) == ["letters.zip"]


def test_the_archive_says_which_letter_is_gone(letters: Letters) -> None:
    (kept,) = letters.run("notices", NUMBER, "--json").json["notices"]
    (letters.workspace.state / kept["saved_as"]).unlink()
    said = letters.run("export", "--notices", "letters.zip")
    assert f"{kept['saved_as']} is gone" in said.err
    with ZipFile(letters.workspace.folder / "letters.zip") as archive:
        assert len(archive.namelist()) == 1


def test_without_letters_there_is_nothing_to_list(empty_workspace: Workspace) -> None:
    empty_workspace.write()
    assert empty_workspace.run("notices").out.strip() == "No notice has been seen yet."
    assert empty_workspace.run("notices", "--json").json == {"notices": []}
