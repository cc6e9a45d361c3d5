from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.alerts.routing import route
from watcher.model.alert import AlertContext, HoldReason, Links, RoutedAlert
from watcher.model.case import Stage
from watcher.model.change import Change, ChangeKind, Json, Severity, severity_of
from watcher.settings import ChannelSettings

NEW_YORK = ZoneInfo("America/New_York")
NIGHT = datetime(2026, 7, 2, 3, 0, tzinfo=UTC)  # 23:00 in New York
MORNING = datetime(2026, 7, 2, 11, 0, tzinfo=UTC)  # 07:00
NOON = datetime(2026, 7, 2, 16, 0, tzinfo=UTC)
LINKS = Links(sign_in="https://portal.example.gov", help="https://portal.example.gov/help")


def change(kind: ChangeKind, *, subject: str | None = None, stage: Stage | None = None, new: Json = None) -> Change:
    severity = severity_of(kind, stage)
    return Change(kind=kind, severity=severity, case_number="IOE0000000001", subject=subject, new=new)


RFE = change(ChangeKind.RFE_RECEIVED, subject="rfe-1")
MOVED = change(ChangeKind.STAGE_CHANGED, stage=Stage.EVIDENCE_REQUESTED)
TOUCHED = change(ChangeKind.SILENT_UPDATE)


def occasion(*changes: Change, account: str = "family") -> AlertContext:
    return AlertContext(account=account, portal_title="A portal", links=LINKS, changes=changes)


def sent(
    changes: Sequence[Change], now: datetime = NOON, *, baseline: bool = False, **rules: object
) -> list[tuple[tuple[int, ...], datetime, HoldReason | None]]:
    channel = ChannelSettings.model_validate({"name": "phone", "url": "json://localhost", **rules})
    found = route(occasion(*changes), {"phone": channel}, zone=NEW_YORK, now=now, baseline=baseline)
    return [(delivery.changes, delivery.not_before, delivery.hold_reason) for delivery in found]


def test_all_changes_of_a_round_are_one_alert_as_severe_as_the_worst_of_them() -> None:
    channel = ChannelSettings.model_validate({"name": "phone", "url": "json://localhost", "min_severity": "routine"})
    assert route(occasion(TOUCHED, MOVED, RFE), {"phone": channel}, zone=NEW_YORK, now=NOON) == [
        RoutedAlert(channel="phone", changes=(0, 1, 2), severity=Severity.URGENT, not_before=NOON, hold_reason=None)
    ]


def test_a_channel_takes_what_is_as_severe_as_it_asks_for() -> None:
    assert sent([TOUCHED, MOVED]) == [((1,), NOON, None)]
    assert sent([TOUCHED, MOVED], min_severity="urgent") == []


def test_a_channel_takes_only_the_kinds_it_names() -> None:
    assert sent([RFE, MOVED], kinds=["stage_changed"]) == [((1,), NOON, None)]


def test_a_channel_takes_only_the_accounts_it_names() -> None:
    channels = {
        name: ChannelSettings.model_validate({"name": name, "url": "json://localhost", "accounts": accounts})
        for name, accounts in {"ours": ["family"], "theirs": ["work"], "all": []}.items()
    }
    found = route(occasion(MOVED), channels, zone=NEW_YORK, now=NOON)
    assert [delivery.channel for delivery in found] == ["ours", "all"]


def test_the_first_read_is_one_alert_for_the_case_and_one_for_each_thing_it_asks_for() -> None:
    added = change(ChangeKind.CASE_ADDED)
    interview = change(ChangeKind.APPOINTMENT_SCHEDULED, subject="interview-1")
    found = sent([added, RFE, interview], baseline=True, min_severity="routine")
    assert [places for places, _, _ in found] == [(0,), (1,), (2,)]


