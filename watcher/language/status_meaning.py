"""The stage and meaning of a portal's status titles.

The titles and the templates of titles are data in `vocabulary/*.toml`. Only a complete title matches. Nothing else
results in a stage: a title that is not covered is `unknown`, even if it looks like an approval. (Rules that search
titles for words have taken "Request for Evidence Was Received" for a request, and "Request to Expedite Was Approved"
for an approval.) Words in an unknown title can only show that something is requested: the hints in the files make
"A Request for Evidence Is on Its Way" urgent without assigning a stage.

Pure, except that it reads the files of this package once.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from watcher.language.title_pattern import compile_template, normalize_title, title_key
from watcher.messages import Words
from watcher.model.case import ItemKind, Stage
from watcher.model.change import Severity

_BAD_ENDS = frozenset({Stage.DENIED, Stage.REFUSED, Stage.REJECTED, Stage.WITHDRAWN, Stage.CLOSED})

_NEGATIVE = re.compile(
    r"\b(?:not|denied|deny|decline[sd]?|unable|cannot|refused?|revoked?|expired?|ineligible|no longer)\b"
)
_RESCHEDULED = re.compile(r"\b(?:rescheduled|reprogramad[ao]s?|reportée?s?)\b")
_POSITIVE = re.compile(r"\b(?:approved|authorized to travel|authorization (?:was|is|has been) granted)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """The meaning of a title.

    `known` is false if the title is not listed; `stage` is then `unknown`. `asks` is the kind of pending item that the
    title requests; `answers` and `cancels` are the kinds that it reports as answered or cancelled. `severity` is that
    of these words as news, apart from a new stage. `entry` is the glossary entry that explains it, None if the stage's
    explanation applies. `plain` has the translations of a title that is in another language, by language.
    """

    stage: Stage = Stage.UNKNOWN
    known: bool = False
    asks: ItemKind | None = None
    answers: frozenset[ItemKind] = frozenset()
    cancels: frozenset[ItemKind] = frozenset()
    severity: Severity = Severity.IMPORTANT
    entry: str | None = None
    plain: Words = field(default_factory=dict, hash=False)


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
    key = title_key(title)
    meaning = _meaning_of_key(key, vocabulary)
    if key in _vocabulary(vocabulary).in_text and _approves(description):
        return Meaning(stage=Stage.APPROVED, known=True, entry=meaning.entry)
    return meaning


@lru_cache(maxsize=256)
def _meaning_of_key(key: str, vocabulary: str) -> Meaning:
    source = _vocabulary(vocabulary)
    meaning = source.titles.get(key) or next(_by_template(key, source), None)
    if meaning is not None:
        return meaning
    asks = next((hint.asks for hint in source.hints if hint.matches(key)), None)
    return Meaning(asks=asks, severity=Severity.URGENT if asks else Severity.IMPORTANT)


def says_rescheduled(title: str) -> bool:
    """Return whether `title` says that an appointment was moved, so that its earlier date no longer holds."""
    return _RESCHEDULED.search(title_key(title)) is not None


def is_placeholder(title: str, *, vocabulary: str = "uscis") -> bool:
    """Return whether `title` is empty or the text that the portal shows when it has no status."""
    normalized = normalize_title(title)
    return not normalized or normalized in _vocabulary(vocabulary).placeholders


def vocabularies() -> tuple[str, ...]:
    """Return the names of all vocabularies, sorted."""
    files = resources.files(__package__).joinpath("vocabulary").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


def titles(vocabulary: str) -> tuple[str, ...]:
    """Return the titles of one vocabulary as written there, without those of vocabularies that it extends."""
    return tuple(title for group in _file(vocabulary)["group"] for title in group["titles"])


def matching_templates(title: str, *, vocabulary: str = "uscis") -> tuple[Meaning, ...]:
    """Return the meaning by each template that matches `title`, whether or not the title itself is listed."""
    return tuple(_by_template(title_key(title), _vocabulary(vocabulary)))


def _by_template(key: str, vocabulary: _Vocabulary) -> Iterator[Meaning]:
    return (meaning for pattern, meaning in vocabulary.templates if pattern.fullmatch(key))


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
    own = {title_key(title): meaning for group, meaning in groups for title in group["titles"]}
    return _Vocabulary(
        titles={title: meaning for base in extended for title, meaning in base.titles.items()} | own,
        templates=[
            (compile_template(line, content.get("slots", {})), meaning)
            for group, meaning in groups
            for line in group.get("templates", ())
        ]
        + [template for base in extended for template in base.templates],
        in_text=frozenset(title_key(title) for group, _ in groups if "outcome" in group for title in group["titles"])
        | frozenset(title for base in extended for title in base.in_text),
        hints=[_hint(hint) for hint in content.get("hint", ())] + [hint for base in extended for hint in base.hints],
        placeholders=frozenset(normalize_title(title) for title in content.get("placeholders", ()))
        | frozenset(title for base in extended for title in base.placeholders),
    )


def _meaning(group: Mapping[str, Any]) -> Meaning:
    stage, asks = Stage(group["stage"]), ItemKind(group["asks"]) if "asks" in group else None
    cancels = frozenset(map(ItemKind, group.get("cancels", ())))
    is_harmful = asks is not None or stage in _BAD_ENDS or any(kind.is_appointment for kind in cancels)
    return Meaning(
        stage=stage,
        known=True,
        asks=asks,
        answers=frozenset(map(ItemKind, group.get("answers", ()))),
        cancels=cancels,
        severity=Severity(group.get("severity", Severity.URGENT if is_harmful else Severity.IMPORTANT)),
        entry=group.get("entry"),
        plain=group.get("plain", {}),
    )


def _hint(hint: Mapping[str, Any]) -> _Hint:
    return _Hint(
        asks=ItemKind(hint["asks"]),
        any=tuple(hint["any"]),
        with_=tuple(hint.get("with", ())),
        unless=tuple(hint.get("unless", ())),
    )
