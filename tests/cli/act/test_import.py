"""`watcher import` as a real command, with answers that a person saved from the portal's pages."""

import json
import os
from pathlib import Path

from tests.cli.api_workspace import ApiWorkspace
from tests.doubles.uscis_answers import RECEIPT, case, request
from tests.support.workspace import Workspace

ACCOUNT = '[stall]\nafter = "0"\n[accounts.family]\nportal = "uscis"\n'


def save_answer(empty_workspace: Workspace, file_name: str = "case.json", *, requests: int = 0) -> str:
    answer = case(evidenceRequests=[request(number) for number in range(1, requests + 1)])
    Path(empty_workspace.folder, file_name).write_text(json.dumps({"data": answer}))
    return file_name


def test_first_file_is_the_baseline_for_the_second(empty_workspace: Workspace) -> None:
    empty_workspace.write(ACCOUNT)
    first = empty_workspace.run("import", "family", save_answer(empty_workspace), "--json")
    (account,) = first.json["accounts"]
    assert (account["name"], account["outcome"], account["cases_read"]) == ("family", "ok", 1)
    assert [change["kind"] for change in account["changes"]] == ["case_added"]

    second = empty_workspace.run("import", "family", save_answer(empty_workspace, requests=1))
    assert "rfe received" in second.out

    third = empty_workspace.run("import", "family", save_answer(empty_workspace, requests=1), "--json")
    assert third.json["accounts"][0]["changes"] == []


def test_unwatched_case_is_left_out_with_a_message(empty_workspace: Workspace) -> None:
    empty_workspace.write(f'{ACCOUNT}cases = ["IOE0000000009"]\n')
    result = empty_workspace.run("import", "family", save_answer(empty_workspace), expect=(1,))
    assert f"skipped {RECEIPT}" in result.err
    with empty_workspace.app() as app:
        assert app.store.tracked_cases() == []


def test_file_that_is_not_an_answer_is_named_and_nothing_is_recorded(empty_workspace: Workspace) -> None:
    empty_workspace.write(ACCOUNT)
    Path(empty_workspace.folder, "holiday.json").write_text('{"photo": 1}')
    result = empty_workspace.run("import", "family", save_answer(empty_workspace), "holiday.json", expect=(1,))
    assert "holiday.json" in result.err
    with empty_workspace.app() as app:
        assert app.store.tracked_cases() == []


def test_wrong_usage_exits_with_2(workspace: ApiWorkspace) -> None:
    file_name = save_answer(workspace)
    assert "cannot import saved pages" in workspace.run("import", "family", file_name, expect=(2,)).err
    for arguments in (("family", file_name), ("aunt", file_name), ("family", "missing.json"), ("family",)):
        workspace.run("import", *arguments, expect=(2,))


def test_import_updates_the_calendar_file(empty_workspace: Workspace) -> None:
    empty_workspace.write(f'calendar_file = "deadlines.ics"\n{ACCOUNT}')
    empty_workspace.run("import", "family", save_answer(empty_workspace, requests=1))
    assert "BEGIN:VCALENDAR" in Path(empty_workspace.folder, "deadlines.ics").read_text()


def test_pipe_that_nobody_writes_to_does_not_hang(empty_workspace: Workspace) -> None:
    empty_workspace.write(ACCOUNT)
    os.mkfifo(empty_workspace.folder / "pipe")
    result = empty_workspace.run("import", "family", "pipe", expect=(2,))
    assert "nothing writes to it" in result.err


def test_import_is_the_check_of_an_account_that_is_handed_over(empty_workspace: Workspace) -> None:
    empty_workspace.write(f'{ACCOUNT}sign_in = "handover"\nofficial_mail = {{}}\n')
    assert "You hand it over" in empty_workspace.run("check").out
    empty_workspace.run("import", "family", save_answer(empty_workspace))
    (account,) = empty_workspace.run("status", "--json").json["accounts"]
    assert (account["state"], account["last_error"], account["session_ends_at"]) == ("ok", None, None)
    assert account["last_read_at"] is not None
