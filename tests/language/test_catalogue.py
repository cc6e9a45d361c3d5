"""Checks of the catalogues for mistakes of translators."""

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
"""Languages whose [entry] section may be incomplete: the explanation of the stage is used instead."""


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
def test_translation_has_the_same_keys_as_english(language: str) -> None:
    translation = dict(leaves(load_catalogue(language).content))
    missing = ENGLISH.keys() - translation.keys()
    if language in PARTLY_TRANSLATED:
        missing = {path for path in missing if path[0] != "entry"}
    assert not missing
    assert not translation.keys() - ENGLISH.keys()


@pytest.mark.parametrize("language", OTHERS)
def test_translation_has_the_same_fields_as_english(language: str) -> None:
    translation = dict(leaves(load_catalogue(language).content))
    assert [path for path in translation if names(translation[path]) != names(ENGLISH[path])] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_template_is_well_formed(language: str) -> None:
    for path, text in leaves(load_catalogue(language).content):
        left = re.sub(r"\{[a-z_]+\}", "", re.sub(r"\[([^\[\]]*)\]", r"\1", text))
        assert not set(left) & set("[]{}"), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_the_form_of_the_first_day_of_a_month_may_be_empty(language: str) -> None:
    empty = [path for path, text in leaves(load_catalogue(language).content) if not text.strip()]
    assert empty in ([], [("dates", "first")])


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_twelve_months_and_seven_weekdays(language: str) -> None:
    catalogue = load_catalogue(language)
    assert len(catalogue.message("dates", "months").split()) == 12
    assert len(catalogue.message("dates", "weekdays").split()) == 7


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_stage_item_state_source_and_change_kind_has_its_messages(language: str) -> None:
    catalogue = load_catalogue(language)
    for section, kinds in (("stage", Stage), ("item", ItemKind)):
        for kind in kinds:
            assert all(catalogue.message(section, kind.value, part) for part in ("name", "plain", "next")), kind
    assert all(catalogue.message("item_state", state.value) for state in ItemState)
    assert all(catalogue.message("due_source", source.value) for source in DueSource)
    for change in ChangeKind:
        assert catalogue.message("change", change.value, "line"), change
        assert catalogue.message("change", change.value, "headline"), change


@pytest.mark.parametrize("language", LANGUAGES)
def test_messages_contain_no_address_and_no_promise(language: str) -> None:
    for path, text in leaves(load_catalogue(language).content):
        assert not re.search(r"https?:|www\.", text), path
        assert not re.search(r"\bguarantee|\bcertainly|\bgarantiza|\bgaranti[rt]", text, re.IGNORECASE), path


def test_english_entries_are_those_of_the_vocabularies() -> None:
    used = set()
    for file in resources.files("watcher.language").joinpath("vocabulary").iterdir():
        if file.name.endswith(".toml"):
            groups = tomllib.loads(file.read_text(encoding="utf-8"))["group"]
            used |= {group["entry"] for group in groups if "entry" in group}
    entries = set(load_catalogue("en").content["entry"])
    assert entries == used - {kind.value for kind in ItemKind}


@pytest.mark.parametrize(
    ("template", "fields", "expected"),
    [
        ("{kind}[: {title}][, due {due}]", {"kind": "Fee", "title": "", "due": "May 1"}, "Fee, due May 1"),
        ("{kind}[: {title} of {place}]", {"kind": "Fee", "title": "Pay"}, "Fee"),
        ("{kind} {nothing}.", {"kind": "Fee"}, "Fee ."),
        ("[{a}]", {"a": "[{b}]", "b": "no"}, "[{b}]"),
        ("plain", {}, "plain"),
    ],
)
def test_part_in_brackets_is_omitted_if_a_field_in_it_is_empty(
    template: str, fields: dict[str, str], expected: str
) -> None:
    assert format_text(template, fields) == expected


@given(st.text(), st.dictionaries(st.text(string.ascii_lowercase, min_size=1, max_size=3), st.text()))
def test_format_text_never_fails(template: str, fields: dict[str, str]) -> None:
    assert isinstance(format_text(template, fields), str)


@pytest.mark.parametrize(
    ("language", "number", "expected"),
    [
        ("en", 0, "0 days"), ("en", 1, "1 day"), ("en", 2, "2 days"), ("en", -1, "-1 day"),
        ("es", 1, "1 día"), ("es", 0, "0 días"), ("fr", 0, "0 jour"), ("fr", 2, "2 jours"),
    ],
)  # fmt: skip
def test_unit_has_the_form_for_its_number(language: str, number: int, expected: str) -> None:
    assert load_catalogue(language).plural("days", number) == expected


def test_missing_message_is_empty() -> None:
    catalogue = Catalogue("en", {"a": {"b": "c"}})
    assert [
        catalogue.message("a", "b"),
        catalogue.message("a"),
        catalogue.message("a", "b", "c"),
        catalogue.message("z"),
    ] == [
        "c",
        "",
        "",
        "",
    ]
