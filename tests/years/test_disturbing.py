"""When it may disturb and when it must: reminders, nights, digests, escalation and floods on a real database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.years.house import ACCOUNT, NIGHT, NOON, NUMBER, house
from watcher.errors import UnexpectedAnswer
from watcher.model.alert import AlertState
from watcher.model.case import ItemKind, PendingItem, Stage
from watcher.model.change import ChangeKind

MORNING = NIGHT.replace(hour=13)  # eight in New York
QUIET = {"min_severity": "routine", "quiet_hours": "22:00-07:00"}
_RFE = PendingItem(key="rfe", kind=ItemKind.RFE, title="Evidence", due_on=date(2026, 12, 30))
_INTERVIEW = PendingItem(
    key="interview", kind=ItemKind.INTERVIEW, title="Interview", starts_at=datetime(2027, 1, 4, 15, tzinfo=UTC)
)


def test_what_time_brings_to_one_case_at_once_is_one_alert(tmp_path: Path) -> None:
    papers = replace(_RFE, key="papers", kind=ItemKind.DOCUMENT_REQUEST)
    with house(tmp_path) as family:
        family.shows(pending=(_RFE, papers))
        family.at(datetime(2026, 12, 16, 17, tzinfo=UTC)).rings()
        brought = family.time_brings()
        assert [change.change.kind for change in brought] == [ChangeKind.DEADLINE_NEAR] * 2
        (alert,) = family.rings()
        assert alert.body.count("14") >= 2
        assert family.time_brings() == []


def test_two_cases_are_two_alerts(tmp_path: Path) -> None:
    with house(tmp_path) as family:
        family.read(replace(family.case, pending=(_RFE,)), replace(family.case, case_number="IOE0000000002"))
        family.later(days=90).rings()
        brought = family.time_brings()
        assert {change.change.case_number for change in brought} == {NUMBER, "IOE0000000002"}
        assert len(family.rings()) == 2


def test_what_is_counted_in_days_waits_for_the_morning_and_comes_once(tmp_path: Path) -> None:
    with house(tmp_path) as family:
        family.shows(pending=(_RFE,))
        family.at(datetime(2026, 12, 16, 5, tzinfo=UTC)).rings()  # midnight, fourteen days before
        told = []
        for _ in range(96):
            told += [(family.clock.now(), change.change.kind) for change in family.time_brings()]
            family.later(minutes=15)
        assert told == [(datetime(2026, 12, 16, 13, tzinfo=UTC), ChangeKind.DEADLINE_NEAR)]


def test_whoever_asks_at_night_hears_it_at_night(tmp_path: Path) -> None:
    with house(tmp_path) as family:
        family.shows(pending=(_RFE,))
        family.at(datetime(2026, 12, 16, 8, tzinfo=UTC))
        assert family.time_brings() == []
        assert len(family.app.record_time_reminders()) == 1


def test_what_is_counted_in_hours_comes_at_its_hour_also_at_night(tmp_path: Path) -> None:
    at_dawn = replace(_INTERVIEW, starts_at=datetime(2027, 1, 4, 11, tzinfo=UTC))  # six in New York
    with house(tmp_path, appointments={"remind": ["1d", "2h"]}) as family:
        family.shows(pending=(at_dawn,))
        family.at(datetime(2027, 1, 4, 9, tzinfo=UTC)).rings()
        (told,) = family.time_brings()
        assert told.change.kind is ChangeKind.DEADLINE_NEAR
        assert len(family.rings()) == 1


def test_a_reminder_that_waits_for_the_morning_is_not_sent_once_the_item_is_done(tmp_path: Path) -> None:
    with house(tmp_path, {"grandma": QUIET | {"urgent_breaks_quiet": False}}) as family:
        family.shows(pending=(_RFE,))
        family.at(datetime(2026, 12, 16, 8, tzinfo=UTC)).rings()
        assert family.app.record_time_reminders()
        family.done("rfe")
        assert family.at(datetime(2026, 12, 20, 17, tzinfo=UTC)).rings() == []
        assert family.time_brings() == []


def test_done_keeps_back_only_what_says_nothing_else(tmp_path: Path) -> None:
    with house(tmp_path, {"grandma": QUIET | {"urgent_breaks_quiet": False}}) as family:
        other = replace(_RFE, key="papers", kind=ItemKind.DOCUMENT_REQUEST)
        family.shows(pending=(_RFE, other))
        family.at(datetime(2026, 12, 16, 8, tzinfo=UTC)).rings()
        assert len(family.app.record_time_reminders()) == 2
        family.done("rfe")
        assert len(family.later(hours=12).rings()) == 1


def test_a_stall_in_the_digest_is_dropped_when_an_urgent_alert_has_gone_past_it(tmp_path: Path) -> None:
    with house(tmp_path, {"brother": {"min_severity": "routine", "digest": "weekly sun 09:00"}}) as family:
        family.read()
        family.later(days=91).rings()
        assert family.time_brings()
        family.later(hours=1).shows(stage=Stage.INTERVIEW, status="Another", pending=(_INTERVIEW,))
        assert len(family.rings()) == 1, "the urgent alert does not wait"
        assert family.later(days=8).rings() == []


def test_a_night_is_silent_but_for_what_is_urgent_and_nothing_is_lost_in_it(tmp_path: Path) -> None:
    with house(tmp_path, {"phone": QUIET}, now=NIGHT) as family:
        family.read()
        assert family.rings() == []
        family.shows(stage=Stage.EVIDENCE_REQUESTED, pending=(_RFE,))
        (urgent,) = family.rings()
        assert "evidence" in urgent.body.lower()
        (morning,) = family.at(MORNING).rings()
        assert morning.at == NIGHT.replace(hour=12)


def test_escalation_reaches_only_those_whom_nobody_has_answered_for(tmp_path: Path) -> None:
    channels = {"phone": {}, "lawyer": {"escalate_after": "2h"}}
    with house(tmp_path, channels) as family:
        family.read()
        family.rings()
        family.shows(pending=(_RFE,))
        assert {rang.channel for rang in family.rings()} == {"phone"}
        (lawyers,) = family.later(hours=3).rings()
        assert (lawyers.channel, lawyers.at) == ("lawyer", NOON + timedelta(hours=2))


def test_ack_and_done_end_an_escalation(tmp_path: Path) -> None:
    channels = {"phone": {}, "lawyer": {"escalate_after": "2h"}}
    with house(tmp_path, channels) as family:
        family.read()
        family.shows(pending=(_RFE,))
        family.rings()
        phone = next(alert for alert in family.app.store.outbox.list() if alert.channel == "phone")
        assert family.app.store.outbox.acknowledge(phone.id, family.clock.now())
        family.shows(pending=(_RFE, _INTERVIEW))
        family.rings()
        family.done("interview")
        assert family.later(hours=5).rings() == []


def test_a_mass_relabelling_is_few_messages_and_loses_nobody(tmp_path: Path) -> None:
    with house(tmp_path, {"phone": {"min_severity": "routine", "max_per_hour": 5}}) as family:
        many = [replace(family.case, case_number=f"IOE00000{place:05}") for place in range(60)]
        family.read(*many)
        family.later(hours=30).rings()
        family.read(*[replace(each, status="Other words for the same") for each in many])
        messages = family.later(hours=6).rings()
        assert 1 <= len(messages) <= 6
        assert all(any(each.case_number in rang.body for rang in messages) for each in many)
        assert family.app.store.outbox.counts()[AlertState.QUEUED] == 0


def test_a_failure_that_repeats_for_days_is_told_once(tmp_path: Path) -> None:
    with house(tmp_path) as family:
        family.read()
        family.later(hours=4).rings()
        for _ in range(60):
            family.fail(UnexpectedAnswer("the page had another shape"))
            family.time_brings()
            family.later(hours=4)
        assert [change.change.kind for change in family.app.store.history(accounts=[ACCOUNT])][:2] == [
            ChangeKind.BLIND,
            ChangeKind.PORTAL_UNREADABLE,
        ]
        assert len(family.rings()) == 2
        family.read()
        assert len(family.rings()) == 1, "and its end once"


def test_the_published_times_are_read_anew_and_a_fault_in_them_costs_no_reminder(tmp_path: Path) -> None:
    file = tmp_path / "times.csv"
    file.write_text("form,days\nI-485,60\n")
    stall = {"after": "30d", "repeat": "30d", "published": {"I-485": 500}, "published_file": file}
    with house(tmp_path, stall=stall) as family:
        family.shows(submitted_on=date(2026, 11, 1))
        said = []
        for text in ("I-485,60\n", "I-485,70\n", "I-485,soon\n"):
            file.write_text(text)
            family.later(days=31)
            said += [change.change.new for change in family.time_brings()]
    assert [each["published_days"] for each in said if isinstance(each, dict)] == [60, 70, 500]


def test_a_machine_that_slept_through_the_week_gives_no_alert_up_at_its_first_failure(tmp_path: Path) -> None:
    with house(tmp_path) as family:
        family.read()
        family.clock.set(NOON + timedelta(days=8))
        family.phones.deaf = True
        family.app.outbox_worker().deliver_due()
        assert family.app.store.outbox.counts()[AlertState.FAILED] == 0
        family.phones.deaf = False
        assert len(family.later(hours=1).rings()) == 1
