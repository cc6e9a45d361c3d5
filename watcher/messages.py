"""The program's own sentences in the language of its user: gettext, with English as the source.

`_` translates a sentence, and `plural` one with a number. Both fill in {fields}. `mark` names a sentence that is
translated later, where it is used; a constant needs it, because the language is not known when a module is imported.
Translators edit `locale/LANGUAGE/LC_MESSAGES/watcher.po`.
"""

import gettext
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TypeAlias

LANGUAGES = ("en", "es", "fr")
"""The languages that the program speaks. English is the source, and the fallback for all others."""

Words: TypeAlias = Mapping[str, str]
"""A text that brings its translations along, by language."""

DOMAIN = "watcher"
LOCALE_DIR = Path(__file__).with_name("locale")

_ENVIRONMENT = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
_current = "en"
_speaking: ContextVar[str | None] = ContextVar("speaking", default=None)


def use_language(language: str) -> None:
    """Let `_` and `plural` speak this language from now on, in the whole process and in its children.

    A regional variant such as "es_MX" stands for its language; an unknown language for English.
    """
    global _current  # noqa: PLW0603 - a process speaks one language, as with gettext.install
    _current = known_language(language) or "en"
    # click translates its own sentences through gettext's default domain, which follows this variable.
    os.environ["LANGUAGE"] = _current
    gettext.bindtextdomain(DOMAIN, LOCALE_DIR)
    gettext.textdomain(DOMAIN)


def use_environment_language() -> None:
    """Let the process speak the language that its environment asks for, otherwise English."""
    use_language(environment_language(os.environ) or "en")


def current_language() -> str:
    """Return the language in which the present work speaks: that of `speaking`, otherwise that of this process."""
    return _speaking.get() or _current


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Let `_` and `plural` speak one of `LANGUAGES` within this context and the work it starts, such as a request."""
    token = _speaking.set(language)
    try:
        yield
    finally:
        _speaking.reset(token)


def known_language(name: str) -> str | None:
    """Return the language among `LANGUAGES` that a name such as "es_MX.UTF-8" or "fr-CA" stands for, or None."""
    language = name.replace("-", "_").partition(".")[0].partition("_")[0].lower()
    return language if language in LANGUAGES else None


def environment_language(environ: Mapping[str, str]) -> str | None:
    """Return the language that the environment asks for, by gettext's rules; None if it asks for none that we know."""
    for variable in _ENVIRONMENT:
        if environ.get(variable):
            names = environ[variable].split(":") if variable == "LANGUAGE" else [environ[variable]]
            return next((language for name in names if (language := known_language(name))), None)
    return None


def _(message: str, /, **fields: object) -> str:
    """Return a sentence in the current language, with its {fields} filled in."""
    text = translation(current_language()).gettext(message) if message else ""  # gettext has its own data under ""
    return text.format(**fields) if fields else text


def shown(text: str | Words) -> str:
    """Return a text in the language of this process: a marked sentence, or one of the translations."""
    return _(text) if isinstance(text, str) else text.get(_current) or text.get("en") or next(iter(text.values()), "")


def plural(one: str, other: str, n: int, /, **fields: object) -> str:
    """Return the form of a sentence for a number, in the current language. The field {n} is the number."""
    return translation(current_language()).ngettext(one, other, n).format(n=n, **fields)


def mark(message: str) -> str:
    """Return the sentence unchanged: it is for translation, and `_` translates it where it is used."""
    return message


@cache
def translation(language: str) -> gettext.NullTranslations:
    """Return the translations of a language. What it lacks stays English."""
    if language == "en":
        return gettext.NullTranslations()
    return gettext.translation(DOMAIN, LOCALE_DIR, [language], fallback=True)
