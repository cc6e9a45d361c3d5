"""A status in the agency's own language: its translation stands in every text of an alert."""

from zoneinfo import ZoneInfo

import pytest

from watcher.alerts.first_contact import FirstContact, WatchedCase, render_first_contact
from watcher.alerts.rendering import render
from watcher.alerts.style import Detail, TextStyle
from watcher.language.catalogue import load_catalogue
from watcher.model.alert import AlertContext, AlertText, Links
from watcher.model.case import Snapshot, Stage
from watcher.model.change import Change, ChangeKind, Severity

CASE = Snapshot(case_number="visa 1", status="심사중", stage=Stage.UNDER_REVIEW, language="ko")
PLAIN = {"en": "Under review", "es": "En estudio", "fr": "En cours d'examen"}
LINKS = Links(sign_in="https://visa.example.gov/", help="https://visa.example.gov/")
CHANGE = Change(
    kind=ChangeKind.STATUS_CHANGED,
    severity=Severity.IMPORTANT,
    case_number="visa 1",
    old={"status": "접수"},
    new={"status": "심사중"},
)


def alert(snapshot: Snapshot, *changes: Change, language: str = "en", detail: Detail = "short") -> AlertText:
    context = AlertContext(
        account="family",
        portal_title="recipe",
        agency="Visa Portal",
        links=LINKS,
        changes=changes,
        snapshot=snapshot,
        plain_status=PLAIN,
    )
    return render(context, privacy="masked", language=language, zone=ZoneInfo("UTC"), detail=detail)


@pytest.mark.parametrize("detail", ["short", "full"])
@pytest.mark.parametrize(("language", "words"), PLAIN.items())
def test_alert_has_the_agencys_words_and_what_they_mean(language: str, words: str, detail: Detail) -> None:
    text = alert(CASE, CHANGE, language=language, detail=detail)
    assert "심사중" in text.title
    assert words in text.body
    assert words in text.short, "the alphabet of an SMS lacks the agency's letters"


def test_translation_that_says_the_same_is_left_out() -> None:
    same = Snapshot(case_number="visa 1", status="UNDER REVIEW", stage=Stage.UNDER_REVIEW)
    assert "In English" not in alert(same, CHANGE).body


def test_alert_about_something_else_does_not_translate_the_status() -> None:
    other = Change(kind=ChangeKind.STALLED, severity=Severity.IMPORTANT, case_number="visa 1", new={"days": 90})
    assert "In English" not in alert(CASE, other).body


def test_first_alert_translates_the_status_of_each_case() -> None:
    case = WatchedCase(snapshot=CASE, plain_status=PLAIN)
    contact = FirstContact(account="family", portal_title="Visa Portal", link=LINKS.sign_in, cases=[case])
    style = TextStyle(catalogue=load_catalogue("es"), zone=ZoneInfo("UTC"), privacy="full")
    assert "«심사중» («En estudio»)" in render_first_contact(contact, style).body