def test_the_end_of_a_blindness_is_told_where_the_blindness_was() -> None:
    seeing = change(ChangeKind.RECOVERED, new={"after": "blind", "since": "2026-07-01T00:00:00Z"})
    signed_in = change(ChangeKind.RECOVERED, new={"after": "sign_in_rejected", "since": None})
    assert sent([seeing]) == [((0,), NOON, None)]
    assert sent([seeing], min_severity="urgent") == []
    assert sent([signed_in], min_severity="urgent") == [((0,), NOON, None)]
    assert sent([seeing], kinds=["stage_changed"]) == []


def test_quiet_hours_hold_back_what_is_not_urgent_until_their_end() -> None:
    assert sent([MOVED], NIGHT, quiet_hours="22:00-07:00") == [((0,), MORNING, HoldReason.QUIET)]
    assert sent([MOVED], MORNING, quiet_hours="22:00-07:00") == [((0,), MORNING, None)]


def test_what_is_urgent_breaks_quiet_hours_unless_told_otherwise() -> None:
    assert sent([RFE, MOVED], NIGHT, quiet_hours="22:00-07:00") == [((0, 1), NIGHT, None)]
    held = sent([RFE], NIGHT, quiet_hours="22:00-07:00", urgent_breaks_quiet=False)
    assert held == [((0,), MORNING, HoldReason.QUIET)]


def test_a_digest_collects_what_is_not_urgent() -> None:
    eight = MORNING + timedelta(hours=1)
    assert sent([MOVED], NIGHT, digest="daily 08:00") == [((0,), eight, HoldReason.DIGEST)]
    assert sent([MOVED, RFE], NIGHT, digest="daily 08:00") == [((0, 1), NIGHT, None)]


def test_a_digest_within_quiet_hours_waits_for_their_end() -> None:
    assert sent([MOVED], NIGHT, digest="daily 06:00", quiet_hours="22:00-07:00") == [((0,), MORNING, HoldReason.DIGEST)]


def test_an_escalation_gets_only_urgent_alerts_and_only_later() -> None:
    assert sent([MOVED], escalate_after="2h") == []
    assert sent([RFE, MOVED], escalate_after="2h") == [((0, 1), NOON + timedelta(hours=2), HoldReason.ESCALATION)]


def test_an_escalation_that_ends_in_quiet_hours_waits_for_their_end_where_it_may_not_break_them() -> None:
    rules: dict[str, Any] = {"escalate_after": "2h", "quiet_hours": "22:00-07:00"}
    assert sent([RFE], NIGHT, **rules) == [((0,), NIGHT + timedelta(hours=2), HoldReason.ESCALATION)]
    assert sent([RFE], NIGHT, urgent_breaks_quiet=False, **rules) == [((0,), MORNING, HoldReason.ESCALATION)]
    assert sent([RFE], NOON, urgent_breaks_quiet=False, **rules) == [
        ((0,), NOON + timedelta(hours=2), HoldReason.ESCALATION)
    ]


@pytest.mark.parametrize("kind", list(ChangeKind))
@given(minutes=st.integers(0, 2 * 366 * 24 * 60), digest=st.sampled_from(["", "daily 06:30", "weekly sun 02:30"]))
def test_nothing_is_lost_and_nothing_but_the_urgent_goes_out_in_quiet_hours(
    kind: ChangeKind, minutes: int, digest: str
) -> None:
    now = NOON + timedelta(minutes=minutes)
    rules = {"min_severity": "routine", "quiet_hours": "22:00-07:00", "digest": digest}
    channel = ChannelSettings.model_validate({"name": "phone", "url": "json://localhost", **rules})
    [delivery] = route(occasion(change(kind)), {"phone": channel}, zone=NEW_YORK, now=now)
    assert delivery.not_before >= now
    if delivery.severity is Severity.URGENT:
        assert (delivery.not_before, delivery.hold_reason) == (now, None)
    else:
        assert 7 <= delivery.not_before.astimezone(NEW_YORK).hour < 22
        assert (delivery.hold_reason is None) is (delivery.not_before == now)
