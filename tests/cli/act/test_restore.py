"""After `watcher restore`, nothing is lost, and nothing is told twice where it can be known that it went out."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.api_workspace import RECEIPT, ApiWorkspace
from tests.doubles.case_status_api import case_status
from tests.support.webhook_workspace import page_account
from tests.support.workspace import Workspace
from watcher.clock import SystemClock
from watcher.model.alert import AlertState, HoldReason
from watcher.practice import Account, Fault, PracticePortal

APPROVED = "Case Was Approved"
DOUBT = "You may have been told this before"


def told(workspace: ApiWorkspace) -> list[str]:
    """What has arrived on the phone since this was last asked."""
    titles = [message["title"] for message in workspace.phone.messages]
    workspace.phone.requests.clear()
    return titles


def show(workspace: ApiWorkspace, title: str) -> None:
    workspace.api.cases[RECEIPT] = case_status(RECEIPT, title)


def stages(workspace: ApiWorkspace) -> list[str]:
    """The stages that the history tells of, oldest first."""
    changes = workspace.run("history", "--json").json["changes"]
    return [change["new"]["stage"] for change in reversed(changes) if change["kind"] == "stage_changed"]


def damage(database: Path, tables: Iterable[str]) -> None:
    """Overwrites the first page of each of these tables."""
    with closing(sqlite3.connect(database)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = opened.execute("PRAGMA page_size").fetchone()[0]
        pages = dict(opened.execute("SELECT name, rootpage FROM sqlite_master WHERE type = 'table'"))
    content = bytearray(database.read_bytes())
    for table in tables:
        start = (pages[table] - 1) * size
        content[start : start + size] = b"\xa5" * size
    database.write_bytes(content)
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def backed_up(workspace: ApiWorkspace) -> None:
    workspace.check()
    assert len(told(workspace)) == 1
    workspace.run("backup", "copy.sqlite3")


def test_what_was_told_since_the_backup_stands_in_the_history_and_is_not_told_again(workspace: ApiWorkspace) -> None:
    backed_up(workspace)
    workspace.ask_for_evidence()
    workspace.check()
    assert len(told(workspace)) == 1
    assert "is not told again" in workspace.run("restore", "copy.sqlite3", "--force").out
    workspace.run("check", expect=(0, 1))
    assert stages(workspace) == ["evidence_requested"]
    assert told(workspace) == []
    show(workspace, APPROVED)
    workspace.check()
    workspace.check()
    (title,) = told(workspace)
    assert "Approved" in title


def test_what_changed_after_the_last_read_of_the_replaced_database_is_told_alone(workspace: ApiWorkspace) -> None:
    backed_up(workspace)
    workspace.ask_for_evidence()
    workspace.check()
    told(workspace)
    workspace.run("restore", "copy.sqlite3", "--force")
    show(workspace, APPROVED)
    workspace.run("check", expect=(0, 1))
    assert stages(workspace) == ["evidence_requested", "approved"]
    (title,) = told(workspace)
    assert "Approved" in title


def test_a_portal_that_went_back_is_told_though_the_backup_knew_nothing_else(workspace: ApiWorkspace) -> None:
    backed_up(workspace)
    workspace.ask_for_evidence()
    workspace.check()
    told(workspace)
    workspace.run("restore", "copy.sqlite3", "--force")
    show(workspace, "Case Was Received")
    workspace.run("check", expect=(0, 1))
    assert stages(workspace) == ["evidence_requested", "received"]
    assert len(told(workspace)) == 1


def test_an_alert_that_waited_in_the_backup_and_went_out_since_does_not_go_out_again(workspace: ApiWorkspace) -> None:
    workspace.phone.status = 500
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    workspace.phone.status = 200
    told(workspace)
    with workspace.app() as app:
        app.store.outbox.retry(app.clock.now())
        assert app.outbox_worker().deliver_due() == 1
    assert len(told(workspace)) == 1
    workspace.run("restore", "copy.sqlite3", "--force")
    workspace.run("check", expect=(0, 1))
    assert told(workspace) == []
    (alert,) = workspace.run("alerts", "--json").json["alerts"]
    assert alert["state"] == "sent"


def test_an_alert_that_still_waited_in_the_replaced_database_goes_out_once(workspace: ApiWorkspace) -> None:
    backed_up(workspace)
    workspace.phone.status = 500
    workspace.ask_for_evidence()
    workspace.check()
    workspace.phone.status = 200
    told(workspace)
    workspace.run("restore", "copy.sqlite3", "--force")
    assert [alert["state"] for alert in workspace.run("alerts", "--json").json["alerts"]] == ["queued", "sent"]
    with workspace.app() as app:
        app.store.outbox.retry(app.clock.now())
    workspace.run("check", expect=(0, 1))
    workspace.check()
    (title,) = told(workspace)
    assert "Evidence" in title


def test_damage_elsewhere_than_in_what_was_told_repeats_nothing(workspace: ApiWorkspace) -> None:
    backed_up(workspace)
    workspace.ask_for_evidence()
    workspace.check()
    told(workspace)
    damage(workspace.database, ["answer", "notice"])
    assert "damaged" in workspace.run("run", expect=(1, 2)).err
    assert "is not told again" in workspace.run("restore", "copy.sqlite3").out
    workspace.run("check", expect=(0, 1))
    assert stages(workspace) == ["evidence_requested"]
    assert told(workspace) == []


@pytest.mark.parametrize("tables", [["alert"], ["case"], ["account"], ["sqlite_schema"]])
def test_where_nobody_can_know_what_was_told_one_message_says_so_and_the_next_does_not(
    workspace: ApiWorkspace, tables: list[str]
) -> None:
    workspace.phone.status = 500
    with workspace.app() as app:
        app.poll("family")  # its alert waits in the backup
    workspace.run("backup", "copy.sqlite3")
    workspace.phone.status = 200
    workspace.ask_for_evidence()
    workspace.check()
    assert len(told(workspace)) == 2
    if tables == ["sqlite_schema"]:
        workspace.database.write_bytes(b"\xa5" * 20_000)
    else:
        damage(workspace.database, tables)
    assert "will say so" in workspace.run("restore", "copy.sqlite3").out
    workspace.run("check", expect=(0, 1))
    (message,) = workspace.phone.messages
    assert message["message"].count(DOUBT) == 1
    assert ("2 alerts" in message["title"]) == (tables in (["alert"], ["sqlite_schema"]))
    assert "Evidence requested" in message["title"] + message["message"]
    told(workspace)
    show(workspace, APPROVED)
    workspace.check()
    (message,) = workspace.phone.messages
    assert "Approved" in message["title"]
    assert DOUBT not in message["message"]


def backed_up_unread(workspace: ApiWorkspace) -> None:
    """The backup is of a database in which nothing had been read yet; since then the baseline was told."""
    workspace.ask_for_evidence()
    with workspace.app():
        pass
    workspace.run("backup", "copy.sqlite3")
    workspace.check()
    assert len(told(workspace)) == 2


def test_an_account_that_the_backup_does_not_know_is_not_told_of_again_where_it_can_be_known(
    workspace: ApiWorkspace,
) -> None:
    backed_up_unread(workspace)
    before = workspace.run("history", "--json").json
    assert "is not told again" in workspace.run("restore", "copy.sqlite3", "--force").out
    workspace.run("check", expect=(0, 1))
    assert told(workspace) == []
    assert workspace.run("history", "--json").json == before


@pytest.mark.parametrize("damaged", ["everything", "gone"])
def test_an_account_that_the_backup_does_not_know_may_have_been_told_of_too(
    workspace: ApiWorkspace, damaged: str
) -> None:
    backed_up_unread(workspace)
    if damaged == "everything":
        workspace.database.write_bytes(b"\xa5" * 20_000)
    else:
        for each in workspace.state.glob("watcher.sqlite3*"):
            each.unlink()
    assert "will say so" in workspace.run("restore", "copy.sqlite3").out
    workspace.run("check", expect=(0, 1))
    (message,) = workspace.phone.messages
    assert message["message"].count(DOUBT) == 1
    assert "2 alerts" in message["title"]
    told(workspace)
    show(workspace, APPROVED)
    workspace.check()
    (message,) = workspace.phone.messages
    assert DOUBT not in message["message"]


def test_a_waiting_alert_whose_fate_can_be_read_is_told_once_though_its_neighbours_are_lost(
    workspace: ApiWorkspace,
) -> None:
    workspace.phone.status = 500
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    workspace.phone.status = 200
    with workspace.app() as app:
        app.store.outbox.retry(app.clock.now())
        assert app.outbox_worker().deliver_due() == 1
    told(workspace)
    damage(workspace.database, ["case"])
    workspace.run("restore", "copy.sqlite3")
    assert workspace.run("alerts", "--json").json["alerts"][0]["state"] == "sent"
    workspace.run("check", expect=(0, 1))
    assert told(workspace) == []


def test_a_backup_of_other_books_takes_nothing_over(workspace: ApiWorkspace) -> None:
    backed_up(workspace)
    for each in workspace.state.glob("watcher.sqlite3*"):
        each.unlink()
    workspace.ask_for_evidence()
    workspace.check()  # the books begun anew: it is their baseline
    told(workspace)
    assert "will say so" in workspace.run("restore", "copy.sqlite3", "--force").out
    workspace.run("check", expect=(0, 1))
    (message,) = workspace.phone.messages
    assert DOUBT in message["message"]
    assert stages(workspace) == ["evidence_requested"]


def test_a_credential_that_was_refused_since_the_backup_is_not_submitted_again(workspace: ApiWorkspace) -> None:
    backed_up(workspace)
    workspace.api.client_secret = "another-secret"
    workspace.api.valid_tokens.clear()
    with workspace.app() as app:
        assert app.poll("family").outcome.value == "rejected"
        assert app.outbox_worker().deliver_due() == 1
    told(workspace)
    asked = workspace.api.token_requests
    damage(workspace.database, ["answer"])
    workspace.run("restore", "copy.sqlite3")
    workspace.run("check", expect=(0, 1))
    damage(workspace.database, ["alert"])
    workspace.run("restore", "copy.sqlite3")
    workspace.run("check", expect=(0, 1))
    assert workspace.api.token_requests == asked


def test_a_restore_upon_a_restore_still_knows_what_was_told(workspace: ApiWorkspace) -> None:
    backed_up(workspace)
    workspace.ask_for_evidence()
    workspace.check()
    told(workspace)
    for _ in range(2):
        workspace.run("restore", "copy.sqlite3", "--force")
    workspace.run("check", expect=(0, 1))
    assert told(workspace) == []
    assert stages(workspace) == ["evidence_requested"]


def test_what_was_not_told_since_waits_no_longer_than_it_would_have(workspace: ApiWorkspace) -> None:
    """Quiet hours, a digest or an escalation are still ahead: the alert cannot have gone out, and is not doubted."""
    workspace.configure(channel='digest = "daily 08:00"')
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    damage(workspace.database, ["alert"])
    workspace.run("restore", "copy.sqlite3")
    with workspace.app() as app:
        (waiting,) = app.store.outbox.due(app.clock.now().replace(year=2100))
    assert (waiting.alert.state, waiting.hold_reason) == (AlertState.HELD, HoldReason.DIGEST)
    assert DOUBT not in waiting.alert.body


# --- an escalation that waits, and its sibling ---


def seen(workspace: ApiWorkspace) -> None:
    """Acknowledges what has gone out last to the phone."""
    alerts = workspace.run("alerts", "--json").json["alerts"]
    workspace.run("ack", str(next(alert["id"] for alert in alerts if alert["channel"] == "phone")))


def dealt_with(workspace: ApiWorkspace) -> None:
    workspace.run("done", "1")


def read_again(workspace: ApiWorkspace) -> None:
    workspace.run("check", expect=(0, 1))


def escalated(workspace: ApiWorkspace) -> list[str]:
    """In which states the aunt's alerts are."""
    alerts = workspace.run("alerts", "--json").json["alerts"]
    return [alert["state"] for alert in alerts if alert["channel"] == "aunt"]


