"""After `watcher restore`, nothing is lost, and nothing known to have been sent is sent again."""

import shutil
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
RESTORE_NOTE = "You may have seen this already"


def take_titles(workspace: ApiWorkspace) -> list[str]:
    """Return the titles that have arrived on the phone since the last call."""
    titles = [message["title"] for message in workspace.phone.messages]
    workspace.phone.requests.clear()
    return titles


def show_status(workspace: ApiWorkspace, title: str) -> None:
    workspace.api.cases[RECEIPT] = case_status(RECEIPT, title)


def stages(workspace: ApiWorkspace) -> list[str]:
    """Return the stages in the history, oldest first."""
    changes = workspace.run("history", "--json").json["changes"]
    return [change["new"]["stage"] for change in reversed(changes) if change["kind"] == "stage_changed"]


def damage(database: Path, tables: Iterable[str]) -> None:
    """Overwrite the first page of each of these tables."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        pages = dict(connection.execute("SELECT name, rootpage FROM sqlite_master WHERE type = 'table'"))
    content = bytearray(database.read_bytes())
    for table in tables:
        start = (pages[table] - 1) * size
        content[start : start + size] = b"\xa5" * size
    database.write_bytes(content)
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def back_up_after_check(workspace: ApiWorkspace) -> None:
    workspace.check()
    assert set(take_titles(workspace)) == {"Watching 1 case: IOE••••••0001 (I-130)"}
    workspace.run("backup", "copy.sqlite3")


def back_up(workspace: ApiWorkspace) -> None:
    workspace.check()
    workspace.run("backup", "copy.sqlite3")


def test_change_since_the_backup_stays_in_the_history_and_is_not_alerted_again(workspace: ApiWorkspace) -> None:
    back_up_after_check(workspace)
    workspace.ask_for_evidence()
    workspace.check()
    assert len(take_titles(workspace)) == 1
    assert "will not be sent again" in workspace.run("restore", "copy.sqlite3", "--force").out
    workspace.run("check", expect=(0, 1))
    assert stages(workspace) == ["evidence_requested"]
    assert take_titles(workspace) == []
    show_status(workspace, APPROVED)
    workspace.check()
    workspace.check()
    (title,) = take_titles(workspace)
    assert "Approved" in title


def test_change_after_the_last_check_before_the_restore_is_alerted_alone(workspace: ApiWorkspace) -> None:
    back_up_after_check(workspace)
    workspace.ask_for_evidence()
    workspace.check()
    take_titles(workspace)
    workspace.run("restore", "copy.sqlite3", "--force")
    show_status(workspace, APPROVED)
    workspace.run("check", expect=(0, 1))
    assert stages(workspace) == ["evidence_requested", "approved"]
    (title,) = take_titles(workspace)
    assert "Approved" in title


def test_return_to_the_backed_up_status_is_a_change(workspace: ApiWorkspace) -> None:
    back_up_after_check(workspace)
    workspace.ask_for_evidence()
    workspace.check()
    take_titles(workspace)
    workspace.run("restore", "copy.sqlite3", "--force")
    show_status(workspace, "Case Was Received")
    workspace.run("check", expect=(0, 1))
    assert stages(workspace) == ["evidence_requested", "received"]
    assert len(take_titles(workspace)) == 1


def test_alert_queued_in_the_backup_but_sent_since_is_not_sent_again(workspace: ApiWorkspace) -> None:
    workspace.phone.status = 500
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    workspace.phone.status = 200
    take_titles(workspace)
    with workspace.app() as app:
        app.store.outbox.retry(app.clock.now())
        assert app.outbox_worker().deliver_due() == 1
    assert len(take_titles(workspace)) == 1
    workspace.run("restore", "copy.sqlite3", "--force")
    workspace.run("check", expect=(0, 1))
    assert take_titles(workspace) == []
    (alert,) = workspace.run("alerts", "--json").json["alerts"]
    assert alert["state"] == "sent"


def test_alert_queued_in_the_replaced_database_is_sent_once(workspace: ApiWorkspace) -> None:
    back_up_after_check(workspace)
    workspace.phone.status = 500
    workspace.ask_for_evidence()
    workspace.check()
    workspace.phone.status = 200
    take_titles(workspace)
    workspace.run("restore", "copy.sqlite3", "--force")
    assert [alert["state"] for alert in workspace.run("alerts", "--json").json["alerts"]] == ["queued", "sent"]
    with workspace.app() as app:
        app.store.outbox.retry(app.clock.now())
    workspace.run("check", expect=(0, 1))
    workspace.check()
    (title,) = take_titles(workspace)
    assert "evidence" in title


def test_damage_outside_the_alerts_repeats_nothing(workspace: ApiWorkspace) -> None:
    back_up_after_check(workspace)
    workspace.ask_for_evidence()
    workspace.check()
    take_titles(workspace)
    damage(workspace.database, ["answer", "notice"])
    assert "damaged" in workspace.run("run", expect=(1, 2)).err
    assert "will not be sent again" in workspace.run("restore", "copy.sqlite3").out
    workspace.run("check", expect=(0, 1))
    assert stages(workspace) == ["evidence_requested"]
    assert take_titles(workspace) == []


@pytest.mark.parametrize("tables", [["alert"], ["case"], ["account"], ["sqlite_schema"]])
def test_unknown_alerts_have_the_note_and_the_next_do_not(workspace: ApiWorkspace, tables: list[str]) -> None:
    workspace.phone.status = 500
    with workspace.app() as app:
        app.poll("family")  # its alert is queued in the backup
    workspace.run("backup", "copy.sqlite3")
    workspace.phone.status = 200
    workspace.ask_for_evidence()
    workspace.check()
    assert len(take_titles(workspace)) == 2
    if tables == ["sqlite_schema"]:
        workspace.database.write_bytes(b"\xa5" * 20_000)
    else:
        damage(workspace.database, tables)
    assert "will say so" in workspace.run("restore", "copy.sqlite3").out
    workspace.run("check", expect=(0, 1))
    messages = workspace.phone.messages
    assert [message["message"].count(RESTORE_NOTE) for message in messages] == [1] * len(messages)
    assert len(messages) == (2 if tables in (["alert"], ["sqlite_schema"]) else 1)
    assert "asks for evidence" in messages[0]["title"]
    take_titles(workspace)
    show_status(workspace, APPROVED)
    workspace.check()
    (message,) = workspace.phone.messages
    assert "Approved" in message["title"]
    assert RESTORE_NOTE not in message["message"]


def test_note_is_in_the_language_of_the_channel(workspace: ApiWorkspace) -> None:
    workspace.configure(channel='language = "es"')
    workspace.phone.status = 500
    with workspace.app() as app:
        app.poll("family")
    workspace.run("backup", "copy.sqlite3")
    workspace.ask_for_evidence()
    damage(workspace.database, ["alert"])
    workspace.phone.status = 200
    workspace.phone.requests.clear()
    workspace.run("restore", "copy.sqlite3")
    workspace.run("check", expect=(0, 1))
    bodies = [message["message"] for message in workspace.phone.messages]
    assert len(bodies) == 2, "one that waited in the backup, one of the next check"
    assert all("Quizá ya vio esto" in body and RESTORE_NOTE not in body for body in bodies)


def back_up_before_first_check(workspace: ApiWorkspace) -> None:
    """Back up a database without any check, then check once. The alerts of that baseline are sent."""
    workspace.ask_for_evidence()
    with workspace.app():
        pass
    workspace.run("backup", "copy.sqlite3")
    workspace.check()
    assert len(take_titles(workspace)) == 2


def test_baseline_missing_from_the_backup_is_not_alerted_again(
    workspace: ApiWorkspace,
) -> None:
    back_up_before_first_check(workspace)
    before = workspace.run("history", "--json").json
    assert "will not be sent again" in workspace.run("restore", "copy.sqlite3", "--force").out
    workspace.run("check", expect=(0, 1))
    assert take_titles(workspace) == []
    assert workspace.run("history", "--json").json == before


@pytest.mark.parametrize("damaged", ["everything", "gone"])
def test_baseline_missing_from_the_backup_gets_the_note_if_alerts_are_unknown(
    workspace: ApiWorkspace, damaged: str
) -> None:
    back_up_before_first_check(workspace)
    if damaged == "everything":
        workspace.database.write_bytes(b"\xa5" * 20_000)
    else:
        for file in workspace.state.glob("watcher.sqlite3*"):
            file.unlink()
    assert "will say so" in workspace.run("restore", "copy.sqlite3").out
    workspace.run("check", expect=(0, 1))
    urgent, watching = workspace.phone.messages
    assert "asks for evidence" in urgent["title"]
    assert [message["message"].count(RESTORE_NOTE) for message in (urgent, watching)] == [1, 1]
    take_titles(workspace)
    show_status(workspace, APPROVED)
    workspace.check()
    (message,) = workspace.phone.messages
    assert RESTORE_NOTE not in message["message"]


def test_known_alert_is_sent_once_although_other_tables_are_lost(
    workspace: ApiWorkspace,
) -> None:
    workspace.phone.status = 500
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    workspace.phone.status = 200
    with workspace.app() as app:
        app.store.outbox.retry(app.clock.now())
        assert app.outbox_worker().deliver_due() == 1
    take_titles(workspace)
    damage(workspace.database, ["case"])
    workspace.run("restore", "copy.sqlite3")
    assert workspace.run("alerts", "--json").json["alerts"][0]["state"] == "sent"
    workspace.run("check", expect=(0, 1))
    assert take_titles(workspace) == []


def test_backup_of_another_database_takes_nothing_over(workspace: ApiWorkspace) -> None:
    back_up_after_check(workspace)
    shutil.rmtree(workspace.state)
    workspace.ask_for_evidence()
    workspace.check()  # the baseline of a new database
    take_titles(workspace)
    assert "will say so" in workspace.run("restore", "copy.sqlite3", "--force").out
    workspace.run("check", expect=(0, 1))
    (message,) = workspace.phone.messages
    assert RESTORE_NOTE in message["message"]
    assert stages(workspace) == ["evidence_requested"]


def test_credential_rejected_since_the_backup_is_not_submitted_again(workspace: ApiWorkspace) -> None:
    back_up_after_check(workspace)
    workspace.api.client_secret = "another-secret"
    workspace.api.valid_tokens.clear()
    with workspace.app() as app:
        assert app.poll("family").outcome.value == "rejected"
        assert app.outbox_worker().deliver_due() == 1
    take_titles(workspace)
    evidence_workspace = workspace.api.token_requests
    damage(workspace.database, ["answer"])
    workspace.run("restore", "copy.sqlite3")
    workspace.run("check", expect=(0, 1))
    damage(workspace.database, ["alert"])
    workspace.run("restore", "copy.sqlite3")
    workspace.run("check", expect=(0, 1))
    assert workspace.api.token_requests == evidence_workspace


def test_second_restore_still_knows_what_was_alerted(workspace: ApiWorkspace) -> None:
    back_up_after_check(workspace)
    workspace.ask_for_evidence()
    workspace.check()
    take_titles(workspace)
    for _ in range(2):
        workspace.run("restore", "copy.sqlite3", "--force")
    workspace.run("check", expect=(0, 1))
    assert take_titles(workspace) == []
    assert stages(workspace) == ["evidence_requested"]


def test_held_alert_stays_held_without_the_note(workspace: ApiWorkspace) -> None:
    """The end of quiet hours, a digest, or an escalation is still to come, so the alert was certainly not sent."""
    workspace.configure(channel='digest = "daily 08:00"')
    workspace.check()
    show_status(workspace, APPROVED)
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    damage(workspace.database, ["alert"])
    workspace.run("restore", "copy.sqlite3")
    with workspace.app() as app:
        (queued,) = app.store.outbox.due(app.clock.now().replace(year=2100))
        text = app.store.outbox.texts([queued.alert.id])[queued.alert.id]
    assert (queued.alert.state, queued.hold_reason) == (AlertState.HELD, HoldReason.DIGEST)
    assert RESTORE_NOTE not in text.body


# --- a waiting escalation and the alert that it escalates ---


def acknowledge(workspace: ApiWorkspace) -> None:
    """Acknowledge the newest alert of the phone."""
    alerts = workspace.run("alerts", "--json").json["alerts"]
    workspace.run("ack", str(next(alert["id"] for alert in alerts if alert["channel"] == "phone")))


def mark_done(workspace: ApiWorkspace) -> None:
    workspace.run("done", "1")


def check_again(workspace: ApiWorkspace) -> None:
    workspace.run("check", expect=(0, 1))


def aunt_alert_states(workspace: ApiWorkspace) -> list[str]:
    """Return the states of the alerts of the channel `aunt`, newest first, without the one about what is watched."""
    alerts = workspace.run("alerts", "--json").json["alerts"]
    *later, first_contact = [alert["state"] for alert in alerts if alert["channel"] == "aunt"]
    assert first_contact == "sent"
    return later


@pytest.fixture
def escalating_workspace(workspace: ApiWorkspace) -> ApiWorkspace:
    """Return a workspace in which evidence was requested after the backup.

    The phone was alerted, `aunt` is due in two hours.
    """
    workspace.configure(extra=f'[channels.aunt]\nurl = "json://{workspace.phone.host}/aunt"\nescalate_after = "2h"\n')
    back_up_after_check(workspace)
    workspace.ask_for_evidence()
    workspace.check()
    assert len(take_titles(workspace)) == 1
    assert aunt_alert_states(workspace) == ["held"]
    return workspace


@pytest.mark.parametrize("steps", [[acknowledge], [mark_done], [check_again, acknowledge], [check_again, mark_done]])
def test_escalation_held_since_the_backup_is_dropped_by_ack_or_done(
    escalating_workspace: ApiWorkspace, steps: list[Callable[[ApiWorkspace], None]]
) -> None:
    escalating_workspace.run("restore", "copy.sqlite3", "--force")
    assert aunt_alert_states(escalating_workspace) == ["held"]
    for step in steps:
        step(escalating_workspace)
    assert aunt_alert_states(escalating_workspace) == ["dropped"]
    with escalating_workspace.app() as app:
        assert app.store.outbox.next_due() is None
    assert take_titles(escalating_workspace) == []


def test_alerts_and_changes_since_the_backup_keep_their_numbers_and_times(escalating_workspace: ApiWorkspace) -> None:
    commands = (("alerts", "--json"), ("history", "--json"))
    before = [escalating_workspace.run(*command).json for command in commands]
    for _ in range(2):
        escalating_workspace.run("restore", "copy.sqlite3", "--force")
        assert [escalating_workspace.run(*command).json for command in commands] == before
    escalating_workspace.run("check", expect=(0, 1))
    assert [escalating_workspace.run(*command).json for command in commands] == before


def test_damaged_history_is_recorded_again_without_a_second_alert(escalating_workspace: ApiWorkspace) -> None:
    damage(escalating_workspace.database, ["change"])
    assert "will not be sent again" in escalating_workspace.run("restore", "copy.sqlite3").out
    assert stages(escalating_workspace) == []
    escalating_workspace.run("check", expect=(0, 1))
    assert stages(escalating_workspace) == ["evidence_requested"]
    assert aunt_alert_states(escalating_workspace) == ["held"]
    assert take_titles(escalating_workspace) == []
    escalating_workspace.run("restore", "copy.sqlite3", "--force")
    escalating_workspace.run("check", expect=(0, 1))
    assert stages(escalating_workspace) == ["evidence_requested"]


def test_records_with_the_same_number_in_two_histories_are_both_kept(escalating_workspace: ApiWorkspace) -> None:
    """The copy is from before another restore. It and the database continued from the same backup."""
    escalating_workspace.run("backup", "other.sqlite3")
    damage(escalating_workspace.database, ["alert", "change"])
    escalating_workspace.run("restore", "copy.sqlite3")
    show_status(escalating_workspace, APPROVED)
    escalating_workspace.check()
    take_titles(escalating_workspace)
    escalating_workspace.run("restore", "other.sqlite3", "--force")
    assert stages(escalating_workspace) == ["evidence_requested", "approved"]
    changes = {change["id"]: change["kind"] for change in escalating_workspace.run("history", "--json").json["changes"]}
    alerts = escalating_workspace.run("alerts", "--json").json["alerts"]
    kinds_by_channel = [
        (alert["channel"], sorted(changes[file] for file in alert["change_ids"])) for alert in reversed(alerts)
    ]
    assert kinds_by_channel[2:] == [
        ("phone", ["rfe_received", "stage_changed"]),
        ("aunt", ["rfe_received", "stage_changed"]),
        ("phone", ["stage_changed"]),
    ]


# --- entries of the user, and letters on disk ---


def items_of(workspace: ApiWorkspace) -> list[tuple[str, str | None, str]]:
    """Return each item's number, due date, and state."""
    (case,) = workspace.run("status", "--json").json["cases"]
    return [(item["id"], item["due_on"], item["state"]) for item in case["pending"]]


