"""What is added to an alert that may have gone out before, because a backup was restored since. Pure."""

from dataclasses import replace
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from watcher.language.catalogue import catalogue
from watcher.language.date_text import tell_moment
from watcher.model.alert import Words

_LONGEST_SHORT = 140


def perhaps_told(words: Words, *, since: datetime, language: str, zone: ZoneInfo) -> Words:
    """The words with a sentence that says so, at their end, where a digest says it once for all.

    `since` is the last moment that the backup tells of.
    """
    catalogued = catalogue(language)
    sentence = catalogued.fill("restored", "doubt", since=tell_moment(since, catalogued, zone))
    short = catalogued.fill("restored", "short", short=words.short)
    return replace(
        words,
        body=f"{words.body}\n\n{sentence}",
        html=f"{words.html}\n<p>{escape(sentence)}</p>",
        short=short if len(short) <= _LONGEST_SHORT else words.short,
    )
