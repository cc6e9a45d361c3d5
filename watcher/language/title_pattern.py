"""Complete status titles as patterns: what does not matter in a title, and the notation of the vocabularies' templates.

A template matches a title as a whole or not at all, and its slots are closed lists: what stands in a title but in no
slot leaves the title unknown. (A slot that takes any words after a form number has taken "Form I-140, but later revoked
the approval" for a form.) The notation is described in `vocabulary/uscis.toml`. Pure, except that it reads the list of
forms once.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources

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
_FORMS = "uscis_forms.tsv"
_FEE_FORMS = frozenset({"i-907", "i-912"})
_LAWYER_FORMS = frozenset({"g-28", "g-28i"})
_FRAME = (
    (re.compile(r"^(?:your )?(?:current |case )*status: "), ""),
    (re.compile(r"^(?:on|as of) [a-z]{3,9} [0-9]{1,2},? [0-9]{4},? "), ""),
    (re.compile(r",?(?: for)? receipt number [a-z]{3}[0-9*]{10},?(?=$| )"), ""),
    (re.compile(r" \((?:aao|eoir|rfe|noid|noir|nvc|dos|ead)\)"), ""),
)
_SPELLING = (
    (re.compile(r"\bcanceled\b"), "cancelled"),
    (re.compile(r"\be-mailed\b"), "emailed"),
    (re.compile(r",(?=$| )"), ""),
    (re.compile(r"\((\{[a-z_]+\})\)"), r"\1"),
    (re.compile(r"^(?:my|your|the) "), ""),
)
_NOTATION = re.compile(r"\{[a-z_]+\}|[\[\]()|]|[^\[\](){}|]+")
_OPERATORS = {"[": "(?:", "]": ")?", "(": "(?:", ")": ")", "|": "|"}
_FIELDS = {
    "{form}": r"\{form\}",
    "{fee_form}": r"\{fee_form\}",
    "{lawyer_form}": r"\{lawyer_form\}",
    "{ina}": r"(?:under )?(?:ina )?(?:section )?[0-9]{3}(?:\([0-9a-z]{1,4}\))*",
    "{reason}": r"(?!.*\b(?:but|however|reopened|rescinded|reversed|overturned|in error|by mistake|mistakenly"
    r"|pero|sin embargo|por error|reabiert[oa])\b)"
    r"(?:(?!\. |;).){1,300}",
}


def normalize_title(title: str) -> str:
    """Normalize a title for comparison.

    Letter case, types of apostrophe and their absence, HTML entities and tags, repeated spaces, invisible characters,
    and a period at the end do not matter.
    """
    text = plain_text(plain_text(title[:_MAX_LENGTH]))  # twice, because portals sometimes escape tags too
    text = text.translate(_APOSTROPHES).translate(_DASHES)
    text = "".join(char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf")
    return " ".join(text.casefold().split()).rstrip(" .\N{HORIZONTAL ELLIPSIS}")


@lru_cache(maxsize=256)  # the cases of a portal share a few titles
def title_key(title: str) -> str:
    """Return the words of a title that say what happened, for lookup in a vocabulary.

    Beside what `normalize_title` ignores, these do not matter: accents, commas, "canceled" or "cancelled", a date at
    the beginning, the receipt number, a leading possessive. A form number with its official name becomes `{form}`.
    """
    key = _without_accents(normalize_title(title).replace("{", "(").replace("}", ")"))
    for pattern, replacement in _FRAME:
        key = pattern.sub(replacement, key)
    key = _form_pattern().sub(_form_field, key)
    for pattern, replacement in _SPELLING:
        key = pattern.sub(replacement, key)
    return " ".join(key.split())


def compile_template(template: str, slots: Mapping[str, str]) -> re.Pattern[str]:
    """Return the pattern of a template, for the whole of a `title_key`. Raises KeyError for an unknown slot."""
    return re.compile(_expand(template, slots))


def _expand(template: str, slots: Mapping[str, str]) -> str:
    return "".join(_piece(match[0], slots) for match in _NOTATION.finditer(template))


def _piece(piece: str, slots: Mapping[str, str]) -> str:
    if piece in _OPERATORS:
        return _OPERATORS[piece]
    if not piece.startswith("{"):
        return re.escape(piece)
    return _FIELDS.get(piece) or f"(?:{_expand(slots[piece.strip('{}')], slots)})"


def _form_field(form: re.Match[str]) -> str:
    number = f"{form['letters']}-{form['digits']}"
    kind = "fee_form" if number in _FEE_FORMS else "lawyer_form" if number in _LAWYER_FORMS else "form"
    return f"{{{kind}}}"


@cache
def _form_pattern() -> re.Pattern[str]:
    """Return the pattern of a form by its number, with its official name if one follows."""
    lines = resources.files(__package__).joinpath("vocabulary", _FORMS).read_text(encoding="utf-8").splitlines()
    names = {_without_accents(line.partition("\t")[2].casefold()) for line in lines if "\t" in line}
    name = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(
        r"(?<![\w-])(?:form(?:ulario)? )*(?P<letters>[a-z]{1,2})-?(?P<digits>[0-9]{2,4}[a-z]{0,3})(?![\w-])"
        rf"(?:,? (?:{name})(?=$|[ ,.]))?"
    )


def _without_accents(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
