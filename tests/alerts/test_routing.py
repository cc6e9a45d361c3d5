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


def alert_context(*changes: Change, account: str = "family") -> AlertContext:
    return AlertContext(account=account, portal_title="A portal", links=LINKS, changes=changes)


def routed_alerts(
    changes: Sequence[Change], now: datetime = NOON, *, baseline: bool = False, **rules: object
) -> list[tuple[tuple[int, ...], datetime, HoldReason | None]]:
    channel = ChannelSettings.model_validate({"name": "phone", "url": "json://localhost", **rules})
    alerts = route(alert_context(*changes), {"phone": channel}, zone=NEW_YORK, now=now, baseline=baseline)
    return [(alert.changes, alert.not_before, alert.hold_reason) for alert in alerts]


def test_changes_of_one_check_are_one_alert_with_the_highest_severity() -> None:
    channel = ChannelSettings.model_validate({"name": "phone", "url": "json://localhost", "min_severity": "routine"})
    assert route(alert_context(TOUCHED, MOVED, RFE), {"phone": channel}, zone=NEW_YORK, now=NOON) == [
        RoutedAlert(channel="phone", changes=(0, 1, 2), severity=Severity.URGENT, not_before=NOON, hold_reason=None)
    ]


def test_channel_gets_changes_of_its_minimum_severity() -> None:
    assert routed_alerts([TOUCHED, MOVED]) == [((1,), NOON, None)]
    assert routed_alerts([TOUCHED, MOVED], min_severity="urgent") == []


@pytest.mark.parametrize(
    ("kind", "reason", "goes_along"),
    [
        ("rfe", "unlisted", True),
        ("rfe", "nothing_outstanding", True),
        ("intent_to_deny", "cancelled", True),
        ("rfe", "answered", False),
        ("rfe", "case_ended", False),
        ("interview", "time_passed", False),
    ],
)
def test_alert_about_a_case_says_that_a_request_may_need_no_answer(kind: str, reason: str, goes_along: bool) -> None:  # noqa: FBT001
    closed = change(ChangeKind.ITEM_CLOSED, subject="rfe-1", new={"kind": kind, "reason": reason})
    assert routed_alerts([closed, MOVED]) == [((0, 1) if goes_along else (1,), NOON, None)]
    assert routed_alerts([closed]) == []
    assert routed_alerts([closed, MOVED], kinds=["stage_changed"]) == [((1,), NOON, None)]


def test_channel_gets_only_its_kinds() -> None:
    assert routed_alerts([RFE, MOVED], kinds=["stage_changed"]) == [((1,), NOON, None)]


def test_channel_gets_only_its_accounts() -> None:
    channels = {
        name: ChannelSettings.model_validate({"name": name, "url": "json://localhost", "accounts": accounts})
        for name, accounts in {"ours": ["family"], "theirs": ["work"], "all": []}.items()
    }
    alerts = route(alert_context(MOVED), channels, zone=NEW_YORK, now=NOON)
    assert [alert.channel for alert in alerts] == ["ours", "all"]


def test_first_check_gives_one_alert_for_the_case_and_one_per_item() -> None:
    added = change(ChangeKind.CASE_ADDED)
    interview = change(ChangeKind.APPOINTMENT_SCHEDULED, subject="interview-1")
    alerts = routed_alerts([added, RFE, interview], baseline=True, min_severity="routine")
    assert [changes for changes, _, _ in alerts] == [(0,), (1,), (2,)]


def test_recovery_goes_to_channels_that_got_the_problem() -> None:
    checks_work = change(ChangeKind.RECOVERED, new={"after": "blind", "since": "2026-07-01T00:00:00Z"})
    signed_in = change(ChangeKind.RECOVERED, new={"after": "sign_in_rejected", "since": None})
    assert routed_alerts([checks_work]) == [((0,), NOON, None)]
    assert routed_alerts([checks_work], min_severity="urgent") == []
    assert routed_alerts([signed_in], min_severity="urgent") == [((0,), NOON, None)]
    assert routed_alerts([checks_work], kinds=["stage_changed"]) == []


def test_quiet_hours_hold_alerts_that_are_not_urgent() -> None:
    assert routed_alerts([MOVED], NIGHT, quiet_hours="22:00-07:00") == [((0,), MORNING, HoldReason.QUIET)]
    assert routed_alerts([MOVED], MORNING, quiet_hours="22:00-07:00") == [((0,), MORNING, None)]


def test_urgent_alert_ignores_quiet_hours_unless_configured_otherwise() -> None:
    assert routed_alerts([RFE, MOVED], NIGHT, quiet_hours="22:00-07:00") == [((0, 1), NIGHT, None)]
    held = routed_alerts([RFE], NIGHT, quiet_hours="22:00-07:00", urgent_breaks_quiet=False)
    assert held == [((0,), MORNING, HoldReason.QUIET)]


def test_digest_collects_alerts_that_are_not_urgent() -> None:
    eight = MORNING + timedelta(hours=1)
    assert routed_alerts([MOVED], NIGHT, digest="daily 08:00") == [((0,), eight, HoldReason.DIGEST)]
    assert routed_alerts([MOVED, RFE], NIGHT, digest="daily 08:00") == [((0, 1), NIGHT, None)]


def test_digest_in_quiet_hours_waits_for_their_end() -> None:
    assert routed_alerts([MOVED], NIGHT, digest="daily 06:00", quiet_hours="22:00-07:00") == [
        ((0,), MORNING, HoldReason.DIGEST)
    ]


def test_escalation_channel_gets_only_urgent_alerts_with_a_delay() -> None:
    assert routed_alerts([MOVED], escalate_after="2h") == []
    assert routed_alerts([RFE, MOVED], escalate_after="2h") == [
        ((0, 1), NOON + timedelta(hours=2), HoldReason.ESCALATION)
    ]


def test_escalation_in_quiet_hours_waits_for_their_end_unless_urgent_breaks_quiet() -> None:
    rules: dict[str, Any] = {"escalate_after": "2h", "quiet_hours": "22:00-07:00"}
    assert routed_alerts([RFE], NIGHT, **rules) == [((0,), NIGHT + timedelta(hours=2), HoldReason.ESCALATION)]
    assert routed_alerts([RFE], NIGHT, urgent_breaks_quiet=False, **rules) == [((0,), MORNING, HoldReason.ESCALATION)]
    assert routed_alerts([RFE], NOON, urgent_breaks_quiet=False, **rules) == [
        ((0,), NOON + timedelta(hours=2), HoldReason.ESCALATION)
    ]


@pytest.mark.parametrize("kind", list(ChangeKind))
@given(minutes=st.integers(0, 2 * 366 * 24 * 60), digest=st.sampled_from(["", "daily 06:30", "weekly sun 02:30"]))
def test_every_change_is_routed_and_only_urgent_ones_in_quiet_hours(
    kind: ChangeKind, minutes: int, digest: str
) -> None:
    now = NOON + timedelta(minutes=minutes)
    rules = {"min_severity": "routine", "quiet_hours": "22:00-07:00", "digest": digest}
    channel = ChannelSettings.model_validate({"name": "phone", "url": "json://localhost", **rules})
    [routed] = route(alert_context(change(kind)), {"phone": channel}, zone=NEW_YORK, now=now)
    assert routed.not_before >= now
    if routed.severity is Severity.URGENT:
        assert (routed.not_before, routed.hold_reason) == (now, None)
    else:
        assert 7 <= routed.not_before.astimezone(NEW_YORK).hour < 22
        assert (routed.hold_reason is None) is (routed.not_before == now)