def due_day() -> str:
    return (datetime.now(UTC) + timedelta(days=40)).date().isoformat()


@pytest.fixture
def evidence_workspace(workspace: ApiWorkspace) -> ApiWorkspace:
    """Return a workspace whose backup contains a request for evidence, item 1."""
    workspace.ask_for_evidence()
    workspace.check()
    workspace.run("backup", "copy.sqlite3")
    return workspace


def test_entries_of_the_user_since_the_backup_are_kept(evidence_workspace: ApiWorkspace) -> None:
    evidence_workspace.run("done", "1")
    evidence_workspace.run("due", "1", due_day())
    assert "watcher pending" not in evidence_workspace.run("restore", "copy.sqlite3", "--force").out
    assert items_of(evidence_workspace) == [("1", due_day(), "done")]
    evidence_workspace.run("check")
    assert items_of(evidence_workspace) == [("1", due_day(), "done")]


def test_what_the_user_said_of_a_case_since_the_backup_is_kept(workspace: ApiWorkspace) -> None:
    workspace.run("label", RECEIPT, "Work permit", "--person", "Ana")
    back_up(workspace)
    workspace.run("label", RECEIPT, "Green card", "--person", "Maria")
    workspace.run("remind", RECEIPT, due_day(), "Hearing")
    workspace.run("note", RECEIPT, "Called USCIS")
    workspace.run("finish", RECEIPT)
    for _round in range(2):
        workspace.run("restore", "copy.sqlite3", "--force")
        (case,) = workspace.run("status", "--json").json["cases"]
        assert (case["label"], case["person"], case["finished"]) == ("Green card", "Maria", True)
        assert [(item["title"], item["due_on"]) for item in case["pending"]] == [("Hearing", due_day())]
        kinds = [change["kind"] for change in workspace.run("history", "--json").json["changes"]]
        assert kinds == ["note", "case_added"]
    workspace.run("label", RECEIPT, "--clear")
    workspace.run("watch", RECEIPT)
    workspace.run("restore", "copy.sqlite3", "--force")
    (case,) = workspace.run("status", "--json").json["cases"]
    assert (case["label"], case["person"], case["finished"]) == (None, None, False)


