"""The answers about one case of the online account, with the names of their parts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache

from watcher.language.status_meaning import Meaning, is_placeholder, meaning_of
from watcher.language.uscis_wording import form_number, stated_day
from watcher.model.case import STATUS_SOURCE
from watcher.portals.uscis.answers import Case, Document, EarlierStatus, Event, Letter, Status, utc_day
from watcher.portals.uscis.evidence_requests import LIST_SOURCE
from watcher.text.html import plain_text

CASE_SOURCE = "case"
EVENTS_SOURCE = "case.events"
LETTERS_SOURCE = "case.notices"
EARLIER_SOURCE = "status.history"
DOCUMENTS_SOURCE = "documents"
SOURCES = frozenset(
    {CASE_SOURCE, EVENTS_SOURCE, LETTERS_SOURCE, LIST_SOURCE, STATUS_SOURCE, EARLIER_SOURCE, DOCUMENTS_SOURCE}
)
"""The parts of the answers that can each be missing."""

title_meaning = lru_cache(maxsize=512)(meaning_of)  # every answer contains the same few titles


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentStatus:
    """The current title, its meaning, the day that its text states, and the time of its action code.

    Empty if the portal gave no status.
    """

    title: str = ""
    meaning: Meaning = field(default_factory=Meaning)
    stated_on: date | None = None
    updated_at: datetime | None = None

    @property
    def since(self) -> date | None:
        """The day that the text states, else the day on which the status was last updated."""
        return self.stated_on or utc_day(self.updated_at)

    @classmethod
    def from_status(cls, status: Status | None) -> "CurrentStatus":
        """Return the current status of an answer."""
        if status is None or is_placeholder(status.status_title):
            return cls()
        text = plain_text(status.status_text or "")
        meaning = meaning_of(status.status_title, description=text)
        return cls(
            title=plain_text(status.status_title),
            meaning=meaning,
            stated_on=stated_day(text),
            updated_at=status.current_action_code_date,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAnswers:
    """The answers about one case. An answer that is missing is None."""

    case: Case | None
    status: Status | None
    documents: Sequence[Document] | None
    current: CurrentStatus

    @property
    def form(self) -> str | None:
        """The form number with its hyphen. A form type that is not a number stays as it is."""
        form_types = [answer.form_type for answer in (self.case, self.status) if answer is not None]
        return next((form_number(form) or plain_text(form) for form in form_types if form), None)

    @property
    def events(self) -> Sequence[Event]:
        """The case's events."""
        return (self.case and self.case.events) or ()

    @property
    def letters(self) -> Sequence[Letter]:
        """The case's letters."""
        return (self.case and self.case.notices) or ()

    @property
    def earlier_statuses(self) -> Sequence[EarlierStatus]:
        """The case's earlier statuses."""
        return (self.status and self.status.historical_case_statuses) or ()

    @property
    def latest_day(self) -> date | None:
        """The latest day on which the portal wrote something about the case."""
        days = [self.current.since]
        if self.case is not None:
            days += [self.case.updated_at_timestamp.date() if self.case.updated_at_timestamp else self.case.updated_at]
            days += [event.recorded_on or event.day for event in self.events]
        return max((day for day in days if day is not None), default=None)

    @property
    def sources(self) -> frozenset[str]:
        """The sources that answered. An empty list of documents counts as missing: it occurs in error."""
        case, status = self.case, self.status
        answered = {
            CASE_SOURCE: case is not None,
            EVENTS_SOURCE: case is not None and case.events is not None,
            LETTERS_SOURCE: case is not None and case.notices is not None,
            LIST_SOURCE: case is not None and case.evidence_requests is not None,
            STATUS_SOURCE: bool(self.current.title),
            EARLIER_SOURCE: status is not None and status.historical_case_statuses is not None,
            DOCUMENTS_SOURCE: bool(self.documents),
        }
        return frozenset(source for source, has_answered in answered.items() if has_answered)
