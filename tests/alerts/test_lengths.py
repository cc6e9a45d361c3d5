"""Every alert fits a phone. Run with `-s` to see the longest. The five years and the moods check theirs as they run."""

from dataclasses import replace
from typing import get_args
from zoneinfo import ZoneInfo

from tests.alerts.alert_contexts import alert_context, change, examples
from tests.support.lengths import Longest
from watcher.alerts.first_contact import FirstContact, WatchedCase, render_first_contact
from watcher.alerts.rendering import render
from watcher.alerts.style import Detail, Privacy, TextStyle
from watcher.language.catalogue import load_catalogue
from watcher.language.status_meaning import titles
from watcher.messages import LANGUAGES
from watcher.model.case import Snapshot, Stage
from watcher.model.change import Change, ChangeKind, Json, severity_of

ZONE = ZoneInfo("America/New_York")
STYLES = [
    (language, privacy, detail)
    for language in LANGUAGES
    for privacy in get_args(Privacy)
    for detail in get_args(Detail)
]


def test_every_example_fits_and_the_longest_is_printed() -> None:
    longest = Longest()
    for context in examples().values():
        for language, privacy, detail in STYLES:
            alert = render(context, privacy=privacy, language=language, zone=ZONE, detail=detail)
            longest.check(title=alert.title, body=alert.body, short=alert.short, detail=detail)
    print(longest.report())  # noqa: T201 - what the test is for


def test_every_known_status_fits() -> None:
    longest = Longest()
    for words in titles("uscis"):
        for stage in (Stage.UNDER_REVIEW, Stage.DENIED):
            new: Json = {"stage": stage.value, "status": words, "since": "2026-09-30", "description": words * 30}
            moved = Change(
                kind=ChangeKind.STAGE_CHANGED, severity=severity_of(ChangeKind.STAGE_CHANGED, stage), new=new,
                old={"stage": "evidence_requested", "status": "Case Was Received"}, case_number="IOE0000000001",
            )  # fmt: skip
            for detail in get_args(Detail):
                alert = render(alert_context(moved), privacy="full", language="fr", zone=ZONE, detail=detail)
                longest.check(title=alert.title, body=alert.body, short=alert.short, detail=detail)


def test_alert_with_many_changes_fits_and_counts_those_left_out() -> None:
    letters = [replace(change(ChangeKind.NOTICE_ADDED), subject=f"l-{number}") for number in range(30)]
    context = alert_context(change(ChangeKind.RFE_RECEIVED), *letters)
    for detail in get_args(Detail):
        alert = render(context, privacy="full", language="en", zone=ZONE, detail=detail)
        shown = alert.body.count("New document")
        assert f"- and {30 - shown} more" in alert.body
        Longest().check(title=alert.title, body=alert.body, short=alert.short, detail=detail)


def test_first_alert_about_many_cases_fits() -> None:
    cases = [
        WatchedCase(
            snapshot=Snapshot(case_number=f"IOE00000{index:05}", form="I-485", stage=Stage.RECEIVED, status="Received")
        )
        for index in range(60)
    ]
    contact = FirstContact(account="family", portal_title="USCIS", link="https://my.uscis.gov/", cases=cases)
    for language, privacy, detail in STYLES:
        style = TextStyle(catalogue=load_catalogue(language), zone=ZONE, privacy=privacy)
        alert = render_first_contact(contact, style, detail)
        Longest().check(title=alert.title, body=alert.body, short=alert.short, detail=detail)
