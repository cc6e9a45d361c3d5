"""Every sentence of the program is translated, with its fields and commands.

`make messages` adds new sentences to the translations and compiles them.
"""

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

from watcher.messages import LANGUAGES, LOCALE_DIR

TRANSLATIONS = [language for language in LANGUAGES if language != "en"]
_KEPT = re.compile(r"`[^`]*`|\{[^{}]*\}|%\(\w+\)s")
"""What a translation leaves as it is: a command, a field."""


def po_file(language: str) -> Path:
    return LOCALE_DIR / language / "LC_MESSAGES" / "watcher.po"


def translations(language: str) -> Catalog:
    with po_file(language).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def messages(language: str) -> list[Message]:
    return [message for message in translations(language) if message.id]


def forms(texts: object) -> list[str]:
    """Return the singular and the plural of a sentence, or its only form."""
    return [str(text) for text in texts] if isinstance(texts, list | tuple) else [str(texts)]


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_translations_have_the_sentences_of_the_program(language: str, extracted: Catalog) -> None:
    def keys(catalog: Catalog) -> set[tuple[str, ...]]:
        return {(message.context or "", *forms(message.id)) for message in catalog}

    assert keys(translations(language)) == keys(extracted)


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_sentence_is_translated_and_reviewed(language: str) -> None:
    missing = [message.id for message in messages(language) if not all(forms(message.string)) or message.fuzzy]
    assert missing == []


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_translations_keep_fields_and_commands(language: str) -> None:
    def kept(text: str) -> set[str]:
        return set(_KEPT.findall(text))

    for message in messages(language):
        one, *_more = source = forms(message.id)
        for text, english in zip(forms(message.string), source, strict=True):
            assert kept(text) in (kept(english), kept(one)), message.id


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_compiled_translations_are_current(language: str) -> None:
    compiled = BytesIO()
    write_mo(compiled, translations(language))
    compiled.seek(0)
    with po_file(language).with_suffix(".mo").open("rb") as file:
        assert pairs(read_mo(file)) == pairs(read_mo(compiled))


def pairs(catalog: Catalog) -> dict[tuple[str, ...], list[str]]:
    return {(message.context or "", *forms(message.id)): forms(message.string) for message in catalog}
