"""All lists that cases are compared with, and the comparison of one case. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from watcher.model.case import Stage
from watcher.model.ledger import TrackedCase
from watcher.reference.inquiry_dates import InquiryDates, InquiryStanding, inquiry_standing
from watcher.reference.place_in_line import BulletinList, PlaceInLine
from watcher.reference.rows import Origin
from watcher.text.case_numbers import normalized_number

_ENDED_BY_APPROVAL = frozenset({"I-485", "DS-260"})
"""The forms that use up a priority date when they are approved; a petition keeps it."""


INQUIRY_PAGE = "https://egov.uscis.gov/e-request"
BULLETIN_PAGE = "https://travel.state.gov/content/travel/en/legal/visa-law0/visa-bulletin.html"
"""The official pages for people."""


class ListName(StrEnum):
    """The lists, by their keys in `[reference]`."""

    INQUIRY_DATES = "inquiry_dates"
    VISA_BULLETIN = "visa_bulletin"
    FILING_CHART = "filing_chart"


class ProblemKind(StrEnum):
    """What is wrong with a list: it cannot be read or fetched, or it is too old to say how it is now."""

    FAULT = "fault"
    OLD = "old"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListProblem:
    """What is wrong with a list. `reason` is empty for an old one. `saved_on` is the day of the list in use, if any."""

    name: ListName
    kind: ProblemKind
    source: str
    reason: str = ""
    saved_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLists:
    """What the lists say about one case. `inquiry` is None if its form is on no list, `place` if it has no date."""

    inquiry: InquiryStanding | None = None
    place: PlaceInLine | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceLists:
    """The lists that can be used, and why others cannot. `subtypes` are the user's, by normalized number or by form."""

    inquiry: InquiryDates | None = None
    bulletin: BulletinList | None = None
    subtypes: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[ListProblem, ...] = ()

    def of_case(self, case: TrackedCase, today: date) -> CaseLists:
        """Return what the lists say about a case on a day of the user's; nothing about a finished one."""
        if case.finished:
            return CaseLists()
        return CaseLists(inquiry=self.inquiry_standing(case, today), place=self.place(case, today))

    def inquiry_standing(self, case: TrackedCase, today: date) -> InquiryStanding | None:
        """Return whether the person may ask about a case; None if there is no list, or the case is not on it."""
        snapshot = case.snapshot
        if self.inquiry is None or snapshot is None or snapshot.stage.final:
            return None
        form = snapshot.form or ""
        return inquiry_standing(
            self.inquiry,
            form=form,
            office=snapshot.office,
            subtype=self.subtypes.get(normalized_number(case.case_number)) or self.subtypes.get(form.casefold()),
            received_on=snapshot.submitted_on,
            today=today,
        )

    def place(self, case: TrackedCase, today: date) -> PlaceInLine | None:
        """Return where the priority date of a case stands; None if there is none, no bulletin, or it is used up."""
        if self.bulletin is None or case.priority is None or _is_used_up(case):
            return None
        return self.bulletin.place(case.priority, today)

    def problems(self, today: date) -> Iterator[ListProblem]:
        """Yield what is wrong with each list: at most one problem for each."""
        yield from self.faults
        known = {problem.name for problem in self.faults}
        for name, origin in self._old(today):
            if name not in known and origin is not None:
                yield ListProblem(name=name, kind=ProblemKind.OLD, source=origin.name, saved_on=origin.saved_on)

    def _old(self, today: date) -> Iterator[tuple[ListName, Origin | None]]:
        if self.inquiry is not None and self.inquiry.is_old(today):
            yield ListName.INQUIRY_DATES, self.inquiry.origin
        if self.bulletin is not None and self.bulletin.bulletins.is_old(today):
            yield ListName.VISA_BULLETIN, self.bulletin.bulletins.origin
        if self.bulletin is not None and self.bulletin.has_old_charts(today):
            yield ListName.FILING_CHART, self.bulletin.filing_origin


NO_LISTS = ReferenceLists()


def _is_used_up(case: TrackedCase) -> bool:
    """Return whether the case has ended in a way that leaves nothing to wait for."""
    snapshot = case.snapshot
    if snapshot is None or not snapshot.stage.final:
        return False
    return snapshot.stage is not Stage.APPROVED or (snapshot.form or "") in _ENDED_BY_APPROVAL