@pytest.fixture
def escalating(workspace: ApiWorkspace) -> ApiWorkspace:
    """Since the backup evidence was asked for: the phone was told, the aunt is told in two hours."""
    workspace.configure(extra=f'[channels.aunt]\nurl = "json://{workspace.phone.host}/aunt"\nescalate_after = "2h"\n')
    backed_up(workspace)
    workspace.ask_for_evidence()
    workspace.check()
    assert len(told(workspace)) == 1
    assert escalated(workspace) == ["held"]
    return workspace


@pytest.mark.parametrize("steps", [[seen], [dealt_with], [read_again, seen], [read_again, dealt_with]])
def test_an_escalation_that_waits_since_the_backup_is_dropped_by_who_has_seen_or_done_it(
    escalating: ApiWorkspace, steps: list[Callable[[ApiWorkspace], None]]
) -> None:
    escalating.run("restore", "copy.sqlite3", "--force")
    assert escalated(escalating) == ["held"]
    for step in steps:
        step(escalating)
    assert escalated(escalating) == ["sent"]
    with escalating.app() as app:
        assert app.store.outbox.next_due() is None
    assert told(escalating) == []


def test_alerts_and_changes_since_the_backup_keep_their_numbers_and_moments(escalating: ApiWorkspace) -> None:
    looks = (("alerts", "--json"), ("history", "--json"))
    before = [escalating.run(*look).json for look in looks]
    for _ in range(2):
        escalating.run("restore", "copy.sqlite3", "--force")
        assert [escalating.run(*look).json for look in looks] == before
    escalating.run("check", expect=(0, 1))
    assert [escalating.run(*look).json for look in looks] == before


