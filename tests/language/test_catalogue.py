"""Checks of the catalogues for mistakes of translators."""

import re
import string
import tomllib
from collections.abc import Iterator
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.language.catalogue import english_messages, format_text, load_catalogue
from watcher.messages import LANGUAGES
from watcher.model.case import ItemKind, ItemState, Stage
from watcher.model.change import ChangeKind
from watcher.model.ledger import DueSource


def messages(language: str) -> Iterator[tuple[tuple[str, ...], str]]:
    catalogue = load_catalogue(language)
    return ((path, catalogue.message(*path)) for path in english_messages())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_template_is_well_formed(language: str) -> None:
    for path, text in messages(language):
        left = re.sub(r"\{[a-z_]+\}", "", re.sub(r"\[([^\[\]]*)\]", r"\1", text))
        assert not set(left) & set("[]{}"), path


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
    for path, text in messages(language):
        assert not re.search(r"https?:|www\.", text), path
        assert not re.search(r"\bguarantee|\bcertainly|\bgarantiza|\bgaranti[rt]", text, re.IGNORECASE), path


def test_english_entries_are_those_of_the_vocabularies() -> None:
    used = set()
    for file in resources.files("watcher.language").joinpath("vocabulary").iterdir():
        if file.name.endswith(".toml"):
            groups = tomllib.loads(file.read_text(encoding="utf-8"))["group"]
            used |= {group["entry"] for group in groups if "entry" in group}
    entries = {path[1] for path in english_messages() if path[0] == "entry"}
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_missing_message_is_empty(language: str) -> None:
    catalogue = load_catalogue(language)
    assert [catalogue.message(*path) for path in [("general",), ("general", "next", "c"), ("z",)]] == ["", "", ""]
