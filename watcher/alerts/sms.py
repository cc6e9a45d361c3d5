"""The form of an alert that fits in one SMS. Pure."""

from watcher.alerts.sanitize import without_links
from watcher.language.catalogue import Catalogue
from watcher.text.gsm import MAX_SMS_LENGTH, gsm_length, gsm_text

_UNCUT = 4_096
_MIN_TEXT_LENGTH = 65
"""Characters that a link must leave for the text, otherwise the SMS has no link."""


def sms_of(text: str, catalogue: Catalogue, *, link: str = "") -> str:
    """Return `text` in the alphabet of an SMS, cut to its length, with the link at the end if both fit.

    A portal's words are sanitized again, because a character that the alphabet lacks may have separated them.
    """
    plain = without_links(gsm_text(text, max_length=_UNCUT), catalogue)
    room = MAX_SMS_LENGTH - gsm_length(f" {link}")
    if not link or room < _MIN_TEXT_LENGTH:
        return gsm_text(plain)
    return f"{gsm_text(plain, max_length=room)} {link}"