def test_where_the_history_is_damaged_it_is_recorded_again_and_nobody_is_told_again(escalating: ApiWorkspace) -> None:
    damage(escalating.database, ["change"])
    assert "is not told again" in escalating.run("restore", "copy.sqlite3").out
    assert stages(escalating) == []
    escalating.run("check", expect=(0, 1))
    assert stages(escalating) == ["evidence_requested"]
    assert escalated(escalating) == ["held"]
    assert told(escalating) == []
    escalating.run("restore", "copy.sqlite3", "--force")
    escalating.run("check", expect=(0, 1))
    assert stages(escalating) == ["evidence_requested"]


def test_what_two_lines_of_the_books_recorded_under_one_number_is_kept_from_both(escalating: ApiWorkspace) -> None:
    """A copy from before another restore: it and the database have both gone on from the same backup."""
    escalating.run("backup", "other.sqlite3")
    damage(escalating.database, ["alert", "change"])
    escalating.run("restore", "copy.sqlite3")
    show(escalating, APPROVED)
    escalating.check()
    told(escalating)
    escalating.run("restore", "other.sqlite3", "--force")
    assert stages(escalating) == ["evidence_requested", "approved"]
    changes = {change["id"]: change["kind"] for change in escalating.run("history", "--json").json["changes"]}
    alerts = escalating.run("alerts", "--json").json["alerts"]
    tells = [(alert["channel"], sorted(changes[each] for each in alert["change_ids"])) for alert in reversed(alerts)]
    assert tells[1:] == [
        ("phone", ["rfe_received", "stage_changed"]),
        ("aunt", ["rfe_received", "stage_changed"]),
        ("phone", ["stage_changed"]),
    ]


