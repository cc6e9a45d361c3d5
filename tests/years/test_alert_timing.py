"""When alerts are sent: reminders, quiet hours, digests, escalation, and throttling on a real database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.years.household import ACCOUNT, NIGHT, NOON, NUMBER, household
from watcher.errors import UnexpectedAnswer
from watcher.model.alert import AlertState
from watcher.model.appointment_time import Moment
from watcher.model.case import ItemKind, PendingItem, Stage
from watcher.model.change import ChangeKind

MORNING = NIGHT.replace(hour=13)  # eight in New York
QUIET = {"min_severity": "routine", "quiet_hours": "22:00-07:00"}
_RFE = PendingItem(key="rfe", kind=ItemKind.RFE, title="Evidence", due_on=date(2026, 12, 30))
_INTERVIEW = PendingItem(
    key="interview", kind=ItemKind.INTERVIEW, title="Interview", starts_at=Moment(datetime(2027, 1, 4, 15, tzinfo=UTC))
)


def test_reminders_of_one_case_at_the_same_time_are_one_alert(tmp_path: Path) -> None:
    papers = replace(_RFE, key="papers", kind=ItemKind.DOCUMENT_REQUEST)
    with household(tmp_path) as family:
        family.show(pending=(_RFE, papers))
        family.advance_to(datetime(2026, 12, 16, 17, tzinfo=UTC)).new_messages()
        changes = family.record_time_reminders()
        assert [change.change.kind for change in changes] == [ChangeKind.DEADLINE_NEAR] * 2
        (alert,) = family.new_messages()
        assert f"{alert.title}\n{alert.body}".count("14") >= 2
        assert family.record_time_reminders() == []


def test_reminders_of_two_cases_are_two_alerts(tmp_path: Path) -> None:
    with household(tmp_path) as family:
        family.check(replace(family.case, pending=(_RFE,)), replace(family.case, case_number="IOE0000000002"))
        family.advance(days=90).new_messages()
        changes = family.record_time_reminders()
        assert {change.change.case_number for change in changes} == {NUMBER, "IOE0000000002"}
        assert len(family.new_messages()) == 2


def test_reminders_counted_in_days_wait_for_the_morning_and_are_sent_once(tmp_path: Path) -> None:
    with household(tmp_path) as family:
        family.show(pending=(_RFE,))
        family.advance_to(datetime(2026, 12, 16, 5, tzinfo=UTC)).new_messages()  # midnight, fourteen days before
        reminders = []
        for _ in range(96):
            reminders += [(family.clock.now(), change.change.kind) for change in family.record_time_reminders()]
            family.advance(minutes=15)
        assert reminders == [(datetime(2026, 12, 16, 13, tzinfo=UTC), ChangeKind.DEADLINE_NEAR)]


def test_reminders_at_any_hour_are_recorded_at_night(tmp_path: Path) -> None:
    with household(tmp_path) as family:
        family.show(pending=(_RFE,))
        family.advance_to(datetime(2026, 12, 16, 8, tzinfo=UTC))
        assert family.record_time_reminders() == []
        assert len(family.app.record_time_reminders()) == 1


def test_reminders_counted_in_hours_are_sent_at_night_too(tmp_path: Path) -> None:
    at_dawn = replace(_INTERVIEW, starts_at=Moment(datetime(2027, 1, 4, 11, tzinfo=UTC)))  # six in New York
    with household(tmp_path, appointments={"remind": ["1d", "2h"]}) as family:
        family.show(pending=(at_dawn,))
        family.advance_to(datetime(2027, 1, 4, 9, tzinfo=UTC)).new_messages()
        (reminders,) = family.record_time_reminders()
        assert reminders.change.kind is ChangeKind.DEADLINE_NEAR
        assert len(family.new_messages()) == 1


def test_a_held_reminder_is_not_sent_after_its_item_is_done(tmp_path: Path) -> None:
    with household(tmp_path, {"grandma": QUIET | {"urgent_breaks_quiet": False}}) as family:
        family.show(pending=(_RFE,))
        family.advance_to(datetime(2026, 12, 16, 8, tzinfo=UTC)).new_messages()
        assert family.app.record_time_reminders()
        family.set_done("rfe")
        assert family.advance_to(datetime(2026, 12, 20, 17, tzinfo=UTC)).new_messages() == []
        assert family.record_time_reminders() == []


def test_done_drops_only_alerts_about_nothing_else(tmp_path: Path) -> None:
    with household(tmp_path, {"grandma": QUIET | {"urgent_breaks_quiet": False}}) as family:
        other = replace(_RFE, key="papers", kind=ItemKind.DOCUMENT_REQUEST)
        family.show(pending=(_RFE, other))
        family.advance_to(datetime(2026, 12, 16, 8, tzinfo=UTC)).new_messages()
        assert len(family.app.record_time_reminders()) == 2
        family.set_done("rfe")
        assert len(family.advance(hours=12).new_messages()) == 1


def test_a_stall_in_a_digest_is_dropped_after_a_later_urgent_alert(tmp_path: Path) -> None:
    with household(tmp_path, {"brother": {"min_severity": "routine", "digest": "weekly sun 09:00"}}) as family:
        family.check()
        family.advance(days=91).new_messages()
        assert family.record_time_reminders()
        family.advance(hours=1).show(stage=Stage.INTERVIEW, status="Another", pending=(_INTERVIEW,))
        assert len(family.new_messages()) == 1, "the urgent alert does not wait"
        assert family.advance(days=8).new_messages() == []


def test_quiet_hours_hold_all_alerts_except_urgent_ones_and_lose_none(tmp_path: Path) -> None:
    with household(tmp_path, {"phone": QUIET}, now=NIGHT) as family:
        family.check()
        assert family.new_messages() == []
        family.show(stage=Stage.EVIDENCE_REQUESTED, pending=(_RFE,))
        (urgent,) = family.new_messages()
        assert "evidence" in urgent.body.lower()
        (morning,) = family.advance_to(MORNING).new_messages()
        assert morning.at == NIGHT.replace(hour=12)


def test_an_unacknowledged_alert_escalates(tmp_path: Path) -> None:
    channels = {"phone": {}, "lawyer": {"escalate_after": "2h"}}
    with household(tmp_path, channels) as family:
        family.check()
        family.new_messages()
        family.show(pending=(_RFE,))
        assert {message.channel for message in family.new_messages()} == {"phone"}
        (message,) = family.advance(hours=3).new_messages()
        assert (message.channel, message.at) == ("lawyer", NOON + timedelta(hours=2))


def test_ack_and_done_end_an_escalation(tmp_path: Path) -> None:
    channels = {"phone": {}, "lawyer": {"escalate_after": "2h"}}
    with household(tmp_path, channels) as family:
        family.check()
        family.show(pending=(_RFE,))
        family.new_messages()
        phone = next(alert for alert in family.app.store.outbox.list() if alert.channel == "phone")
        assert family.app.store.outbox.acknowledge(phone.id, family.clock.now())
        family.show(pending=(_RFE, _INTERVIEW))
        family.new_messages()
        family.set_done("interview")
        assert family.advance(hours=5).new_messages() == []


def test_a_change_of_all_cases_gives_few_messages_that_name_every_case(tmp_path: Path) -> None:
    with household(tmp_path, {"phone": {"min_severity": "routine", "max_per_hour": 5}}) as family:
        snapshots = [replace(family.case, case_number=f"IOE00000{index:05}") for index in range(60)]
        family.check(*snapshots)
        family.advance(hours=30).new_messages()
        family.check(*[replace(snapshot, status="Other words for the same") for snapshot in snapshots])
        messages = family.advance(hours=6).new_messages()
        assert 1 <= len(messages) <= 6
        assert all(any(snapshot.case_number in message.body for message in messages) for snapshot in snapshots)
        assert family.app.store.outbox.counts()[AlertState.QUEUED] == 0


def test_a_repeated_failure_is_reported_once(tmp_path: Path) -> None:
    with household(tmp_path) as family:
        family.check()
        family.advance(hours=4).new_messages()
        for _ in range(60):
            family.fail(UnexpectedAnswer("the page had another shape"))
            family.record_time_reminders()
            family.advance(hours=4)
        assert [change.change.kind for change in family.app.store.history(accounts=[ACCOUNT])][:2] == [
            ChangeKind.BLIND,
            ChangeKind.PORTAL_UNREADABLE,
        ]
        assert len(family.new_messages()) == 2
        family.check()
        assert len(family.new_messages()) == 1, "and its end once"


def test_processing_times_are_reloaded_and_a_fault_in_them_loses_no_reminder(tmp_path: Path) -> None:
    file = tmp_path / "times.csv"
    file.write_text("form,days\nI-485,60\n")
    stall = {"after": "30d", "repeat": "30d", "published": {"I-485": 500}, "published_file": file}
    with household(tmp_path, stall=stall) as family:
        family.show(submitted_on=date(2026, 11, 1))
        contents = []
        for text in ("I-485,60\n", "I-485,70\n", "I-485,soon\n"):
            file.write_text(text)
            family.advance(days=31)
            contents += [change.change.new for change in family.record_time_reminders()]
    assert [snapshot["published_days"] for snapshot in contents if isinstance(snapshot, dict)] == [60, 70, 500]


def test_after_a_week_of_downtime_an_alert_is_not_given_up_at_its_first_failure(tmp_path: Path) -> None:
    with household(tmp_path) as family:
        family.check()
        family.clock.set(NOON + timedelta(days=8))
        family.phones.unreachable = True
        family.app.outbox_worker().deliver_due()
        assert family.app.store.outbox.counts()[AlertState.FAILED] == 0
        family.phones.unreachable = False
        assert len(family.advance(hours=1).new_messages()) == 1
