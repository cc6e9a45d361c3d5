"""`watcher import`, run for real with answers that a person saved from the portal's pages."""

import json
from pathlib import Path

from tests.cli.api_workspace import ApiWorkspace
from tests.doubles.uscis_answers import RECEIPT, case, request
from tests.support.workspace import Workspace

ACCOUNT = '[stall]\nafter = "0"\n[accounts.family]\nportal = "uscis"\n'


def saved(empty_workspace: Workspace, name: str = "case.json", *, requests: int = 0) -> str:
    answer = case(evidenceRequests=[request(number) for number in range(1, requests + 1)])
    Path(empty_workspace.folder, name).write_text(json.dumps({"data": answer}))
    return name


def test_the_first_file_is_the_baseline_and_the_second_is_compared_with_it(empty_workspace: Workspace) -> None:
    empty_workspace.write(ACCOUNT)
    first = empty_workspace.run("import", "family", saved(empty_workspace), "--json")
    (account,) = first.json["accounts"]
    assert (account["name"], account["outcome"], account["cases_read"]) == ("family", "ok", 1)
    assert [change["kind"] for change in account["changes"]] == ["case_added"]

    second = empty_workspace.run("import", "family", saved(empty_workspace, requests=1))
    assert "rfe_received" in second.out

    again = empty_workspace.run("import", "family", saved(empty_workspace, requests=1), "--json")
    assert again.json["accounts"][0]["changes"] == []


def test_a_case_that_is_not_watched_is_left_out_aloud(empty_workspace: Workspace) -> None:
    empty_workspace.write(f'{ACCOUNT}cases = ["IOE0000000009"]\n')
    said = empty_workspace.run("import", "family", saved(empty_workspace), expect=(1,))
    assert f"{RECEIPT} is left out" in said.err
    with empty_workspace.app() as app:
        assert app.store.tracked_cases() == []


def test_a_file_that_is_no_answer_is_named_and_nothing_is_recorded(empty_workspace: Workspace) -> None:
    empty_workspace.write(ACCOUNT)
    Path(empty_workspace.folder, "holiday.json").write_text('{"photo": 1}')
    said = empty_workspace.run("import", "family", saved(empty_workspace), "holiday.json", expect=(1,))
    assert "holiday.json" in said.err
    with empty_workspace.app() as app:
        assert app.store.tracked_cases() == []


def test_wrong_usage_is_status_2(workspace: ApiWorkspace) -> None:
    name = saved(workspace)
    assert "shows nothing that could be saved" in workspace.run("import", "family", name, expect=(2,)).err
    for arguments in (("family", name), ("aunt", name), ("family", "missing.json"), ("family",)):
        workspace.run("import", *arguments, expect=(2,))


def test_the_calendar_is_brought_up_to_date_by_an_import_too(empty_workspace: Workspace) -> None:
    empty_workspace.write(f'calendar_file = "deadlines.ics"\n{ACCOUNT}')
    empty_workspace.run("import", "family", saved(empty_workspace, requests=1))
    assert "BEGIN:VCALENDAR" in Path(empty_workspace.folder, "deadlines.ics").read_text()
