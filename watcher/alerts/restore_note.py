"""What is added to an alert that may have gone out before, because a backup was restored since. Pure."""

from dataclasses import replace
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from watcher.language.catalogue import load_catalogue
from watcher.language.date_text import moment_text
from watcher.model.alert import AlertText

_LONGEST_SHORT = 140


def with_restore_note(text: AlertText, *, since: datetime, language: str, zone: ZoneInfo) -> AlertText:
    """The words with a sentence that says so, at their end, where a digest says it once for all.

    `since` is the last moment that the backup tells of.
    """
    catalogued = load_catalogue(language)
    sentence = catalogued.format("restored", "doubt", since=moment_text(since, catalogued, zone))
    short = catalogued.format("restored", "short", short=text.short)
    return replace(
        text,
        body=f"{text.body}\n\n{sentence}",
        html=f"{text.html}\n<p>{escape(sentence)}</p>",
        short=short if len(short) <= _LONGEST_SHORT else text.short,
    )
