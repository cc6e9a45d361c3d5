"""The form of an alert that fits in one SMS. Pure."""

from watcher.alerts.sanitize import without_links
from watcher.language.catalogue import Catalogue
from watcher.text.gsm import gsm_text

_UNCUT = 4_096


def sms_of(text: str, catalogue: Catalogue) -> str:
    """Return `text` in the alphabet of an SMS, cut to its length.

    A portal's words are sanitized again, because a character that the alphabet lacks may have separated them.
    """
    return gsm_text(without_links(gsm_text(text, max_length=_UNCUT), catalogue))