# --- what the user wrote, and the letters on disk ---


def ledger(workspace: ApiWorkspace) -> list[tuple[str, str | None, str]]:
    """Each item's number, due date and state, whatever they are."""
    (case,) = workspace.run("status", "--json").json["cases"]
    return [(item["id"], item["due_on"], item["state"]) for item in case["pending"]]


def soon() -> str:
    return (datetime.now(UTC) + timedelta(days=40)).date().isoformat()


@pytest.fixture
def asked(workspace: ApiWorkspace) -> ApiWorkspace:
    """The backup knows of a request for evidence, item 1."""
    workspace.ask_for_evidence()
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    return workspace


def test_what_the_user_said_of_an_item_since_the_backup_stands(asked: ApiWorkspace) -> None:
    asked.run("done", "1")
    asked.run("due", "1", soon())
    assert "watcher pending" not in asked.run("restore", "copy.sqlite3", "--force").out
    assert ledger(asked) == [("1", soon(), "done")]
    asked.run("check")
    assert ledger(asked) == [("1", soon(), "done")]


def test_what_was_reopened_since_the_backup_is_open(workspace: ApiWorkspace) -> None:
    workspace.ask_for_evidence()
    workspace.check()
    workspace.run("done", "1")
    workspace.run("backup", "copy.sqlite3")
    workspace.run("reopen", "1")
    workspace.run("restore", "copy.sqlite3", "--force")
    assert [state for _, _, state in ledger(workspace)] == ["open"]


