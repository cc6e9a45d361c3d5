"""`watcher record`, run for real for sites that only a person can read."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.workspace import Workspace

ACCOUNTS = """
[accounts.embassy]
portal = "manual"
site = "ceac"
cases = ["AA00000001"]
every = "7d"
[accounts.court]
portal = "manual"
site = "eoir"
cases = ["000000001", "AA00000002"]
[accounts.aunt]
portal = "manual"
site = "ceac"
cases = ["AA00000002"]
"""


@pytest.fixture
def by_hand(empty_workspace: Workspace) -> Workspace:
    empty_workspace.write(ACCOUNTS)
    return empty_workspace


def test_what_was_read_goes_through_stage_history_and_standing(by_hand: Workspace) -> None:
    said = by_hand.run("record", "AA00000001", "Administrative Processing", "--on", "2026-11-02", "--json")
    (account,) = said.json["accounts"]
    assert (account["name"], account["outcome"], account["cases_read"]) == ("embassy", "ok", 1)
    assert [change["kind"] for change in account["changes"]] == ["case_added"]
    status = by_hand.run("status", "--json").json
    (case,) = status["cases"]
    assert (case["stage"], case["status_since"]) == ("administrative_processing", "2026-11-02")
    assert {each["name"]: each["state"] for each in status["accounts"]}["embassy"] == "ok"


def test_recorded_twice_the_same_is_seen_unchanged(by_hand: Workspace) -> None:
    by_hand.run("record", "AA00000001", "At NVC")
    again = by_hand.run("record", "aa 0000-0001", "at  nvc")
    assert (again.out.strip(), again.err) == ("AA00000001: seen, unchanged.", "")
    assert len(by_hand.run("history", "--json").json["changes"]) == 1


def test_it_answers_the_reminder(by_hand: Workspace) -> None:
    first = by_hand.run("check", "embassy", "--json").json
    assert [change["kind"] for change in first["accounts"][0]["changes"]] == ["look_reminder"]
    by_hand.run("record", "AA00000001", "Ready")
    (embassy,) = [each for each in by_hand.run("status", "--json").json["accounts"] if each["name"] == "embassy"]
    read_at, next_at = (datetime.fromisoformat(embassy[key]) for key in ("last_read_at", "next_read_at"))
    assert next_at - read_at == timedelta(days=7)


def test_words_that_are_new_to_the_program_are_kept_and_a_slip_is_pointed_out(by_hand: Workspace) -> None:
    said = by_hand.run("record", "AA00000001", "Administrtive processing")
    assert 'If you meant "Administrative Processing"' in said.err
    (case,) = by_hand.run("status", "--json").json["cases"]
    assert (case["status"], case["stage"]) == ("Administrtive processing", "unknown")


def test_a_number_of_two_accounts_needs_the_account(by_hand: Workspace) -> None:
    said = by_hand.run("record", "AA00000002", "Ready", expect=(2,))
    assert "--account court or aunt" in said.err
    by_hand.run("record", "AA00000002", "Ready", "--account", "aunt")
    (case,) = by_hand.run("status", "--json").json["cases"]
    assert case["account"] == "aunt"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("AA00000009", "Ready"), "there are: AA00000001"),
        (("AA00000001", "Ready", "--account", "uncle"), "no account uncle"),
        (("AA00000001", "  "), "a status is a line"),
        (("AA00000001", "Ready", "--on", "yesterday"), "--on"),
        (("AA00000001", "Ready", "--on", f"{datetime.now(UTC).date() + timedelta(days=3)}"), "is the year right"),
    ],
)
def test_what_cannot_be_recorded_is_refused_and_leaves_nothing(
    by_hand: Workspace, arguments: tuple[str, ...], reason: str
) -> None:
    said = by_hand.run("record", *arguments, expect=(2,))
    assert reason in said.err
    assert by_hand.run("history", "--json").json == {"changes": []}


@pytest.mark.parametrize("command", [("record", "AA00000001", "Expiring Soon"), ("check", "embassy")])
def test_the_calendar_file_is_kept_up_to_date(by_hand: Workspace, command: tuple[str, ...]) -> None:
    by_hand.write(f'calendar_file = "deadlines.ics"\n{ACCOUNTS}')
    by_hand.run(*command)
    assert (by_hand.folder / "deadlines.ics").read_text().startswith("BEGIN:VCALENDAR")