def test_label_is_in_the_backup(workspace: ApiWorkspace) -> None:
    workspace.run("label", RECEIPT, "Green card")
    back_up(workspace)
    shutil.rmtree(workspace.state)
    workspace.run("restore", "copy.sqlite3")
    (case,) = workspace.run("status", "--json").json["cases"]
    assert case["label"] == "Green card"


def test_item_done_in_the_backup_stays_open_if_reopened_since(workspace: ApiWorkspace) -> None:
    workspace.ask_for_evidence()
    workspace.check()
    workspace.run("done", "1")
    workspace.run("backup", "copy.sqlite3")
    workspace.run("reopen", "1")
    workspace.run("restore", "copy.sqlite3", "--force")
    assert [state for _, _, state in items_of(workspace)] == ["open"]


def test_item_added_since_the_backup_keeps_its_number_and_entries_of_the_user(
    workspace: ApiWorkspace,
) -> None:
    back_up_after_check(workspace)
    workspace.ask_for_evidence()
    workspace.check()
    workspace.run("due", "1", due_day())
    workspace.run("done", "1")
    workspace.run("restore", "copy.sqlite3", "--force")
    workspace.run("check", expect=(0, 1))
    assert items_of(workspace) == [("1", due_day(), "done")]
    assert stages(workspace) == ["evidence_requested"]


