"""The dates from which an agency takes questions about cases, by form, subtype, and office. Pure.

A case that was received strictly before the inquiry date is outside the normal processing time, so the person may ask.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from watcher.reference.rows import Origin, day_of, read_rows

REQUIRED, OPTIONAL = ("form", "subtype", "office", "inquiry_date"), ("as_of",)
"""The columns of the list."""

_OLD_AFTER = timedelta(days=60)
_SERVICE_CENTERS = frozenset(
    {"csc", "nsc", "ssc", "tsc", "esc", "vsc", "ysc", "psc", "scops"}
    | {f"{name}servicecenter" for name in ("california", "nebraska", "texas", "vermont", "potomac")}
)
_FOLDED = {
    **dict.fromkeys(_SERVICE_CENTERS, "servicecenteroperations"),
    "nbc": "nationalbenefitscenter",
}
"""Names of an office that mean the same: the service centers are one since October 22, 2025."""


class Standing(StrEnum):
    """Whether the person may ask the agency about a case."""

    OPEN = "open"
    NOT_YET = "not_yet"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryRow:
    """One line of the list. An empty subtype or office stands for any. `day` is None if it is missing or unreadable."""

    form: str
    subtype: str
    office: str
    day: date | None
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryDates:
    """The list, and where it is from."""

    rows: tuple[InquiryRow, ...]
    origin: Origin

    def is_old(self, today: date) -> bool:
        """Return whether all of the list is too old to say how it is now."""
        return all(_is_old(row.as_of, today) for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryStanding:
    """How a case stands on the list.

    `day` is the inquiry date that decides, None if it is unknown. `as_of` is the day of the list. `is_old`: it is too
    old to say how it is now.
    """

    state: Standing
    received_on: date | None
    day: date | None
    as_of: date
    source: str
    is_old: bool

    @property
    def is_known(self) -> bool:
        """Whether the list says from which date on the agency takes questions about this case."""
        return self.state is not Standing.UNKNOWN and not self.is_old

    @property
    def is_open(self) -> bool:
        """Whether the list says that the person may ask now."""
        return self.state is Standing.OPEN and not self.is_old


def parse_inquiry_dates(body: bytes, origin: Origin) -> InquiryDates:
    """Return the list. Raises `UnexpectedAnswer` if it has another shape.

    A line without its own `as_of` is of the day on which the list was saved.
    """
    rows = []
    for row in read_rows(body, required=REQUIRED, optional=OPTIONAL):
        as_of = min(day_of(row["as_of"]) or origin.saved_on, origin.saved_on)
        day = day_of(row["inquiry_date"])
        rows.append(
            InquiryRow(
                form=_key(row["form"]),
                subtype=_key(row["subtype"]),
                office=_office(row["office"]),
                day=day if day is not None and day < as_of else None,
                as_of=as_of,
            )
        )
    return InquiryDates(rows=tuple(row for row in rows if row.form), origin=origin)


def inquiry_standing(
    dates: InquiryDates,
    *,
    form: str | None,
    office: str | None,
    subtype: str | None,
    received_on: date | None,
    today: date,
) -> InquiryStanding | None:
    """Return how a case stands; None if the list has no line for its form.

    If several lines may apply, because the subtype or the office of the case is not known, all of them must agree.
    """
    of_form = [row for row in dates.rows if form and row.form == _key(form)]
    if not of_form:
        return None
    rows = _narrowed(of_form, [row.office for row in of_form], _office(office or ""))
    rows = _narrowed(rows, [row.subtype for row in rows], _key(subtype or ""))
    state, day = _compared([row.day for row in rows], received_on)
    as_of = min(row.as_of for row in rows or of_form)
    return InquiryStanding(
        state=state,
        received_on=received_on,
        day=day,
        as_of=as_of,
        source=dates.origin.name,
        is_old=_is_old(as_of, today),
    )


def _compared(days: Sequence[date | None], received_on: date | None) -> tuple[Standing, date | None]:
    known = [day for day in days if day is not None]
    if received_on is None or not known or len(known) < len(days):
        return Standing.UNKNOWN, None
    if received_on < min(known):
        return Standing.OPEN, min(known)
    if received_on >= max(known):
        return Standing.NOT_YET, max(known)
    return Standing.UNKNOWN, None


def _narrowed(rows: Sequence[InquiryRow], values: Sequence[str], wanted: str) -> list[InquiryRow]:
    """Return the lines with the wanted value, else those for any value. All of them if the value is not known."""
    if not wanted:
        return list(rows)
    exact, general = ([row for row, own in zip(rows, values, strict=True) if own == value] for value in (wanted, ""))
    return exact or general


def _is_old(as_of: date, today: date) -> bool:
    return today - as_of > _OLD_AFTER


def _office(name: str) -> str:
    key = _key(name)
    return _FOLDED.get(key, key)


def _key(text: str) -> str:
    return re.sub(r"[\W_]", "", text.casefold())
