"""The note on alerts that may have been sent before, after a backup was restored. Pure."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from watcher.alerts.text_blocks import append_note
from watcher.language.catalogue import load_catalogue
from watcher.language.date_text import moment_text
from watcher.model.alert import AlertText
from watcher.text.gsm import MAX_SMS_LENGTH, gsm_length, gsm_text


def with_restore_note(text: AlertText, *, since: datetime, language: str, zone: ZoneInfo) -> AlertText:
    """Add the note at the end, so that a digest shows it once for all alerts.

    `since` is the time of the last entry in the backup.
    """
    catalogue = load_catalogue(language)
    note = catalogue.format("restored", "doubt", since=moment_text(since, catalogue, zone))
    sms = gsm_text(catalogue.format("restored", "sms", sms=text.short), max_length=2 * MAX_SMS_LENGTH)
    return replace(append_note(text, note), short=sms if gsm_length(sms) <= MAX_SMS_LENGTH else text.short)