def test_an_item_that_came_since_the_backup_keeps_its_number_and_what_the_user_said_of_it(
    workspace: ApiWorkspace,
) -> None:
    backed_up(workspace)
    workspace.ask_for_evidence()
    workspace.check()
    workspace.run("due", "1", soon())
    workspace.run("done", "1")
    workspace.run("restore", "copy.sqlite3", "--force")
    workspace.run("check", expect=(0, 1))
    assert ledger(workspace) == [("1", soon(), "done")]
    assert stages(workspace) == ["evidence_requested"]


@pytest.mark.parametrize("table", ["alert", "case", "account", "notice"])
def test_damage_elsewhere_costs_no_word_of_the_users(asked: ApiWorkspace, table: str) -> None:
    asked.run("done", "1")
    damage(asked.database, [table])
    asked.run("restore", "copy.sqlite3")
    assert [state for _, _, state in ledger(asked)] == ["done"]


@pytest.mark.parametrize("damaged", ["the ledger", "everything", "gone"])
def test_where_the_users_words_cannot_be_read_they_are_asked_to_say_them_again(
    asked: ApiWorkspace, damaged: str
) -> None:
    asked.run("done", "1")
    if damaged == "the ledger":
        damage(asked.database, ["item"])
    elif damaged == "everything":
        asked.database.write_bytes(b"\xa5" * 20_000)
    else:
        for each in asked.state.glob("watcher.sqlite3*"):
            each.unlink()
    assert "look through `watcher pending`" in asked.run("restore", "copy.sqlite3").out
    assert [state for _, _, state in ledger(asked)] == ["open"]


def test_what_damage_left_in_the_ledger_is_not_taken_over(asked: ApiWorkspace) -> None:
    with closing(sqlite3.connect(asked.database)) as opened, opened:
        opened.execute("UPDATE item SET document = 'nonsense', state = 'done'")
    damage(asked.database, ["alert"])
    asked.run("restore", "copy.sqlite3")
    assert [state for _, _, state in ledger(asked)] == ["open"]


def test_other_books_have_no_say_in_this_ledger(asked: ApiWorkspace) -> None:
    for each in asked.state.glob("watcher.sqlite3*"):
        each.unlink()
    asked.check()
    asked.run("done", "1")
    asked.run("restore", "copy.sqlite3", "--force")
    assert [state for _, _, state in ledger(asked)] == ["open"]


def test_a_replaced_database_of_another_release_is_read_as_far_as_both_have_it(asked: ApiWorkspace) -> None:
    asked.run("done", "1")
    with closing(sqlite3.connect(asked.database)) as opened, opened:
        for table in ("item", "alert", "account", "reminder", "meta", "change", "alert_change"):
            opened.execute(f"ALTER TABLE {table} ADD COLUMN new_to_it TEXT")
    asked.run("restore", "copy.sqlite3", "--force")
    assert [state for _, _, state in ledger(asked)] == ["done"]


def test_a_letter_that_was_saved_since_the_backup_is_known_and_not_fetched_again(empty_workspace: Workspace) -> None:
    with PracticePortal(SystemClock(), account=Account(totp_secret=None)) as portal:
        case = portal.cases.add("EAC9999000001", form="I-485")
        empty_workspace.write(page_account(portal))
        empty_workspace.run("check")
        empty_workspace.run("backup", "copy.sqlite3")
        letter = case.add_notice("Interview")
        empty_workspace.run("check")
        (saved,) = empty_workspace.run("notices", "--json").json["notices"]
        portal.faults.throw(Fault.SERVER_ERROR, path=f"/notices/{letter}.pdf")
        empty_workspace.run("restore", "copy.sqlite3", "--force")
        empty_workspace.run("check")
    assert empty_workspace.run("notices", "--json").json["notices"] == [saved]
    assert saved["saved_as"]
