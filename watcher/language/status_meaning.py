"""A portal's words to a stage.

The titles stand as data in `watcher/vocabulary/*.toml`. A title is looked up as a whole; a few templates allow for a
form number. Nothing else ever gives a stage: a title that no line covers is `unknown`, however much it may look like
an approval. (Rules that look for words in a title have read "Request for Evidence Was Received" as a request, and
"Request to Expedite Was Approved" as an approval.) The one thing that words in an unknown title may do is ask: see the
hints in the files, which make "Request for Further Evidence Was Mailed" urgent without claiming to know its stage.

Pure, apart from reading the files of this package once.
"""

import html
import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from watcher.model.case import ItemKind, Stage

_APOSTROPHES = dict.fromkeys(
    map(
        ord,
        "'`\N{ACUTE ACCENT}\N{PRIME}\N{MODIFIER LETTER APOSTROPHE}\N{FULLWIDTH APOSTROPHE}"
        "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}",
    )
)
_DASHES = dict.fromkeys(map(ord, "\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}"), "-")
_LONGEST = 2_000  # no title is; what is longer cannot match one anyway
_BLANKS = {
    "{form}": r"(?:form )?[a-z]{1,2}-?[0-9]{2,4}[a-z]{0,3}(?:, [a-z][a-z ,/()-]{0,150}?)?,?",
    "{ina}": r"(?:under )?(?:ina )?(?:section )?[0-9]{3}(?:\([0-9a-z]{1,4}\))*",
}
_NOT_THE_FORM = re.compile(
    r"\b(?:not?|never|request|waiver|fee|fees|expedite|extension|transfer|appeal|motion|cancel)\b"
)
_SAYS_NO = re.compile(
    r"\b(?:not|denied|deny|decline[sd]?|unable|cannot|refused?|revoked?|expired?|ineligible|no longer)\b"
)
_SAYS_YES = re.compile(r"\b(?:approved|authorized to travel|authorization (?:was|is|has been) granted)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a title means.

    `known` is false where no line covers it; `stage` is then `unknown`. `asks` is the pending item that the title
    itself is; `answers` and `cancels` are the kinds of pending item that it says were answered or are off. `entry`
    names the entry of the glossary that explains it, None where the stage's own words do.
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

    def hears(self, title: str) -> bool:
        return _says(title, self.any) and (not self.with_ or _says(title, self.with_)) and not _says(title, self.unless)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vocabulary:
    titles: Mapping[str, Meaning]
    templates: Sequence[tuple[re.Pattern[str], Meaning]]
    in_text: frozenset[str]
    hints: Sequence[_Hint]
    placeholders: frozenset[str]


def meaning_of(title: str, *, vocabulary: str = "uscis", description: str | None = None) -> Meaning:
    """What `title` means in the words of one portal.

    `description` is the text below the title; it is looked at only where the title alone does not say how a decision
    came out, and then yields `approved` only where it says so and says nothing to the contrary, else `under_review`.
    Raises KeyError for a vocabulary that does not exist.
    """
    words = _vocabulary(vocabulary)
    plain = normalize_title(title)
    found = words.titles.get(plain) or _by_template(plain, words)
    if found is None:
        return Meaning(asks=next((hint.asks for hint in words.hints if hint.hears(plain)), None))
    if plain in words.in_text and _approves(description):
        return Meaning(stage=Stage.APPROVED, known=True, entry=found.entry)
    return found


def is_placeholder(title: str, *, vocabulary: str = "uscis") -> bool:
    """Whether `title` is what the portal writes where it has no status to show. An empty one is, too."""
    plain = normalize_title(title)
    return not plain or plain in _vocabulary(vocabulary).placeholders


def normalize_title(title: str) -> str:
    """The form in which titles are compared.

    Letter case, kinds of apostrophe and their absence, HTML entities and tags, repeated spaces, invisible characters
    and a full stop at the end make no difference.
    """
    text = title[:_LONGEST]
    for _ in range(3):  # entities are seen escaped twice
        text = html.unescape(text)
    text = re.sub(r"<[^<>]{0,400}>", " ", text).translate(_APOSTROPHES).translate(_DASHES)
    text = "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")
    return " ".join(text.casefold().split()).rstrip(" .\N{HORIZONTAL ELLIPSIS}")


def vocabularies() -> tuple[str, ...]:
    """The names of all vocabularies, sorted."""
    files = resources.files(__package__).joinpath("vocabulary").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


def titles(vocabulary: str) -> tuple[str, ...]:
    """Every title of one vocabulary as it is written there, without those of the vocabularies that it extends."""
    return tuple(title for group in _file(vocabulary)["group"] for title in group["titles"])


def _by_template(plain: str, vocabulary: _Vocabulary) -> Meaning | None:
    if _NOT_THE_FORM.search(plain):
        return None
    return next((meaning for pattern, meaning in vocabulary.templates if pattern.fullmatch(plain)), None)


def _approves(description: str | None) -> bool:
    text = normalize_title(description or "")
    return bool(_SAYS_YES.search(text)) and not _SAYS_NO.search(text)


def _says(title: str, phrases: Sequence[str]) -> bool:
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
    below = [_vocabulary(other) for other in content.get("extends", ())]
    groups = [(group, _meaning(group)) for group in content["group"]]
    own = {normalize_title(title): meaning for group, meaning in groups for title in group["titles"]}
    return _Vocabulary(
        titles={title: meaning for words in below for title, meaning in words.titles.items()} | own,
        templates=[(_pattern(line), meaning) for group, meaning in groups for line in group.get("templates", ())]
        + [template for words in below for template in words.templates],
        in_text=frozenset(
            normalize_title(title) for group, _ in groups if "outcome" in group for title in group["titles"]
        )
        | frozenset(title for words in below for title in words.in_text),
        hints=[_hint(hint) for hint in content.get("hint", ())] + [hint for words in below for hint in words.hints],
        placeholders=frozenset(normalize_title(title) for title in content.get("placeholders", ()))
        | frozenset(title for words in below for title in words.placeholders),
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
    return re.compile("".join(_BLANKS[piece] if piece in _BLANKS else re.escape(piece) for piece in pieces))
