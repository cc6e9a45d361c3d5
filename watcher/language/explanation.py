"""What a status means in plain words. Pure, apart from reading the catalogues once.

The words stand in `watcher/words/*.toml`. They say what a status usually means and what usually follows, never what
will happen or what somebody should do about their own case.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from watcher.language.catalogue import LANGUAGES, Catalogue, load_catalogue
from watcher.language.status_meaning import Meaning, meaning_of, normalize_title
from watcher.model.case import ItemKind, Stage

_VOCABULARIES = ("uscis", "ceac", "ircc", "general")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A status in plain words.

    `known` is false where no rule covers the words; `stage` is then `unknown`. `page` is an official page from a fixed
    table. `advice` says that this is no legal advice, and belongs beside `plain` wherever it is shown.
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
    """The words of the glossary about one thing: what it means, and what usually comes next."""

    plain: str
    next: str


def explain(text: str, *, language: str = "en") -> Explanation:
    """What `text` means: a status in any portal's words, a stage, or a kind of pending item."""
    words = load_catalogue(language)
    found = _concept(text) or _title(text)
    if found is None:
        return _unknown(text, words)
    vocabulary, meaning = found
    gloss = _gloss(meaning, words)
    return Explanation(
        text=text,
        stage=meaning.stage,
        known=True,
        plain=gloss.plain,
        next=gloss.next,
        page=_page(vocabulary, meaning, words.language),
        advice=words.message("general", "advice"),
    )


def explain_status(title: str, stage: Stage, catalogue: Catalogue) -> GlossaryText:
    """The words about a status whose stage is settled: those for its title, else those for the stage."""
    for vocabulary in _VOCABULARIES:
        meaning = meaning_of(title, vocabulary=vocabulary)
        if meaning.known and meaning.stage is stage:
            return _gloss(meaning, catalogue)
    return _gloss(Meaning(stage=stage), catalogue)


def explain_item(kind: ItemKind, title: str, catalogue: Catalogue) -> GlossaryText:
    """The words about a pending item: those for the status that made it, where it has its own, else for its kind."""
    meaning = meaning_of(title)
    if meaning.asks is kind and meaning.entry:
        return _gloss(meaning, catalogue)
    return _gloss(Meaning(entry=kind.value), catalogue)


def _title(text: str) -> tuple[str, Meaning] | None:
    for vocabulary in _VOCABULARIES:
        meaning = meaning_of(text, vocabulary=vocabulary)
        if meaning.known:
            return vocabulary, meaning
    return None


def _concept(text: str) -> tuple[str, Meaning] | None:
    key = _concepts().get(normalize_title(text).replace("_", " "))
    if key is None:
        return None
    if key in set(Stage):
        return _home(key), Meaning(stage=Stage(key), known=True)
    return _home(key), Meaning(stage=_stage_of(key), known=True, entry=key)


@cache
def _concepts() -> dict[str, str]:
    """Every name that a stage or an item goes by, in any language, and the aliases, to its key."""
    names: dict[str, str] = {}
    for section, kinds in (("item", ItemKind), ("stage", Stage)):
        for kind in kinds:
            names |= {
                normalize_title(load_catalogue(each).message(section, kind, "name")): kind.value for each in LANGUAGES
            }
            names[kind.value.replace("_", " ")] = kind.value
    del names["unknown"]
    return {normalize_title(alias): key for alias, key in _glossary()["aliases"].items()} | names


def _stage_of(entry: str) -> Stage:
    """The stage of an item kind, or of the titles that the glossary's entry explains."""
    known: Mapping[str, str] = _glossary()["item_stage"]
    return Stage(known.get(entry) or _glossary()["entry_stage"][entry])


def _home(key: str) -> str:
    consular = key.startswith("refused") or key == Stage.ADMINISTRATIVE_PROCESSING
    return "ceac" if consular else "general"


def _gloss(meaning: Meaning, catalogue: Catalogue) -> GlossaryText:
    for place in (("entry", meaning.entry or ""), ("item", meaning.entry or ""), ("stage", meaning.stage.value)):
        if catalogue.message(*place, "plain"):
            return GlossaryText(plain=catalogue.message(*place, "plain"), next=catalogue.message(*place, "next"))
    return GlossaryText(
        plain=catalogue.message("stage", "unknown", "plain"), next=catalogue.message("stage", "unknown", "next")
    )


def _unknown(text: str, catalogue: Catalogue) -> Explanation:
    asks = next((asks for name in _VOCABULARIES if (asks := meaning_of(text, vocabulary=name).asks)), None)
    gloss = _gloss(Meaning(), catalogue)
    if asks is not None:
        what = catalogue.message("item", asks.value, "name")
        gloss = GlossaryText(
            plain=f"{gloss.plain} {catalogue.format('general', 'seems_to_ask', kind=what)}",
            next=_gloss(Meaning(entry=asks.value), catalogue).next,
        )
    return Explanation(
        text=text,
        stage=Stage.UNKNOWN,
        known=False,
        plain=gloss.plain,
        next=gloss.next,
        page=_page("general", Meaning(), catalogue.language),
        advice=catalogue.message("general", "advice"),
    )


def _page(vocabulary: str, meaning: Meaning, language: str) -> str:
    pages: Mapping[str, Mapping[str, str]] = _glossary()["pages"]
    entry = meaning.entry or ""
    own = pages["entry"].get(entry) or pages["item"].get(entry) or pages["stage"].get(meaning.stage)
    if own and vocabulary != "ircc":
        return own
    french = pages["french"].get(vocabulary) if language == "fr" else None
    return french or pages["vocabulary"][vocabulary]


@cache
def _glossary() -> dict[str, Any]:
    return tomllib.loads(
        resources.files(__package__).joinpath("catalogues", "glossary.toml").read_text(encoding="utf-8")
    )
