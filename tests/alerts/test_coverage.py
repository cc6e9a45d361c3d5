"""What a channel hears that is only for some cases or people: these, and of their account only that checks fail."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.alerts.compose import compose
from watcher.alerts.coverage import REQUESTS, covers
from watcher.alerts.routing import route
from watcher.model.alert import AlertContext, AlertText, Links
from watcher.model.change import Change, ChangeKind, Json, severity_of
from watcher.model.ledger import UserCase
from watcher.settings import Settings

NOON = datetime(2026, 7, 2, 16, 0, tzinfo=UTC)
LINKS = Links(sign_in="https://portal.example.gov", help="https://portal.example.gov/help")
MARIAS, JUANS = "IOE0900000001", "IOE0900000002"
CASES = (UserCase(number=MARIAS, label="green card", person="Maria López"), UserCase(number=JUANS, person="Juan"))
OFFICE = {"min_severity": "routine"}
CLIENT = {"min_severity": "routine", "people": ["Maria López"]}


def settings_with(**channels: dict[str, Any]) -> Settings:
    return Settings.model_validate(
        {
            "state_dir": "/nowhere",
            "timezone": "America/New_York",
            "channels": {
                name: {"name": name, "url": "json://localhost", "privacy": "full", **rules}
                for name, rules in channels.items()
            },
        }
    )


def about_case(kind: ChangeKind, number: str = MARIAS, person: str | None = "Maria López") -> AlertContext:
    change = Change(kind=kind, severity=severity_of(kind), case_number=number)
    return AlertContext(account="family", portal_title="A portal", links=LINKS, changes=(change,), person=person)


def about_account(kind: ChangeKind, new: Json = None, *, cases: tuple[UserCase, ...] = CASES) -> AlertContext:
    change = Change(kind=kind, severity=severity_of(kind), new=new)
    return AlertContext(
        account="family", portal_title="A portal", links=LINKS, changes=(change,), account_cases=cases, agency="USCIS"
    )


def received(context: AlertContext, **channels: dict[str, Any]) -> set[str]:
    """Return the channels that get an alert."""
    of_all = settings_with(**channels).channels
    return {alert.channel for alert in route(context, of_all, zone=ZoneInfo("America/New_York"), now=NOON)}


def texts(context: AlertContext, **channels: dict[str, Any]) -> dict[str, AlertText]:
    drafts = compose(context, settings_with(**channels), now=NOON).drafts
    return {draft.routed.channel: draft.text for draft in drafts}


@pytest.mark.parametrize(
    ("rules", "number", "person", "is_covered"),
    [
        ({}, MARIAS, None, True),
        ({"cases": ["ioe 0900-000001"]}, MARIAS, None, True),
        ({"cases": [MARIAS]}, JUANS, None, False),
        ({"people": ["MARIA  LO\N{COMBINING ACUTE ACCENT}PEZ"]}, MARIAS, "Maria López", True),
        ({"people": ["Stra\N{LATIN SMALL LETTER SHARP S}er"]}, MARIAS, "STRASSER", True),
        ({"people": ["Maria"]}, MARIAS, "Maria López", False),
        ({"people": ["Maria"]}, MARIAS, None, False),
        ({"people": ["Maria", "Juan"]}, JUANS, "Juan", True),
        ({"people": ["Juan"], "cases": [MARIAS]}, MARIAS, "Juan", True),
        ({"people": ["Juan"], "cases": [MARIAS]}, JUANS, "Juan", False),
        ({"people": ["Juan"], "accounts": ["work"]}, JUANS, "Juan", False),
    ],
)
def test_channel_covers_the_cases_that_all_its_rules_name(
    rules: dict[str, Any],
    number: str,
    person: str | None,
    is_covered: bool,  # noqa: FBT001
) -> None:
    channel = settings_with(phone=rules).channels["phone"]
    assert covers(channel, "family", number, person) is is_covered
    got = received(about_case(ChangeKind.STAGE_CHANGED, number, person), phone=rules)
    assert got == ({"phone"} if is_covered else set())


@given(kind=st.sampled_from(sorted(ChangeKind)), person=st.sampled_from(["Juan", None]))
def test_client_hears_nothing_of_the_case_of_another(kind: ChangeKind, person: str | None) -> None:
    assert received(about_case(kind, JUANS, person), office=OFFICE, client=CLIENT) == {"office"}


@given(kind=st.sampled_from(sorted(set(ChangeKind) - REQUESTS)))
def test_client_hears_everything_else_of_its_case(kind: ChangeKind) -> None:
    assert received(about_case(kind), office=OFFICE, client=CLIENT) == {"office", "client"}


@pytest.mark.parametrize("kind", sorted(REQUESTS))
def test_requests_to_act_on_an_account_go_to_who_can_act(kind: ChangeKind) -> None:
    for context in (about_account(kind), about_case(kind)):
        assert received(context, office=OFFICE, client=CLIENT) == {"office"}
        assert received(context, client=CLIENT, other={**CLIENT, "people": ["Somebody"]}) == {"client"}
        assert received(context, client=CLIENT, lawyer={"escalate_after": "2h"}) >= {"client"}
        assert received(context, client=CLIENT, elsewhere={**OFFICE, "accounts": ["work"]}) == {"client"}
        assert received(context, client=CLIENT, deaf={**OFFICE, "kinds": ["rfe_received"]}) == {"client"}
        assert received(context, office=OFFICE, client={**CLIENT, "kinds": [kind]}) == {"office", "client"}


def test_client_hears_that_its_cases_are_not_checked_and_never_why() -> None:
    reason: Json = {"reason": f"case {JUANS}: no answer", "since": "2026-07-01T16:00:00Z", "attempts": 7}
    context = about_account(ChangeKind.BLIND, reason)
    told = texts(context, office=OFFICE, client=CLIENT, other={**OFFICE, "people": ["Somebody"]})
    assert told.keys() == {"office", "client"}
    assert JUANS in told["office"].body
    assert told["client"].title == "green card: Checks are failing"
    assert all(word not in f"{told['client']}" for word in (JUANS, "7 attempts", "watcher doctor", "family"))
    alone = texts(context, client=CLIENT)["client"]
    assert "watcher doctor" in alone.body, "nobody else can look for the cause"
    assert JUANS not in f"{alone}"


def test_unreadable_answer_is_told_to_clients_alone_without_the_reason() -> None:
    context = about_account(ChangeKind.PORTAL_UNREADABLE, {"reason": f"case {JUANS} lacks its status"})
    assert JUANS in texts(context, office=OFFICE)["office"].body
    assert JUANS not in f"{texts(context, client=CLIENT)['client']}"


@pytest.mark.parametrize(
    ("after", "was_blind", "clients"),
    [("blind", False, True), ("sign_in_rejected", True, True), ("sign_in_rejected", False, False)],
)
def test_client_hears_of_the_end_of_what_it_heard_of(after: str, was_blind: bool, clients: bool) -> None:  # noqa: FBT001
    new: dict[str, Json] = {"after": after, "since": None, "was_blind": was_blind}
    important: dict[str, Any] = {**CLIENT, "min_severity": "important"}
    got = received(about_account(ChangeKind.RECOVERED, new), office=OFFICE, client=important)
    assert got == {"office"} | ({"client"} if clients else set())
    urgent_only = received(
        about_account(ChangeKind.RECOVERED, new), office=OFFICE, client={**CLIENT, "min_severity": "urgent"}
    )
    assert urgent_only == {"office"}, "it did not hear that checks failed"


def test_client_hears_of_a_part_of_the_account_that_fails_for_long_if_its_case_is_in_it() -> None:
    partly = about_account(ChangeKind.PORTAL_UNREADABLE, {"reason": "500", "since": None, "partly": True})
    works = about_account(ChangeKind.RECOVERED, {"after": "portal_unreadable", "since": None})
    for context in (partly, works):
        assert received(context, office=OFFICE, client=CLIENT) == {"office"}
        assert received(replace(context, unread=frozenset({JUANS})), office=OFFICE, client=CLIENT) == {"office"}
        assert received(replace(context, unread=frozenset({MARIAS})), office=OFFICE, client=CLIENT) == {
            "office",
            "client",
        }
    told = texts(replace(partly, unread=frozenset({MARIAS})), office=OFFICE, client=CLIENT)
    assert told["office"].title == "USCIS (family): Part of the account cannot be read"
    assert told["client"].title == "green card: Checks are failing"
    alone = texts(replace(partly, unread=frozenset({JUANS})), client=CLIENT)["client"]
    assert alone.title == "USCIS (family): Part of the account cannot be read", "nobody else can repair it"


def test_client_without_a_case_in_the_account_hears_nothing_of_it() -> None:
    for kind in ChangeKind:
        assert received(about_account(kind, cases=CASES[1:]), client=CLIENT) == set()


def test_failing_channel_is_reported_to_who_can_repair_it() -> None:
    change = Change(kind=ChangeKind.CHANNEL_FAILING, severity=severity_of(ChangeKind.CHANNEL_FAILING), subject="office")
    context = AlertContext(account="", portal_title="", links=None, changes=(change,))
    assert received(context, office=OFFICE, boss=OFFICE, client=CLIENT) == {"boss"}
    assert received(context, office=OFFICE, client=CLIENT) == set()
    change = Change(kind=change.kind, severity=change.severity, subject="mother")
    context = AlertContext(account="", portal_title="", links=None, changes=(change,))
    assert received(context, mother=CLIENT, father={**CLIENT, "people": ["Juan"]}) == {"father"}


def test_wrong_clock_concerns_everybody() -> None:
    change = Change(kind=ChangeKind.CLOCK_SET_BACK, severity=severity_of(ChangeKind.CLOCK_SET_BACK), new={"hours": 5})
    context = AlertContext(account="", portal_title="", links=None, changes=(change,))
    assert received(context, office=OFFICE, client=CLIENT) == {"office", "client"}
