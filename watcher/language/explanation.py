"""Plain-language explanations of statuses. Pure, except that it reads the catalogues once.

The texts are in `catalogues/*.toml`. They say what a status usually means and what usually comes next, never what will
happen or what people should do in their own case.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from watcher.language.catalogue import Catalogue, load_catalogue
from watcher.language.status_meaning import Meaning, meaning_of
from watcher.language.title_pattern import normalize_title
from watcher.messages import LANGUAGES
from watcher.model.case import PORTAL_ITEM_KINDS, ItemKind, Stage

_VOCABULARIES = ("uscis", "ceac", "ircc", "general", "ipc", "extranjeria", "inpol", "india_evisa", "vietnam_evisa")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A status in plain language.

    `known` is false if no rule covers the text; `stage` is then `unknown`. `page` is an official page from a fixed
    table. `advice` says that this is not legal advice, and must be shown wherever `plain` is shown.
    """

    text: str
    stage: Stage
    known: bool
    plain: str
    next: str
    page: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GlossaryText:
    """An entry of the glossary: what a status or item means, and what usually comes next."""

    plain: str
    next: str


def explain(text: str, *, language: str = "en") -> Explanation:
    """Explain `text`: a status in any portal's words, a stage, or a kind of pending item."""
    catalogue = load_catalogue(language)
    match = _match_concept(text) or _match_title(text)
    if match is None:
        return _unknown(text, catalogue)
    vocabulary, meaning = match
    glossary_text = _glossary_text(meaning, catalogue)
    return Explanation(
        text=text,
        stage=meaning.stage,
        known=True,
        plain=_translated(text, meaning, catalogue) + glossary_text.plain,
        next=glossary_text.next,
        page=_page(vocabulary, meaning, catalogue.language),
        advice=catalogue.message("general", "advice"),
    )


def _translated(text: str, meaning: Meaning, catalogue: Catalogue) -> str:
    """Return the translation of a title in another language, as a sentence before others; "" if there is none."""
    words = meaning.plain.get(catalogue.language, "")
    if not words or words.casefold() == text.casefold():
        return ""
    quoted = catalogue.format("general", "quoted", text=words)
    return catalogue.format("general", "translated", words=quoted) + ". "


def explain_status(title: str, stage: Stage, catalogue: Catalogue) -> GlossaryText:
    """Explain a status of a known stage: by its title if that has an entry, else by the stage."""
    for vocabulary in _VOCABULARIES:
        meaning = meaning_of(title, vocabulary=vocabulary)
        if meaning.known and meaning.stage is stage:
            return _glossary_text(meaning, catalogue)
    return _glossary_text(Meaning(stage=stage), catalogue)


def explain_item(kind: ItemKind, title: str, catalogue: Catalogue) -> GlossaryText:
    """Explain a pending item: by the status it was created from if that has an entry, else by its kind."""
    meaning = meaning_of(title)
    if meaning.asks is kind and meaning.entry:
        return _glossary_text(meaning, catalogue)
    return _glossary_text(Meaning(entry=kind.value), catalogue)


def _match_title(text: str) -> tuple[str, Meaning] | None:
    for vocabulary in _VOCABULARIES:
        meaning = meaning_of(text, vocabulary=vocabulary)
        if meaning.known:
            return vocabulary, meaning
    return None


def _match_concept(text: str) -> tuple[str, Meaning] | None:
    key = _concepts().get(normalize_title(text).replace("_", " "))
    if key is None:
        return None
    if key in set(Stage):
        return _vocabulary_of(key), Meaning(stage=Stage(key), known=True)
    return _vocabulary_of(key), Meaning(stage=_stage_of(key), known=True, entry=key)


@cache
def _concepts() -> dict[str, str]:
    """Map every name of a stage or item, in any language, and every alias to its key."""
    names: dict[str, str] = {}
    for section, kinds in (("item", PORTAL_ITEM_KINDS), ("stage", Stage)):
        for kind in kinds:
            names |= {
                normalize_title(load_catalogue(language).message(section, kind, "name")): kind.value
                for language in LANGUAGES
            }
            names[kind.value.replace("_", " ")] = kind.value
    del names["unknown"]
    return {normalize_title(alias): key for alias, key in _glossary()["aliases"].items()} | names


def _stage_of(entry: str) -> Stage:
    """Return the stage of an item kind, or of the titles that the glossary entry explains."""
    item_stages: Mapping[str, str] = _glossary()["item_stage"]
    return Stage(item_stages.get(entry) or _glossary()["entry_stage"][entry])


def _vocabulary_of(key: str) -> str:
    is_consular = key.startswith("refused") or key == Stage.ADMINISTRATIVE_PROCESSING
    return "ceac" if is_consular else "general"


def _glossary_text(meaning: Meaning, catalogue: Catalogue) -> GlossaryText:
    for path in (("entry", meaning.entry or ""), ("item", meaning.entry or ""), ("stage", meaning.stage.value)):
        if catalogue.message(*path, "plain"):
            return GlossaryText(plain=catalogue.message(*path, "plain"), next=catalogue.message(*path, "next"))
    return GlossaryText(
        plain=catalogue.message("stage", "unknown", "plain"), next=catalogue.message("stage", "unknown", "next")
    )


def _unknown(text: str, catalogue: Catalogue) -> Explanation:
    asks = next((asks for name in _VOCABULARIES if (asks := meaning_of(text, vocabulary=name).asks)), None)
    glossary_text = _glossary_text(Meaning(), catalogue)
    if asks is not None:
        kind = catalogue.message("item", asks.value, "name")
        glossary_text = GlossaryText(
            plain=f"{glossary_text.plain} {catalogue.format('general', 'seems_to_ask', kind=kind)}",
            next=_glossary_text(Meaning(entry=asks.value), catalogue).next,
        )
    return Explanation(
        text=text,
        stage=Stage.UNKNOWN,
        known=False,
        plain=glossary_text.plain,
        next=glossary_text.next,
        page=_page("general", Meaning(), catalogue.language),
        advice=catalogue.message("general", "advice"),
    )


def _page(vocabulary: str, meaning: Meaning, language: str) -> str:
    pages: Mapping[str, Mapping[str, str]] = _glossary()["pages"]
    entry = meaning.entry or ""
    specific = pages["entry"].get(entry) or pages["item"].get(entry) or pages["stage"].get(meaning.stage)
    if specific and vocabulary != "ircc":
        return specific
    french = pages["french"].get(vocabulary) if language == "fr" else None
    return french or pages["vocabulary"][vocabulary]


@cache
def _glossary() -> dict[str, Any]:
    return tomllib.loads(
        resources.files(__package__).joinpath("catalogues", "glossary.toml").read_text(encoding="utf-8")
    )
