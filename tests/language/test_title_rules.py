"""The rules of the vocabularies against titles that portals have shown, and against words that mislead."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.language.template_examples import examples
from watcher.language.explanation import explain
from watcher.language.status_meaning import Meaning, matching_templates, meaning_of, titles, vocabularies
from watcher.model.case import ItemKind, Stage
from watcher.model.change import Severity

_ORDER = ("uscis", "ceac", "ircc", "general")
_NOT_BY_RULE = 0.1
"""The share of the reported titles that no template covers: labels, and sentences with no second of their kind."""


def rows(name: str) -> Iterator[list[str]]:
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    return (line.split("\t") for line in [line for line in lines if not line.startswith("#")][1:])


def kinds(names: str) -> frozenset[ItemKind]:
    return frozenset(ItemKind(name) for name in names.split(",") if name)


REPORTED = list(rows("reported_titles.tsv"))
MISLEADING = list(rows("misleading_titles.tsv"))
SENTENCES = list(rows("uscis_sentences.tsv"))


@cache
def reading(title: str) -> Meaning:
    """Return the meaning in the first vocabulary that covers the title, or the first that asks for something."""
    meanings = [meaning_of(title, vocabulary=name) for name in _ORDER]
    return next((meaning for meaning in meanings if meaning.known or meaning.asks), meanings[0])


def effects(meaning: Meaning) -> tuple[object, ...]:
    return meaning.stage, meaning.asks, meaning.answers, meaning.cancels, meaning.severity


@pytest.mark.parametrize("row", REPORTED, ids=[row[0][:60] for row in REPORTED])
def test_reported_title_has_a_right_stage_and_its_effects(row: list[str]) -> None:
    title, stages, asks, answers, cancels, severity, _ = row
    meaning = reading(title)
    assert meaning.stage.value in stages.split(",")
    assert (meaning.asks or "") == asks
    assert (meaning.answers, meaning.cancels) == (kinds(answers), kinds(cancels))
    assert meaning.severity is Severity(severity)


@pytest.mark.parametrize("row", MISLEADING, ids=[row[0][:60] for row in MISLEADING])
def test_misleading_words_are_not_read_as_what_they_resemble(row: list[str]) -> None:
    title, stages, asks, cancels = row
    meaning = reading(title)
    assert meaning.stage.value in stages.split(",")
    assert (meaning.asks or "") == asks
    assert (meaning.answers, meaning.cancels) == (frozenset(), kinds(cancels))


@pytest.mark.parametrize(("title", "sentence"), SENTENCES, ids=[f"{row[0][:50]}" for row in SENTENCES])
def test_sentence_below_a_title_means_the_same_as_the_title(title: str, sentence: str) -> None:
    assert effects(meaning_of(sentence)) == effects(meaning_of(title))


def test_rules_alone_read_most_reported_titles_and_none_wrongly() -> None:
    """Hold every reported title out of the table at once: only the templates are left to read it."""
    missed = 0
    for title, stages, *_ in REPORTED:
        by_rule = [meaning for name in _ORDER for meaning in matching_templates(title, vocabulary=name)]
        assert {meaning.stage.value for meaning in by_rule} <= set(stages.split(",")), title
        missed += not by_rule
    assert missed <= _NOT_BY_RULE * len(REPORTED)


def test_rules_never_contradict_a_listed_title_or_each_other() -> None:
    for name in vocabularies():
        for title in (*titles(name), *(row[0] for row in REPORTED), *(sentence for _, sentence in SENTENCES)):
            by_rule = matching_templates(title, vocabulary=name)
            assert len({effects(meaning) for meaning in by_rule}) <= 1, title
            if by_rule and title in titles(name):
                assert effects(by_rule[0]) == effects(meaning_of(title, vocabulary=name)), title


@pytest.mark.parametrize("name", vocabularies())
def test_title_that_two_rules_cover_means_the_same_by_both(name: str) -> None:
    for group, title in examples(name, count=6):
        by_rule = matching_templates(title, vocabulary=name)
        assert len({effects(meaning) for meaning in by_rule}) == 1, title
        assert by_rule[0].stage.value == group["stage"], title
        assert effects(meaning_of(title, vocabulary=name)) == effects(by_rule[0]), title


@pytest.mark.parametrize(
    "name", ["Petition for Alien Relative", "Notice of Appeal or Motion", "Request for Fee Waiver"]
)
def test_only_an_official_name_may_follow_a_form_number(name: str) -> None:
    assert meaning_of(f"We approved your Form I-130, {name}").stage is Stage.APPROVED
    assert not meaning_of(f"We approved your Form I-130, {name} Withdrawn").known
    assert not meaning_of(f"We approved your Form I-130, No {name}").known


@pytest.mark.parametrize(
    ("title", "severity"),
    [
        ("Case Is On Hold", Severity.URGENT),
        ("Interview Cancelled", Severity.URGENT),
        ("Card Was Destroyed", Severity.URGENT),
        ("Form G-28 Was Rejected Because It Was Improperly Filed", Severity.URGENT),
        ("Notice of Intent to Deny Was Sent", Severity.URGENT),
        ("A notice of intent to deny is on its way", Severity.URGENT),
        ("Something USCIS has never said", Severity.IMPORTANT),
        ("Interview Was Completed", Severity.IMPORTANT),
        ("Expedite Request Denied", Severity.IMPORTANT),
        ("Request Was Rejected", Severity.IMPORTANT),
        ("Name Was Updated", Severity.ROUTINE),
        ("Case Was Transferred And A New Office Has Jurisdiction", Severity.ROUTINE),
        ("Fee Refund Was Mailed", Severity.ROUTINE),
    ],
)
def test_words_say_how_severe_they_are(title: str, severity: Severity) -> None:
    assert meaning_of(title).severity is severity


def test_citizenship_application_that_ended_well_is_explained_with_care() -> None:
    explanation = explain("closedSuccessful")
    assert explanation.stage is Stage.CLOSED
    assert "closedSuccessful" in explanation.plain
