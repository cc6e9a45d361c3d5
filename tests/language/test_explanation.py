from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.language.catalogue import load_catalogue
from watcher.language.explanation import explain, explain_item, explain_status
from watcher.language.status_meaning import titles, vocabularies
from watcher.messages import LANGUAGES
from watcher.model.case import ItemKind, Stage

OFFICIAL = ("uscis.gov", "state.gov", "canada.ca", "gov.cz", "gob.es", "mazowieckie.pl", "gov.in", "gov.vn")
EVERY_TITLE = sorted({title for name in vocabularies() for title in titles(name)})


def is_official(page: str) -> bool:
    host = urlsplit(page).hostname or ""
    return page.startswith("https://") and any(host == name or host.endswith(f".{name}") for name in OFFICIAL)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", [*EVERY_TITLE, *map(str, Stage), *map(str, ItemKind), "Never heard of it", ""])
def test_every_explanation_is_complete_with_an_official_page_and_the_advice_note(text: str, language: str) -> None:
    explanation = explain(text, language=language)
    assert explanation.text == text
    assert explanation.plain
    assert explanation.next
    assert is_official(explanation.page)
    assert explanation.advice == load_catalogue(language).message("general", "advice")


@pytest.mark.parametrize("title", EVERY_TITLE)
def test_every_title_is_known_and_has_a_stage(title: str) -> None:
    explanation = explain(title)
    assert explanation.known
    assert explanation.stage is not Stage.UNKNOWN


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.UNKNOWN])
def test_stage_is_found_by_its_key_and_by_its_name(stage: Stage, language: str) -> None:
    name = load_catalogue(language).message("stage", stage.value, "name")
    by_key = explain(stage.value.upper(), language=language)
    assert by_key.stage is stage
    assert by_key.plain == load_catalogue(language).message("stage", stage.value, "plain")
    if name not in {load_catalogue(language).message("item", kind.value, "name") for kind in ItemKind}:
        assert explain(name, language=language).stage is stage


@pytest.mark.parametrize(
    ("text", "stage", "expected"),
    [
        ("RFE", Stage.EVIDENCE_REQUESTED, "is not a denial"),
        ("noid", Stage.EVIDENCE_REQUESTED, "not yet a decision"),
        ("Intent to Revoke Notice Was Sent", Stage.EVIDENCE_REQUESTED, "take back"),
        ("Case Was Denied", Stage.DENIED, "decided against"),
        ("Refused", Stage.REFUSED, "administrative processing"),
        ("Refused under INA 221(g)", Stage.REFUSED, "very often it is not final"),
        ("221(g)", Stage.REFUSED, "very often it is not final"),
        ("Refused under INA 212(a)(4)", Stage.REFUSED, "often not the end"),
        ("Administrative Processing", Stage.ADMINISTRATIVE_PROCESSING, "not a final decision"),
        ("Case Transferred To Another Office", Stage.TRANSFERRED, "neither good nor bad"),
        ("Case Was Reopened", Stage.UNDER_REVIEW, "opened the case again"),
        ("returned mail", Stage.EVIDENCE_REQUESTED, "A letter to you came back"),
        ("Card Was Returned To USCIS", Stage.ISSUED, "180 days"),
        ("Case Remains Pending", Stage.UNDER_REVIEW, "nothing has been decided"),
        ("Case Was Rejected Because It Was Improperly Filed", Stage.REJECTED, "not a denial"),
        ("Expedite Request Denied", Stage.UNDER_REVIEW, "The case itself was not denied"),
        ("Form G-28 Was Rejected Because It Was Improperly Filed", Stage.UNDER_REVIEW, "still where it was"),
        ("completed", Stage.CLOSED, "does not say how"),
        ("Interview Cancelled", Stage.INTERVIEW, "says nothing about the outcome"),
        ("Travel Authorization Decision Posted", Stage.UNDER_REVIEW, "does not guess"),
    ],
)  # fmt: skip
def test_frightening_statuses_are_explained_with_care(text: str, stage: Stage, expected: str) -> None:
    explanation = explain(text)
    assert explanation.stage is stage
    assert expected in explanation.plain


def test_unknown_text_is_explained_as_new() -> None:
    explanation = explain("The Stars Are Favourable")
    assert (explanation.stage, explanation.known) == (Stage.UNKNOWN, False)
    assert "does not recognize" in explanation.plain


def test_unknown_text_that_requests_something_says_what() -> None:
    explanation = explain("A Request for Evidence Is on Its Way")
    assert (explanation.stage, explanation.known) == (Stage.UNKNOWN, False)
    assert "Request for evidence" in explanation.plain
    assert "due date" in explanation.next


def test_unknown_is_not_a_known_status() -> None:
    assert not explain("unknown").known


@given(st.text(max_size=200), st.sampled_from([*LANGUAGES, "xx"]))
def test_any_text_is_explained(text: str, language: str) -> None:
    explanation = explain(text, language=language)
    assert explanation.known == (explanation.stage is not Stage.UNKNOWN)
    assert explanation.plain


def test_page_in_french_is_the_french_one() -> None:
    assert explain("inProgress", language="fr").page.startswith("https://www.canada.ca/fr/")
    assert explain("inProgress", language="en").page.startswith("https://www.canada.ca/en/")


def test_status_with_another_stage_is_explained_by_that_stage() -> None:
    catalogue = load_catalogue("en")
    denied_in_canada = explain_status("Refused", Stage.DENIED, catalogue)
    assert "consulate" not in denied_in_canada.plain
    approved = explain_status("Travel Authorization Decision Posted", Stage.APPROVED, catalogue)
    assert approved.plain == catalogue.message("stage", "approved", "plain")


def test_item_is_explained_by_its_status_or_else_by_its_kind() -> None:
    catalogue = load_catalogue("en")
    assert "180 days" in explain_item(ItemKind.TASK, "Card Was Returned To USCIS", catalogue).plain
    assert explain_item(ItemKind.TASK, "Sign here", catalogue).plain == catalogue.message("item", "task", "plain")
