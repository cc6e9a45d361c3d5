"""The stage and meaning of a portal's status titles.

The titles are data in `vocabulary/*.toml`. Only a complete title matches; a few templates allow for a form number.
Nothing else results in a stage: a title that is not listed is `unknown`, even if it looks like an approval. (Rules that
search titles for words have taken "Request for Evidence Was Received" for a request, and "Request to Expedite Was
Approved" for an approval.) Words in an unknown title can only show that something is requested: the hints in the files
make "Request for Further Evidence Was Mailed" urgent without assigning a stage.

Pure, except that it reads the files of this package once.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from watcher.model.case import ItemKind, Stage
from watcher.text.html import plain_text

_APOSTROPHES = dict.fromkeys(
    map(
        ord,
        "'`\N{ACUTE ACCENT}\N{PRIME}\N{MODIFIER LETTER APOSTROPHE}\N{FULLWIDTH APOSTROPHE}"
        "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}",
    )
)
_DASHES = dict.fromkeys(map(ord, "\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}"), "-")
_MAX_LENGTH = 2_000  # longer than any title
_FIELD_PATTERNS = {
    "{form}": r"(?:form )?[a-z]{1,2}-?[0-9]{2,4}[a-z]{0,3}(?:, [a-z][a-z ,/()-]{0,150}?)?,?",
    "{ina}": r"(?:under )?(?:ina )?(?:section )?[0-9]{3}(?:\([0-9a-z]{1,4}\))*",
}
_OTHER_SUBJECT = re.compile(
    r"\b(?:not?|never|request|waiver|fee|fees|expedite|extension|transfer|appeal|motion|cancel)\b"
)
_NEGATIVE = re.compile(
    r"\b(?:not|denied|deny|decline[sd]?|unable|cannot|refused?|revoked?|expired?|ineligible|no longer)\b"
)
_POSITIVE = re.compile(r"\b(?:approved|authorized to travel|authorization (?:was|is|has been) granted)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """The meaning of a title.

    `known` is false if the title is not listed; `stage` is then `unknown`. `asks` is the kind of pending item that the
    title requests; `answers` and `cancels` are the kinds that it reports as answered or cancelled. `entry` is the
    glossary entry that explains it, None if the stage's explanation applies.
    """

    stage: Stage = Stage.UNKNOWN
    known: bool = False
    asks: ItemKind | None = None
    answers: frozenset[ItemKind] = frozenset()
    cancels: frozenset[ItemKind] = frozenset()
    entry: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hint:
    asks: ItemKind
    any: tuple[str, ...]
    with_: tuple[str, ...]
    unless: tuple[str, ...]

    def matches(self, title: str) -> bool:
        return (
            _contains(title, self.any)
            and (not self.with_ or _contains(title, self.with_))
            and not _contains(title, self.unless)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vocabulary:
    titles: Mapping[str, Meaning]
    templates: Sequence[tuple[re.Pattern[str], Meaning]]
    in_text: frozenset[str]
    hints: Sequence[_Hint]
    placeholders: frozenset[str]


def meaning_of(title: str, *, vocabulary: str = "uscis", description: str | None = None) -> Meaning:
    """Return the meaning of `title` in one vocabulary.

    `description` is the text below the title. It matters only if the title does not say how a decision came out: the
    stage is `approved` if the text says so and nothing contradicts it, else `under_review`. Raises KeyError for an
    unknown vocabulary.
    """
    source = _vocabulary(vocabulary)
    normalized = normalize_title(title)
    meaning = source.titles.get(normalized) or _match_template(normalized, source)
    if meaning is None:
        return Meaning(asks=next((hint.asks for hint in source.hints if hint.matches(normalized)), None))
    if normalized in source.in_text and _approves(description):
        return Meaning(stage=Stage.APPROVED, known=True, entry=meaning.entry)
    return meaning


def is_placeholder(title: str, *, vocabulary: str = "uscis") -> bool:
    """Return whether `title` is empty or the text that the portal shows when it has no status."""
    normalized = normalize_title(title)
    return not normalized or normalized in _vocabulary(vocabulary).placeholders


def normalize_title(title: str) -> str:
    """Normalize a title for comparison.

    Letter case, types of apostrophe and their absence, HTML entities and tags, repeated spaces, invisible characters,
    and a period at the end do not matter.
    """
    text = plain_text(plain_text(title[:_MAX_LENGTH]))  # twice, because portals sometimes escape tags too
    text = text.translate(_APOSTROPHES).translate(_DASHES)
    text = "".join(char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf")
    return " ".join(text.casefold().split()).rstrip(" .\N{HORIZONTAL ELLIPSIS}")


def vocabularies() -> tuple[str, ...]:
    """Return the names of all vocabularies, sorted."""
    files = resources.files(__package__).joinpath("vocabulary").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


def titles(vocabulary: str) -> tuple[str, ...]:
    """Return the titles of one vocabulary as written there, without those of vocabularies that it extends."""
    return tuple(title for group in _file(vocabulary)["group"] for title in group["titles"])


def _match_template(title: str, vocabulary: _Vocabulary) -> Meaning | None:
    if _OTHER_SUBJECT.search(title):
        return None
    return next((meaning for pattern, meaning in vocabulary.templates if pattern.fullmatch(title)), None)


def _approves(description: str | None) -> bool:
    text = normalize_title(description or "")
    return bool(_POSITIVE.search(text)) and not _NEGATIVE.search(text)


def _contains(title: str, phrases: Sequence[str]) -> bool:
    return any(re.search(rf"\b{re.escape(phrase)}\b", title) for phrase in phrases)


@cache
def _file(name: str) -> dict[str, Any]:
    if name not in vocabularies():
        raise KeyError(name)
    file = resources.files(__package__).joinpath("vocabulary", f"{name}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


@cache
def _vocabulary(name: str) -> _Vocabulary:
    content = _file(name)
    extended = [_vocabulary(other) for other in content.get("extends", ())]
    groups = [(group, _meaning(group)) for group in content["group"]]
    own = {normalize_title(title): meaning for group, meaning in groups for title in group["titles"]}
    return _Vocabulary(
        titles={title: meaning for base in extended for title, meaning in base.titles.items()} | own,
        templates=[(_pattern(line), meaning) for group, meaning in groups for line in group.get("templates", ())]
        + [template for base in extended for template in base.templates],
        in_text=frozenset(
            normalize_title(title) for group, _ in groups if "outcome" in group for title in group["titles"]
        )
        | frozenset(title for base in extended for title in base.in_text),
        hints=[_hint(hint) for hint in content.get("hint", ())] + [hint for base in extended for hint in base.hints],
        placeholders=frozenset(normalize_title(title) for title in content.get("placeholders", ()))
        | frozenset(title for base in extended for title in base.placeholders),
    )


def _meaning(group: Mapping[str, Any]) -> Meaning:
    return Meaning(
        stage=Stage(group["stage"]),
        known=True,
        asks=ItemKind(group["asks"]) if "asks" in group else None,
        answers=frozenset(map(ItemKind, group.get("answers", ()))),
        cancels=frozenset(map(ItemKind, group.get("cancels", ()))),
        entry=group.get("entry"),
    )


def _hint(hint: Mapping[str, Any]) -> _Hint:
    return _Hint(
        asks=ItemKind(hint["asks"]),
        any=tuple(hint["any"]),
        with_=tuple(hint.get("with", ())),
        unless=tuple(hint.get("unless", ())),
    )


def _pattern(template: str) -> re.Pattern[str]:
    pieces = re.split(r"(\{[a-z]+\})", template)
    return re.compile("".join(_FIELD_PATTERNS.get(piece) or re.escape(piece) for piece in pieces))