@pytest.mark.parametrize("table", ["alert", "case", "account", "notice"])
def test_damage_outside_the_items_loses_no_entry_of_the_user(evidence_workspace: ApiWorkspace, table: str) -> None:
    evidence_workspace.run("done", "1")
    damage(evidence_workspace.database, [table])
    evidence_workspace.run("restore", "copy.sqlite3")
    assert [state for _, _, state in items_of(evidence_workspace)] == ["done"]


@pytest.mark.parametrize("damaged", ["items", "everything", "gone"])
def test_user_is_asked_to_repeat_entries_that_cannot_be_read(evidence_workspace: ApiWorkspace, damaged: str) -> None:
    evidence_workspace.run("done", "1")
    if damaged == "items":
        damage(evidence_workspace.database, ["item"])
    elif damaged == "everything":
        evidence_workspace.database.write_bytes(b"\xa5" * 20_000)
    else:
        for file in evidence_workspace.state.glob("watcher.sqlite3*"):
            file.unlink()
    assert "Check `watcher pending`" in evidence_workspace.run("restore", "copy.sqlite3").out
    assert [state for _, _, state in items_of(evidence_workspace)] == ["open"]


def test_damaged_items_are_not_taken_over(evidence_workspace: ApiWorkspace) -> None:
    with closing(sqlite3.connect(evidence_workspace.database)) as connection, connection:
        connection.execute("UPDATE item SET document = 'nonsense', state = 'done'")
    damage(evidence_workspace.database, ["alert"])
    evidence_workspace.run("restore", "copy.sqlite3")
    assert [state for _, _, state in items_of(evidence_workspace)] == ["open"]


def test_items_of_another_database_are_not_taken_over(evidence_workspace: ApiWorkspace) -> None:
    shutil.rmtree(evidence_workspace.state)
    evidence_workspace.check()
    evidence_workspace.run("done", "1")
    evidence_workspace.run("restore", "copy.sqlite3", "--force")
    assert [state for _, _, state in items_of(evidence_workspace)] == ["open"]


def test_replaced_database_of_another_release_is_read_by_common_columns(evidence_workspace: ApiWorkspace) -> None:
    evidence_workspace.run("done", "1")
    with closing(sqlite3.connect(evidence_workspace.database)) as connection, connection:
        for table in ("item", "alert", "account", "reminder", "meta", "change", "alert_change"):
            connection.execute(f"ALTER TABLE {table} ADD COLUMN new_to_it TEXT")
    evidence_workspace.run("restore", "copy.sqlite3", "--force")
    assert [state for _, _, state in items_of(evidence_workspace)] == ["done"]


def test_letter_saved_since_the_backup_is_known_and_not_downloaded_again(empty_workspace: Workspace) -> None:
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
