"""The note on alerts that may have been sent before, after a backup was restored. Pure."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from watcher.alerts.style import MAX_SHORT_LENGTH
from watcher.alerts.text_blocks import append_paragraph
from watcher.language.catalogue import load_catalogue
from watcher.language.date_text import moment_text
from watcher.model.alert import AlertText


def with_restore_note(text: AlertText, *, since: datetime, language: str, zone: ZoneInfo) -> AlertText:
    """Add the note at the end, so that a digest shows it once for all alerts.

    `since` is the time of the last entry in the backup.
    """
    catalogue = load_catalogue(language)
    note = catalogue.format("restored", "doubt", since=moment_text(since, catalogue, zone))
    short = catalogue.format("restored", "short", short=text.short)
    return replace(append_paragraph(text, note), short=short if len(short) <= MAX_SHORT_LENGTH else text.short)
