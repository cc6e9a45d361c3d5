from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.language.catalogue import LANGUAGES, load_catalogue
from watcher.language.explanation import explain, explain_item, explain_status
from watcher.language.status_meaning import titles, vocabularies
from watcher.model.case import ItemKind, Stage

OFFICIAL = ("uscis.gov", "state.gov", "canada.ca")
EVERY_TITLE = sorted({title for name in vocabularies() for title in titles(name)})


def is_official(page: str) -> bool:
    host = urlsplit(page).hostname or ""
    return page.startswith("https://") and any(host == name or host.endswith(f".{name}") for name in OFFICIAL)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", [*EVERY_TITLE, *map(str, Stage), *map(str, ItemKind), "Never heard of it", ""])
def test_everything_has_plain_words_what_follows_an_official_page_and_the_sentence_about_advice(
    text: str, language: str
) -> None:
    said = explain(text, language=language)
    assert said.text == text
    assert said.plain
    assert said.next
    assert is_official(said.page)
    assert said.advice == load_catalogue(language).message("general", "advice")


@pytest.mark.parametrize("title", EVERY_TITLE)
def test_every_title_is_known_and_in_a_stage(title: str) -> None:
    said = explain(title)
    assert said.known
    assert said.stage is not Stage.UNKNOWN


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.UNKNOWN])
def test_a_stage_is_explained_by_its_key_and_by_its_name(stage: Stage, language: str) -> None:
    name = load_catalogue(language).message("stage", stage.value, "name")
    by_key = explain(stage.value.upper(), language=language)
    assert by_key.stage is stage
    assert by_key.plain == load_catalogue(language).message("stage", stage.value, "plain")
    if name not in {load_catalogue(language).message("item", kind.value, "name") for kind in ItemKind}:
        assert explain(name, language=language).stage is stage


@pytest.mark.parametrize(
    ("text", "stage", "says"),
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
        ("Form G-28 Was Rejected Because It Was Improperly Filed", Stage.REJECTED, "still where it was"),
        ("completed", Stage.CLOSED, "does not say how"),
        ("Interview Cancelled", Stage.INTERVIEW, "says nothing about the outcome"),
        ("Travel Authorization Decision Posted", Stage.UNDER_REVIEW, "does not guess"),
    ],
)  # fmt: skip
def test_the_words_that_frighten_people_are_explained_with_care(text: str, stage: Stage, says: str) -> None:
    said = explain(text)
    assert said.stage is stage
    assert says in said.plain


def test_words_that_no_rule_knows_are_said_to_be_new() -> None:
    said = explain("The Stars Are Favourable")
    assert (said.stage, said.known) == (Stage.UNKNOWN, False)
    assert "new to this program" in said.plain


def test_unknown_words_that_ask_for_something_say_what() -> None:
    said = explain("Request for Further Evidence Was Emailed")
    assert (said.stage, said.known) == (Stage.UNKNOWN, False)
    assert "Request for evidence" in said.plain
    assert "due date" in said.next


def test_unknown_itself_is_not_a_known_status() -> None:
    assert not explain("unknown").known


@given(st.text(max_size=200), st.sampled_from([*LANGUAGES, "xx"]))
def test_any_text_is_explained(text: str, language: str) -> None:
    said = explain(text, language=language)
    assert said.known == (said.stage is not Stage.UNKNOWN)
    assert said.plain


def test_the_french_page_is_the_french_one() -> None:
    assert explain("inProgress", language="fr").page.startswith("https://www.canada.ca/fr/")
    assert explain("inProgress", language="en").page.startswith("https://www.canada.ca/en/")


def test_a_status_whose_stage_says_otherwise_is_explained_by_the_stage() -> None:
    words = load_catalogue("en")
    denied_in_canada = explain_status("Refused", Stage.DENIED, words)
    assert "consulate" not in denied_in_canada.plain
    approved = explain_status("Travel Authorization Decision Posted", Stage.APPROVED, words)
    assert approved.plain == words.message("stage", "approved", "plain")


def test_an_item_is_explained_by_the_status_that_made_it_else_by_its_kind() -> None:
    words = load_catalogue("en")
    assert "180 days" in explain_item(ItemKind.TASK, "Card Was Returned To USCIS", words).plain
    assert explain_item(ItemKind.TASK, "Sign here", words).plain == words.message("item", "task", "plain")
