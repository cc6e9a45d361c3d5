"""The text style of one reader: language, time zone, and level of privacy. Pure."""

import re
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from watcher.alerts.sanitize import sanitize
from watcher.alerts.sentences import sentences
from watcher.language.catalogue import Catalogue
from watcher.language.date_text import (
    appointment_text,
    brief_appointment_text,
    day_text,
    moment_text,
    month_text,
    parse_moment,
    parse_stamp,
)
from watcher.messages import Words
from watcher.model.appointment_time import AppointmentTime
from watcher.privacy.masking import mask_case_number, mask_numbers
from watcher.text.item_marks import item_mark
from watcher.text.link_marks import marked_link

Privacy: TypeAlias = Literal["full", "masked", "minimal"]
Detail: TypeAlias = Literal["short", "full"]

MAX_NAME_LENGTH = 160
"""Characters shown of a title, a place, or another name from the portal."""

MAX_TEXT_LENGTH = 1_200
"""Characters shown of a longer text from the portal."""

MAX_REASON_LENGTH = 300
"""Characters shown of why something failed."""

_FILE_NAME = re.compile(r"\S\.[A-Za-z]{2,4}$|\S_\S")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStyle:
    """Formats a portal's texts and dates for one reader.

    Days and moments are in `zone`, the user's; appointments are in `office_zone` (None: in `zone` too).
    `case_number` is masked wherever it occurs, except with `full` privacy. `account` is the user's name for the
    account, shown only with `full` privacy. `agency` is the name of the agency, empty if it is not known.
    `page` is the address of the program's own page, empty if there is none: then the alert shows commands instead of
    a link to it. `is_sms`: there is no room for commands.
    """

    catalogue: Catalogue
    zone: ZoneInfo
    privacy: Privacy
    office_zone: ZoneInfo | None = None
    case_number: str = ""
    account: str = ""
    agency: str = ""
    page: str = ""
    is_sms: bool = False
    fields: dict[int, tuple[object, dict[str, str]]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """The fields of the changes written in this style, by the change's identity: an alert needs them several times."""

    def for_sms(self) -> "TextStyle":
        """Return the same style for an SMS: always masked, because it may be visible on a locked phone."""
        return replace(self, privacy="masked", is_sms=True)

    @property
    def shows_commands(self) -> bool:
        """Whether the reader is told which commands to type."""
        return not self.page and not self.is_sms

    @property
    def link(self) -> str:
        """The alert's link to the page, with a mark for its token; "" without a page."""
        return self.page and marked_link(self.page)

    def sentences(self, text: str) -> tuple[str, ...]:
        """Return the sentences of a text of the catalogue; with a page, those that have no command."""
        return sentences(text, commands=not self.page)

    def item_number(self, key: str | None) -> str:
        """Return what stands for the number of an item in a command; "" where no command is shown."""
        return item_mark(key) if key and self.shows_commands else ""

    def portal_text(self, value: object, *, max_length: int = MAX_NAME_LENGTH) -> str:
        """Return a portal's text, sanitized, on one line; "" if `value` is not a string."""
        if not isinstance(value, str):
            return ""
        text = sanitize(value, self.catalogue, max_length=max_length)
        return text if self.privacy == "full" else mask_numbers(text, self.case_number)

    def quoted(self, value: object, *, max_length: int = MAX_NAME_LENGTH) -> str:
        """Return a portal's text in quotation marks; "" if there is none."""
        return self.in_quotes(self.portal_text(value, max_length=max_length))

    def in_quotes(self, text: str) -> str:
        """Return a text of this style in quotation marks; "" if it is empty."""
        return text and self.catalogue.format("general", "quoted", text=text)

    def agency_name(self) -> str:
        """Return the name of the agency, or "the agency" if it has none."""
        return self.portal_text(self.agency) or self.catalogue.message("general", "agency")

    def document_name(self, value: object) -> str:
        """Return the title of a document. A file name may contain a person's name: "" except with `full` privacy."""
        if self.privacy != "full" and isinstance(value, str) and _FILE_NAME.search(value.strip()):
            return ""
        return self.portal_text(value)

    def document_title(self, value: object) -> str:
        """Return the title of a document, as `document_name` does, in quotation marks."""
        return self.in_quotes(self.document_name(value))

    def number(self, value: str) -> str:
        """Return a case number, masked except with `full` privacy."""
        number = sanitize(value, self.catalogue, max_length=MAX_NAME_LENGTH)
        return number if self.privacy == "full" else mask_case_number(number)

    def day(self, value: object) -> str:
        """Return the day of an ISO 8601 text; "" if `value` is not one."""
        moment = parse_moment(value)
        return "" if moment is None else day_text(moment, self.catalogue, self.zone)

    def month(self, value: object) -> str:
        """Return the month of an ISO 8601 text; "" if `value` is not one."""
        moment = parse_moment(value)
        return "" if moment is None else month_text(moment, self.catalogue)

    def portal_day(self, value: object) -> str:
        """Return the day of a portal's stamp; "" if `value` is not one."""
        stamp = parse_stamp(value)
        return "" if stamp is None else day_text(stamp, self.catalogue, self.zone)

    def portal_moment(self, value: object) -> str:
        """Return the day of a portal's stamp with its weekday and, if known, the time; "" if `value` is not one."""
        stamp = parse_stamp(value)
        return "" if stamp is None else moment_text(stamp, self.catalogue, self.zone)

    def appointment(self, when: AppointmentTime | None) -> str:
        """Return the day with its weekday and, if known, the time of an appointment; "" for None."""
        return "" if when is None else appointment_text(when, self.catalogue, self.office_zone or self.zone)

    def brief_appointment(self, when: AppointmentTime | None, *, is_shortest: bool = False) -> str:
        """Return the same in short form, without the year."""
        zone = self.office_zone or self.zone
        return "" if when is None else brief_appointment_text(when, self.catalogue, zone, is_shortest=is_shortest)

    def moment(self, value: object) -> str:
        """Return the day with its weekday and, if known, the time; "" if `value` is not an ISO 8601 text."""
        moment = parse_moment(value)
        return "" if moment is None else moment_text(moment, self.catalogue, self.zone)

    def plural(self, unit: str, value: object) -> str:
        """Return a number with its unit; "" if `value` is not an integer."""
        return self.catalogue.plural(unit, value) if isinstance(value, int) and not isinstance(value, bool) else ""


def translated(words: Words, status: str | None, style: TextStyle) -> str:
    """Return the translation of a status into the reader's language; "" if there is none, or it says the same."""
    text = words.get(style.catalogue.language, "")
    return "" if text.casefold() == (status or "").casefold() else text
