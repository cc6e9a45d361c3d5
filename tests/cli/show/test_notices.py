"""`watcher notices` and `watcher export --notices` as real commands, after a portal has offered letters."""

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
    """Yield two cases with a saved letter each, and a third letter that the portal cannot show."""
    workspace = Workspace(folder=tmp_path)
    with PracticePortal(SystemClock(), account=Account(totp_secret=None)) as portal:
        portal.cases.add(NUMBER, form="I-485").add_notice("Interview")
        portal.cases.add(OTHER).add_notice("Approval")
        broken = portal.cases[OTHER].add_notice("Broken")
        portal.faults.throw(Fault.SERVER_ERROR, path=f"/notices/{broken}.pdf")
        workspace.write(page_account(portal))
        with workspace.app() as app:
            app.poll("family")
        yield Letters(workspace, portal)


def test_list_shows_where_letters_are_saved_and_why_one_is_not(letters: Letters) -> None:
    result = letters.run("notices")
    lines = result.out.splitlines()
    assert lines[0].split() == ["LETTER", "CASE", "DATED", "TITLE", "SAVED", "AS"]
    (interview,) = [line for line in lines if "Interview" in line]
    assert f"notices/family/{NUMBER}/" in interview
    (broken,) = [line for line in lines if "Broken" in line]
    assert "HTTP 500" in broken


def test_retry_downloads_failed_letters_again(letters: Letters) -> None:
    letters.portal.faults.clear()
    assert letters.run("notices", "retry").out.startswith("1 letter will be downloaded")
    letters.run("check")
    assert all(notice["saved_as"] for notice in letters.run("notices", "--json").json["notices"])
    assert letters.run("notices", "retry").out.strip() == "No download has failed."


def test_letters_of_one_case_are_listed_as_json(letters: Letters) -> None:
    notices = letters.run("notices", "eac 9999-000001", "--json").json["notices"]
    assert [(notice["case_number"], notice["title"]) for notice in notices] == [(NUMBER, "Interview")]
    assert set(notices[0]) == {"id", "account", "case_number", "title", "dated", "saved_as", "sha256"}
    assert len(letters.run("notices", "--json").json["notices"]) == 3
    status = letters.run("status", "--json").json
    assert {notice["sha256"] for case in status["cases"] for notice in case["notices"]} >= {notices[0]["sha256"]}


def test_config_option_is_accepted_before_and_after_the_case(letters: Letters) -> None:
    config = str(letters.workspace.config)
    assert "Interview" in letters.run("notices", "--config", config).out
    assert "Interview" in letters.run("notices", "--config", config, NUMBER).out
    assert "Interview" in letters.run("notices", NUMBER, "--config", config).out


def test_open_prints_the_path_of_the_letter(letters: Letters) -> None:
    (notice,) = letters.run("notices", NUMBER, "--json").json["notices"]
    result = letters.run("notices", "open", notice["id"])
    file = Path(result.out.strip())
    assert file.read_bytes().startswith(b"%PDF-")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("notices", "open", "99"), "There is no letter 99"),
        (("notices", "open", "x"), "ID"),
        (("notices", "IOE0000000009"), "Case IOE0000000009 is not being watched"),
        (("export", "--notices", "letters.zip", "--masked"), "--notices exports only the letters"),
        (("export", "--notices", "nowhere/letters.zip"), "No such file"),
    ],
)
def test_wrong_usage_is_explained(letters: Letters, arguments: tuple[str, ...], reason: str) -> None:
    result = letters.run(*arguments, expect=(2,))
    assert reason in result.err


def test_letter_that_is_unsaved_or_missing_cannot_be_opened(letters: Letters) -> None:
    notices = {notice["title"]: notice for notice in letters.run("notices", "--json").json["notices"]}
    result = letters.run("notices", "open", notices["Broken"]["id"], expect=(1,))
    assert "is not saved" in result.err
    (letters.workspace.state / notices["Interview"]["saved_as"]).unlink()
    result = letters.run("notices", "open", notices["Interview"]["id"], expect=(1,))
    assert "no longer exists" in result.err


def test_archive_contains_every_saved_letter_by_account_and_case(letters: Letters) -> None:
    result = letters.run("export", "--notices", "letters.zip")
    assert result.out == ""
    file = letters.workspace.folder / "letters.zip"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with ZipFile(file) as archive:
        assert archive.testzip() is None
        names = sorted(archive.namelist())
        assert [os.path.dirname(name) for name in names] == [f"family/{NUMBER}", f"family/{OTHER}"]  # noqa: PTH120
        assert all(archive.read(name).startswith(b"%PDF-") for name in names)
    assert sorted(file.name for file in letters.workspace.folder.glob("*.zip*")) == ["letters.zip"]


def test_missing_letter_is_reported_by_the_archive(letters: Letters) -> None:
    (notice,) = letters.run("notices", NUMBER, "--json").json["notices"]
    (letters.workspace.state / notice["saved_as"]).unlink()
    result = letters.run("export", "--notices", "letters.zip")
    assert f"{notice['saved_as']} no longer exists" in result.err
    with ZipFile(letters.workspace.folder / "letters.zip") as archive:
        assert len(archive.namelist()) == 1


def test_no_letters_is_reported(empty_workspace: Workspace) -> None:
    empty_workspace.write()
    assert empty_workspace.run("notices").out.strip() == "No letters yet."
    assert empty_workspace.run("notices", "--json").json == {"notices": []}
