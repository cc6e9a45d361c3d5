"""`watcher record` as a real command, for sites that only a person can read."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.portals.test_manual_saved import CEAC
from tests.support.workspace import Workspace

ACCOUNTS = """
[accounts.embassy]
portal = "manual"
site = "ceac"
cases = ["AA00000001"]
every = "7d"
[accounts.court]
portal = "manual"
site = "immi"
cases = ["000000001", "AA00000002"]
[accounts.aunt]
portal = "manual"
site = "ceac"
cases = ["AA00000002"]
"""


@pytest.fixture
def manual_workspace(empty_workspace: Workspace) -> Workspace:
    empty_workspace.write(ACCOUNTS)
    return empty_workspace


def test_recorded_status_appears_in_history_and_status(manual_workspace: Workspace) -> None:
    result = manual_workspace.run("record", "AA00000001", "Administrative Processing", "--on", "2026-11-02", "--json")
    (account,) = result.json["accounts"]
    assert (account["name"], account["outcome"], account["cases_read"]) == ("embassy", "ok", 1)
    assert [change["kind"] for change in account["changes"]] == ["case_added"]
    status = manual_workspace.run("status", "--json").json
    (case,) = status["cases"]
    assert (case["stage"], case["status_since"]) == ("administrative_processing", "2026-11-02")
    assert {account["name"]: account["state"] for account in status["accounts"]}["embassy"] == "ok"


def test_status_needs_no_quotes(manual_workspace: Workspace) -> None:
    manual_workspace.run("record", "AA00000001", "Administrative", "Processing", "--on", "2026-11-02")
    (case,) = manual_workspace.run("status", "--json").json["cases"]
    assert (case["status"], case["status_since"]) == ("Administrative Processing", "2026-11-02")


def test_recording_the_same_status_again_is_no_change(manual_workspace: Workspace) -> None:
    manual_workspace.run("record", "AA00000001", "At NVC")
    second = manual_workspace.run("record", "aa 0000-0001", "at  nvc")
    assert (second.out.strip(), second.err) == ("AA00000001: recorded, unchanged.", "")
    assert len(manual_workspace.run("history", "--json").json["changes"]) == 1


def test_record_answers_the_reminder_to_check(manual_workspace: Workspace) -> None:
    first = manual_workspace.run("check", "embassy", "--json").json
    assert [change["kind"] for change in first["accounts"][0]["changes"]] == ["look_reminder"]
    manual_workspace.run("record", "AA00000001", "Ready")
    (account,) = [
        account for account in manual_workspace.run("status", "--json").json["accounts"] if account["name"] == "embassy"
    ]
    last_read_at, next_read_at = (datetime.fromisoformat(account[key]) for key in ("last_read_at", "next_read_at"))
    assert next_read_at - last_read_at == timedelta(days=7)


def test_unknown_status_is_recorded_and_a_typo_is_pointed_out(manual_workspace: Workspace) -> None:
    result = manual_workspace.run("record", "AA00000001", "Administrtive processing")
    assert 'Did you mean "Administrative Processing"?' in result.err
    (case,) = manual_workspace.run("status", "--json").json["cases"]
    assert (case["status"], case["stage"]) == ("Administrtive processing", "unknown")


def test_number_of_two_accounts_requires_the_account(manual_workspace: Workspace) -> None:
    result = manual_workspace.run("record", "AA00000002", "Ready", expect=(2,))
    assert "Several accounts have the case AA00000002: court, aunt. Add" in result.err
    manual_workspace.run("record", "AA00000002", "Ready", "--account", "aunt")
    (case,) = manual_workspace.run("status", "--json").json["cases"]
    assert case["account"] == "aunt"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("AA00000009", "Ready"), "There is no case 'AA00000009'"),
        (("AA00000001", "Ready", "--account", "uncle"), "There is no account 'uncle'"),
        (("AA00000001", "  "), "a status is one line"),
        (("AA00000001", "Ready", "--on", "yesterday"), "'--on': 'yesterday' is not a date. Use YYYY-MM-DD"),
        (("AA00000001", "Ready", "--on", f"{datetime.now(UTC).date() + timedelta(days=3)}"), "Check the year"),
    ],
)
def test_invalid_input_is_refused_and_nothing_is_recorded(
    manual_workspace: Workspace, arguments: tuple[str, ...], reason: str
) -> None:
    result = manual_workspace.run("record", *arguments, expect=(2,))
    assert reason in result.err
    assert manual_workspace.run("history", "--json").json == {"changes": []}


@pytest.mark.parametrize("command", [("record", "AA00000001", "Expiring Soon"), ("check", "embassy")])
def test_commands_update_the_calendar_file(manual_workspace: Workspace, command: tuple[str, ...]) -> None:
    manual_workspace.write(f'calendar_file = "deadlines.ics"\n{ACCOUNTS}')
    manual_workspace.run(*command)
    assert (manual_workspace.folder / "deadlines.ics").read_text().startswith("BEGIN:VCALENDAR")


def test_saved_result_page_is_imported_and_a_damaged_one_changes_nothing(manual_workspace: Workspace) -> None:
    page = manual_workspace.folder / "result.html"
    page.write_text(CEAC)
    result = manual_workspace.run("import", "embassy", "result.html", "--json")
    assert [change["kind"] for change in result.json["accounts"][0]["changes"]] == ["case_added"]
    before = manual_workspace.run("status", "--json").json["cases"]
    page.write_text(CEAC.replace("AA00000001", ""))
    failed = manual_workspace.run("import", "embassy", "result.html", expect=(1,))
    assert "result.html: this page of CEAC lacks the case number" in failed.err
    assert manual_workspace.run("status", "--json").json["cases"] == before
