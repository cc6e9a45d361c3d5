"""A case of the practice portal: frozen values that the pages are made from."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

PORTAL_ZONE = ZoneInfo("America/New_York")
"""The time zone of dates and appointments on the portal's pages."""

FORM_NAMES = {
    "I-130": "Petition for Alien Relative",
    "I-485": "Application to Register Permanent Residence or Adjust Status",
    "I-765": "Application for Employment Authorization",
    "N-400": "Application for Naturalization",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The status of a case in both languages. Texts are HTML, as on the real portal; titles are plain text."""

    title_en: str
    title_es: str
    text_en: str
    text_es: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionItem:
    """Something the applicant must answer or attend. `starts_at` is naive: the portal shows its local time."""

    key: str
    kind: str
    title: str
    due_on: date | None = None
    starts_at: datetime | None = None
    place: str | None = None
    answered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseNotice:
    """A letter that can be downloaded as a PDF."""

    key: str
    title: str
    dated: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """One line of a case's history in both languages."""

    key: str
    on: date
    text_en: str
    text_es: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecord:
    """Everything that the portal knows of one case at one moment. `updated_at` is aware, UTC."""

    number: str
    form: str
    title: str
    submitted_at: datetime
    updated_at: datetime
    status: Status
    items: tuple[ActionItem, ...] = ()
    notices: tuple[CaseNotice, ...] = ()
    events: tuple[CaseEvent, ...] = ()


def local_date(moment: datetime) -> date:
    """Return the day in the portal's time zone."""
    return moment.astimezone(PORTAL_ZONE).date()
