"""The table `[about]` of a recipe file, and other texts in the user's languages."""

import re
from typing import Any

from watcher.messages import LANGUAGES, Words, _
from watcher.recipe.model import About, comparable_status
from watcher.recipe.page.patterns import compile_pattern
from watcher.recipe.parse.table import Table


def read_about(table: Table | None) -> About:
    """Return what the table says for people."""
    if table is None:
        return About()
    about = About(
        country=table.parse("country", _country) or "",
        title=words_at(table, "title"),
        number=words_at(table, "number"),
        number_pattern=table.parse("number_pattern", whole_pattern) or "",
        username=words_at(table, "username"),
        sources=table.text("sources") or "",
    )
    table.check_unknown_keys()
    return about


def read_plain(table: Table) -> dict[str, Words]:
    """Return the translations of statuses, by status as `comparable_status` returns it."""
    statuses = table.value("plain")
    if statuses is None:
        return {}
    if not isinstance(statuses, dict):
        table.add_fault("plain", _("must be a section: [{key}]", key="case.plain"))
        return {}
    plain: dict[str, Words] = {}
    for status, value in statuses.items():
        words = _words(table, ("plain", status), value)
        if plain.setdefault(comparable_status(status), words) != words:
            table.faults.add((*table.path, "plain", status), _("the same words are already translated above"))
    return plain


def matches_number(about: About, number: str) -> bool:
    """Return whether a case number has the form that the recipe states, if it states one."""
    if not about.number_pattern:
        return True
    plain = "".join(char for char in number if not char.isspace() and char != "-").upper()
    return compile_pattern(f"^(?:{about.number_pattern})$").search(plain) is not None


def words_at(table: Table, key: str) -> Words:
    """Return a text in several languages, or a text alone, which is English."""
    value = table.value(key)
    return {} if value is None else _words(table, (key,), value)


def _words(table: Table, key_path: tuple[str, ...], value: Any) -> Words:
    """Return a text by language. A text alone is English."""
    by_language = {"en": value} if isinstance(value, str) else value
    if not isinstance(by_language, dict) or not by_language:
        table.faults.add((*table.path, *key_path), _('must be texts by language, such as { en = "Under review" }'))
        return {}
    for language, text in by_language.items():
        if language not in LANGUAGES:
            table.faults.add(
                (*table.path, *key_path, language),
                _("is not one of the languages {languages}", languages=", ".join(LANGUAGES)),
            )
        elif not isinstance(text, str) or not text.strip() or not text.isprintable():
            table.faults.add((*table.path, *key_path, language), _('must be text in quotes, such as "text"'))
    return {language: text for language, text in by_language.items() if isinstance(text, str)}


def _country(text: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}", text):
        raise ValueError(_('use the two letters of a country, such as "IT"'))
    return text


def whole_pattern(text: str) -> str:
    """Return a pattern that a whole text must match. Raises ValueError with what to correct."""
    compile_pattern(f"^(?:{text})$")
    return text


def matches_whole(pattern: str, text: str) -> bool:
    """Return whether the whole text matches the pattern; any text matches an empty one."""
    return not pattern or compile_pattern(f"^(?:{pattern})$").search(text) is not None
