"""How one reader is told things: language, time zone and level of privacy in one value. Pure."""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from watcher.alerts.sanitize import sanitize
from watcher.language.catalogue import Catalogue
from watcher.language.date_text import brief_text, day_text, moment_text, parse_moment
from watcher.privacy.masking import mask_case_number, mask_numbers

Privacy: TypeAlias = Literal["full", "masked", "minimal"]

LONGEST_NAME = 160
"""How much of a title, a place or another name of the portal's is shown."""

LONGEST_TEXT = 1_200
"""How much of a longer text of the portal's is shown."""

_FILE_NAME = re.compile(r"\S\.[A-Za-z]{2,4}$|\S_\S")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStyle:
    """Puts a portal's words and dates the way this reader gets them.

    `case_number` is masked wherever it is met; `account` is the user's own name for it, told only in full.
    """

    catalogue: Catalogue
    zone: ZoneInfo
    privacy: Privacy
    case_number: str = ""
    account: str = ""

    def portal_text(self, value: object, *, max_length: int = LONGEST_NAME) -> str:
        """A portal's own words, harmless, on one line; "" for what is no text."""
        if not isinstance(value, str):
            return ""
        text = sanitize(value, self.catalogue, max_length=max_length)
        return text if self.privacy == "full" else mask_numbers(text, self.case_number)

    def quoted(self, value: object, *, max_length: int = LONGEST_NAME) -> str:
        """A portal's own words between quotation marks; "" for none."""
        text = self.portal_text(value, max_length=max_length)
        return text and self.catalogue.format("general", "quoted", text=text)

    def document_title(self, value: object) -> str:
        """The title of a document. A file's name may hold a person's: it is shown only in full, else ""."""
        if self.privacy != "full" and isinstance(value, str) and _FILE_NAME.search(value.strip()):
            return ""
        return self.quoted(value)

    def number(self, value: str) -> str:
        """A case number."""
        shown = sanitize(value, self.catalogue, max_length=LONGEST_NAME)
        return shown if self.privacy == "full" else mask_case_number(shown)

    def day(self, value: object) -> str:
        """A day from its ISO form; "" for what is none."""
        moment = parse_moment(value)
        return "" if moment is None else day_text(moment, self.catalogue, self.zone)

    def short_moment(self, value: object) -> str:
        """A day and, where it is known, the time, as short as it goes; "" for what is none."""
        moment = parse_moment(value)
        return "" if moment is None else brief_text(moment, self.catalogue, self.zone)

    def moment(self, value: object) -> str:
        """A day with its weekday and, where it is known, the time; "" for what is none."""
        moment = parse_moment(value)
        return "" if moment is None else moment_text(moment, self.catalogue, self.zone)

    def plural(self, unit: str, value: object) -> str:
        """A number with its unit; "" for what is no number."""
        return self.catalogue.plural(unit, value) if isinstance(value, int) and not isinstance(value, bool) else ""
