"""The plan says what routing does."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.alerts.coverage import REQUESTS
from watcher.alerts.plan import SEVERITIES, plan_of_account, plan_of_case
from watcher.alerts.routing import route
from watcher.clock.quiet_hours import QuietHours
from watcher.model.alert import AlertContext, HoldReason, Links
from watcher.model.change import Change, ChangeKind, severities_of, severity_of
from watcher.model.ledger import UserCase
from watcher.settings import ChannelSettings

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 7, 2, 16, 0, tzinfo=UTC)
LINKS = Links(sign_in="https://portal.example.gov", help="https://portal.example.gov/help")
MARIAS, JUANS = "IOE0900000001", "IOE0900000002"
ABOUT_ACCOUNTS = REQUESTS | {ChangeKind.BLIND, ChangeKind.RECOVERED, ChangeKind.CLOCK_SET_BACK, ChangeKind.NOTE}

rules = st.fixed_dictionaries(
    {},
    optional={
        "min_severity": st.sampled_from(["urgent", "important", "routine"]),
        "kinds": st.sets(st.sampled_from(sorted(ChangeKind)), max_size=3).map(list),
        "people": st.sampled_from([[], ["maria"], ["Juan"], ["Maria", "Juan"]]),
        "cases": st.sampled_from([[], [MARIAS]]),
        "accounts": st.sampled_from([[], ["family"], ["work"]]),
        "quiet_hours": st.sampled_from(["", "22:00-07:00", "11:00-13:00"]),
        "urgent_breaks_quiet": st.booleans(),
        "digest": st.sampled_from(["", "daily 06:00", "daily 12:00"]),
        "escalate_after": st.sampled_from(["", "2h"]),
    },
)


def channels_with(*of_each: dict[str, Any]) -> dict[str, ChannelSettings]:
    return {
        f"channel-{index}": ChannelSettings.model_validate(
            {"name": f"channel-{index}", "url": "json://localhost", **of_channel}
        )
        for index, of_channel in enumerate(of_each)
    }


@given(of_each=st.lists(rules, min_size=1, max_size=3), hour=st.integers(0, 23))
@settings(max_examples=60)
def test_plan_of_a_case_names_the_channels_that_routing_chooses_and_when(
    of_each: list[dict[str, Any]], hour: int
) -> None:
    channels, now = channels_with(*of_each), NOW.replace(hour=hour)
    for number, person in ((MARIAS, "Maria"), (JUANS, "Juan"), (JUANS, None)):
        for severity, recipients in zip(SEVERITIES, plan_of_case(channels, "family", number, person), strict=True):
            planned = {recipient.channel: recipient for recipient in recipients}
            routed: set[str] = set()
            for kind in set(ChangeKind) - ABOUT_ACCOUNTS:
                if severity not in severities_of(kind):
                    continue
                change = Change(kind=kind, severity=severity, case_number=number)
                context = AlertContext(
                    account="family", portal_title="A portal", links=LINKS, changes=(change,), person=person
                )
                for alert in route(context, channels, zone=ZONE, now=now):
                    timing, kinds = planned[alert.channel].timing, planned[alert.channel].kinds
                    assert not kinds or kind in kinds
                    assert (alert.hold_reason is HoldReason.ESCALATION) == (timing.escalate_after is not None)
                    assert (alert.hold_reason is HoldReason.DIGEST) == (timing.digest is not None)
                    assert timing.quiet_hours is not None or alert.hold_reason is not HoldReason.QUIET
                    routed.add(alert.channel)
            assert routed == planned.keys()


@given(of_each=st.lists(rules, min_size=1, max_size=3))
@settings(max_examples=60)
def test_plan_of_an_account_names_the_channels_that_routing_chooses(of_each: list[dict[str, Any]]) -> None:
    channels = channels_with(*of_each)
    cases = (UserCase(number=MARIAS, person="Maria"), UserCase(number=JUANS, person="Juan"))
    for kind in (ChangeKind.SIGN_IN_REJECTED, ChangeKind.BLIND):
        change = Change(kind=kind, severity=severity_of(kind))
        context = AlertContext(
            account="family", portal_title="A portal", links=LINKS, changes=(change,), account_cases=cases
        )
        routed = [alert.channel for alert in route(context, channels, zone=ZONE, now=NOW)]
        assert [recipient.channel for recipient in plan_of_account(channels, context, kind)] == routed


@pytest.mark.parametrize("text", ["22:00-07:00", "11:00-13:00", "00:00-00:01"])
def test_quiet_hours_include_the_times_at_which_they_apply(text: str) -> None:
    quiet_hours, midnight = QuietHours.parse(text), datetime(2026, 7, 2, tzinfo=ZONE)
    for minutes in range(0, 24 * 60, 10):
        moment = midnight + timedelta(minutes=minutes)
        at = time(moment.hour, moment.minute)
        assert quiet_hours.include(at) == (quiet_hours.ends_after(moment.astimezone(UTC), ZONE) is not None)
