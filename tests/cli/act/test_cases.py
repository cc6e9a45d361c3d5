"""`watcher note`, `remind`, `finish`, and `watch` as real commands, with checks of a portal in between."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.api_workspace import RECEIPT, ApiWorkspace
from tests.cli.practice_workspace import FIRST, SECOND, practice_workspace
from tests.doubles.case_status_api import case_status
from tests.support.workspace import Workspace
from watcher.model.ledger import DueSource

OTHER = "IOE0000000002"


@pytest.fixture
def two_cases(workspace: ApiWorkspace) -> ApiWorkspace:
    """Return a workspace with two cases that were checked once."""
    workspace.api.add_cases(OTHER)
    workspace.write(workspace.sections.replace(f'["{RECEIPT}"]', f'["{RECEIPT}", "{OTHER}"]'))
    workspace.check()
    return workspace


def in_days(count: int) -> str:
    return (datetime.now(UTC) + timedelta(days=count)).date().isoformat()


def test_note_is_in_the_history_and_in_no_alert(workspace: ApiWorkspace) -> None:
    workspace.check()
    workspace.run("label", RECEIPT, "Green card")
    sent = len(workspace.phone.messages)
    text = "Called USCIS: wait 30 days, see https://egov.uscis.gov/"
    assert "Green card (IOE0000000001)" in workspace.run("note", "green card", *text.split()).out
    newest, *_before = workspace.run("history", "--json").json["changes"]
    assert (newest["kind"], newest["severity"], newest["case_number"]) == ("note", "routine", RECEIPT)
    assert (newest["summary"], newest["new"]) == (f"Note: {text}", {"text": text})
    workspace.ask_for_evidence()
    workspace.check()
    assert all("Called" not in message["message"] for message in workspace.phone.messages)
    assert len(workspace.phone.messages) == sent + 1


@pytest.mark.parametrize(
    "command", [("note", "IOE0000000009", "x"), ("note", RECEIPT, " "), ("note", RECEIPT, "x" * 1001)]
)
def test_note_about_no_case_or_without_text_is_wrong_usage(workspace: ApiWorkspace, command: tuple[str, ...]) -> None:
    workspace.run(*command, expect=(2,))
    with workspace.app() as app:
        assert app.store.history() == []


def test_date_of_the_user_is_pending_and_in_the_calendar(workspace: ApiWorkspace) -> None:
    workspace.check()
    result = workspace.run("remind", RECEIPT, in_days(200), "The", "card", "expires")
    assert result.out == (
        f"Item 1 ({RECEIPT}: The card expires) is on {in_days(200)}.\n"
        "You get reminders 30 days, 14 days, 7 days, 3 days, 1 day before that date and on the day.\n"
    )
    (item,) = workspace.run("pending", "--json").json["pending"]
    assert (item["id"], item["kind"], item["title"], item["due_on"]) == (
        "1",
        "reminder",
        "The card expires",
        in_days(200),
    )
    assert item["due_from"] == "user"
    assert "SUMMARY:The card expires - " in workspace.run("export", "--format", "ics").out
    moved = workspace.run("due", "1", in_days(300)).out  # no question about an earlier date: it is the user's own
    assert moved == f"Item 1 ({RECEIPT}: The card expires) is on {in_days(300)}.\n"
    workspace.run("due", "1", in_days(100))
    workspace.check()
    with workspace.app() as app:
        (tracked,) = app.store.items()
    assert tracked.due is not None
    assert (tracked.due[0].isoformat(), tracked.due[1]) == (in_days(100), DueSource.USER)
    workspace.run("done", "1")
    assert workspace.run("pending", "--json").json == {"pending": []}
    workspace.run("reopen", "1")
    assert len(workspace.run("pending", "--json").json["pending"]) == 1


def test_date_of_a_case_that_was_not_checked_yet_survives_its_first_check(workspace: ApiWorkspace) -> None:
    workspace.run("remind", RECEIPT, in_days(200), "Hearing")
    result = workspace.check()
    assert [change.change.kind for change in result.changes] == ["case_added"]
    with workspace.app() as app:
        (case,) = app.store.tracked_cases()
    assert case.snapshot is not None
    assert [item.item.title for item in case.items] == ["Hearing"]


@pytest.mark.parametrize("arguments", [("2020-01-01", "x"), ("tomorrow", "x"), ("2999-01-01", "x")])
def test_impossible_date_is_refused(workspace: ApiWorkspace, arguments: tuple[str, ...]) -> None:
    workspace.run("remind", RECEIPT, *arguments, expect=(2,))


def test_finished_case_is_not_requested_and_returns_without_false_news(two_cases: ApiWorkspace) -> None:
    two_cases.api.cases[OTHER] = case_status(OTHER, "Request for Additional Evidence Was Sent")
    two_cases.check()
    result = two_cases.run("finish", OTHER)
    assert f"{OTHER} is finished: no more checks. Undo with `watcher watch {OTHER}`." in result.out
    assert "1 open item gets no more reminders." in result.out
    assert "already finished" in two_cases.run("finish", OTHER).out
    two_cases.api.case_requests.clear()
    two_cases.api.cases[OTHER] = case_status(OTHER, "Case Was Denied")
    for _round in range(4):
        checked = two_cases.check()
        assert (checked.outcome, checked.cases_read, checked.changes) == ("ok", 1, ())
    assert two_cases.api.case_requests == 4 * [RECEIPT]
    with two_cases.app() as app:
        first, second = app.store.tracked_cases()
    assert (second.finished, second.missing_reads) == (True, 0)
    assert first.last_read_at is not None
    assert second.last_read_at is not None
    assert second.last_read_at < first.last_read_at
    two_cases.api.cases[OTHER] = case_status(OTHER, "Case Was Approved")
    assert "is being watched again" in two_cases.run("watch", OTHER).out
    assert "already being watched" in two_cases.run("watch", OTHER).out
    kinds = [change.change.kind for change in two_cases.check().changes]
    assert kinds == ["item_closed", "stage_changed"]


def test_finished_case_needs_the_user_only_for_own_dates(workspace: ApiWorkspace) -> None:
    workspace.ask_for_evidence()
    workspace.check()
    workspace.run("finish", RECEIPT)
    assert workspace.run("pending").out == "Nothing is open.\n"
    assert workspace.run("status", "--needs-me").out == "No case matches.\n"
    workspace.run("remind", RECEIPT, in_days(20), "Hearing")
    (item,) = workspace.run("pending", "--json").json["pending"]
    assert item["title"] == "Hearing"
    assert "Hearing" in workspace.run("status", "--needs-me").out


def test_account_with_finished_cases_only_is_left_alone_and_well(two_cases: ApiWorkspace) -> None:
    for number in (RECEIPT, OTHER):
        two_cases.run("finish", number)
    two_cases.api.case_requests.clear()
    tokens = two_cases.api.token_requests
    checked = two_cases.check()
    assert (checked.outcome, checked.cases_read, checked.changes) == ("ok", 0, ())
    assert (two_cases.api.case_requests, two_cases.api.token_requests) == ([], tokens)
    (account,) = two_cases.run("status", "--json").json["accounts"]
    assert (account["state"], account["last_error"]) == ("ok", None)


def test_number_that_the_portal_does_not_know_is_not_asked_for_after_it_was_finished(two_cases: ApiWorkspace) -> None:
    del two_cases.api.cases[OTHER]
    assert two_cases.check().outcome == "ok"  # missing once
    two_cases.run("finish", OTHER)
    for _round in range(4):
        assert two_cases.check().changes == ()


def test_finished_case_of_a_recipe_is_not_requested(tmp_path: Path) -> None:
    with practice_workspace(tmp_path) as family:
        family.configure(totp_secret=family.portal.account.totp_secret)
        family.run("check")
        family.run("finish", SECOND)
        family.portal.forget_requests()
        (account,) = family.run("check", "--json").json["accounts"]
        assert (account["outcome"], account["cases_read"], account["changes"]) == ("ok", 1, [])
        paths = [request.path for request in family.portal.requests]
        assert any(FIRST in path for path in paths)
        assert not any(SECOND in path for path in paths)


def test_finished_case_of_a_manual_account_has_no_reminder_to_look(empty_workspace: Workspace) -> None:
    empty_workspace.write(
        '[accounts.embassy]\nportal = "manual"\nsite = "ceac"\ncases = ["AA00000001"]\nevery = "7d"\n'
    )
    empty_workspace.run("label", "AA00000001", "Visa of Ana")
    empty_workspace.run("finish", "visa of ana")
    (account,) = empty_workspace.run("check", "--json").json["accounts"]
    assert account["changes"] == []
    empty_workspace.run("watch", "visa of ana")
    (account,) = empty_workspace.run("check", "--json").json["accounts"]
    assert [change["kind"] for change in account["changes"]] == ["look_reminder"]
    recorded = empty_workspace.run("record", "visa of ana", "Issued", "--json").json["accounts"][0]
    assert [change["kind"] for change in recorded["changes"]] == ["case_added"]
