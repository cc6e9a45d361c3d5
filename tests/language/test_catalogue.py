"""The catalogues, as a translator may break them."""

import re
import string
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.language.catalogue import LANGUAGES, Catalogue, format_text, load_catalogue
from watcher.model.case import ItemKind, ItemState, Stage
from watcher.model.change import ChangeKind
from watcher.model.ledger import DueSource

OTHERS = [language for language in LANGUAGES if language != "en"]
PARTLY_TRANSLATED = {"fr"}
"""Languages whose [entry] section may lack entries: the words of the stage stand in for them."""


def leaves(content: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def names(text: str) -> set[str]:
    return set(re.findall(r"\{([a-z_]+)\}", text))


ENGLISH = dict(leaves(load_catalogue("en").content))


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_same_keys_as_the_english(language: str) -> None:
    theirs = dict(leaves(load_catalogue(language).content))
    missing = ENGLISH.keys() - theirs.keys()
    if language in PARTLY_TRANSLATED:
        missing = {path for path in missing if path[0] != "entry"}
    assert not missing
    assert not theirs.keys() - ENGLISH.keys()


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_names_what_the_english_names(language: str) -> None:
    theirs = dict(leaves(load_catalogue(language).content))
    assert [path for path in theirs if names(theirs[path]) != names(ENGLISH[path])] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_template_is_well_formed(language: str) -> None:
    for path, text in leaves(load_catalogue(language).content):
        left = re.sub(r"\{[a-z_]+\}", "", re.sub(r"\[([^\[\]]*)\]", r"\1", text))
        assert not set(left) & set("[]{}"), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_but_a_placeholder_for_the_first_of_the_month_is_empty(language: str) -> None:
    empty = [path for path, text in leaves(load_catalogue(language).content) if not text.strip()]
    assert empty in ([], [("dates", "first")])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_year_has_twelve_months_and_a_week_seven_days(language: str) -> None:
    words = load_catalogue(language)
    assert len(words.message("dates", "months").split()) == 12
    assert len(words.message("dates", "weekdays").split()) == 7


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_stage_item_state_source_and_kind_of_change_has_its_words(language: str) -> None:
    words = load_catalogue(language)
    for section, kinds in (("stage", Stage), ("item", ItemKind)):
        for kind in kinds:
            assert all(words.message(section, kind.value, part) for part in ("name", "plain", "next")), kind
    assert all(words.message("item_state", state.value) for state in ItemState)
    assert all(words.message("due_source", source.value) for source in DueSource)
    for change in ChangeKind:
        assert words.message("change", change.value, "line"), change
        assert words.message("change", change.value, "headline"), change


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_name_no_address_and_promise_nothing(language: str) -> None:
    for path, text in leaves(load_catalogue(language).content):
        assert not re.search(r"https?:|www\.", text), path
        assert not re.search(r"\bguarantee|\bcertainly|\bgarantiza|\bgaranti[rt]", text, re.IGNORECASE), path


def test_the_english_entries_are_those_that_the_vocabularies_name() -> None:
    named = set()
    for file in resources.files("watcher.language").joinpath("vocabulary").iterdir():
        if file.name.endswith(".toml"):
            groups = tomllib.loads(file.read_text(encoding="utf-8"))["group"]
            named |= {group["entry"] for group in groups if "entry" in group}
    entries = set(load_catalogue("en").content["entry"])
    assert entries == named - {kind.value for kind in ItemKind}


@pytest.mark.parametrize(
    ("template", "fields", "filled"),
    [
        ("{kind}[: {title}][, due {due}]", {"kind": "Fee", "title": "", "due": "May 1"}, "Fee, due May 1"),
        ("{kind}[: {title} of {place}]", {"kind": "Fee", "title": "Pay"}, "Fee"),
        ("{kind} {nothing}.", {"kind": "Fee"}, "Fee ."),
        ("[{a}]", {"a": "[{b}]", "b": "no"}, "[{b}]"),
        ("plain", {}, "plain"),
    ],
)
def test_a_part_in_brackets_goes_where_a_name_in_it_says_nothing(
    template: str, fields: dict[str, str], filled: str
) -> None:
    assert format_text(template, fields) == filled


@given(st.text(), st.dictionaries(st.text(string.ascii_lowercase, min_size=1, max_size=3), st.text()))
def test_filling_never_fails(template: str, fields: dict[str, str]) -> None:
    assert isinstance(format_text(template, fields), str)


@pytest.mark.parametrize(
    ("language", "number", "said"),
    [
        ("en", 0, "0 days"), ("en", 1, "1 day"), ("en", 2, "2 days"), ("en", -1, "-1 day"),
        ("es", 1, "1 día"), ("es", 0, "0 días"), ("fr", 0, "0 jour"), ("fr", 2, "2 jours"),
    ],
)  # fmt: skip
def test_a_number_agrees_with_its_unit(language: str, number: int, said: str) -> None:
    assert load_catalogue(language).plural("days", number) == said


def test_words_that_are_not_there_are_empty() -> None:
    words = Catalogue("en", {"a": {"b": "c"}})
    assert [words.message("a", "b"), words.message("a"), words.message("a", "b", "c"), words.message("z")] == [
        "c",
        "",
        "",
        "",
    ]
