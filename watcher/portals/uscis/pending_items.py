"""What a case of the online account asks: requests, appointments, and what only the title says. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

from watcher.language.due_estimates import estimate_due
from watcher.language.status_meaning import Meaning, is_placeholder, meaning_of, normalize_title
from watcher.language.uscis_wording import form_number, stated_day
from watcher.model.case import STATUS_ITEM_PREFIX, ItemKind, ItemState, PendingItem
from watcher.portals.uscis import event_codes
from watcher.portals.uscis.answers import Case, Document, EvidenceRequest, Letter, Status
from watcher.portals.uscis.event_codes import CodeMeaning
from watcher.portals.uscis.evidence_requests import Outlook, RequestMention, requests
from watcher.text.uscis_html import plain_text

_TITLES = {
    "en": {ItemKind.RFE: "Request for Evidence", ItemKind.INTENT_TO_DENY: "Notice of Intent to Deny"},
    "es": {ItemKind.RFE: "Solicitud de Evidencia", ItemKind.INTENT_TO_DENY: "Aviso de Intención de Denegar"},
}
_SCHEDULED_WITH = timedelta(days=45)
"""A title that announces an appointment and the letter with its time are no further apart."""


@lru_cache(maxsize=512)
def _meaning(title: str) -> Meaning:
    """What a title means; the same few stand in every answer."""
    return meaning_of(title)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentStatus:
    """The present title, what it means and the day it is from."""

    title: str = ""
    meaning: Meaning = field(default_factory=Meaning)
    since: date | None = None

    @classmethod
    def of(cls, status: Status | None) -> "CurrentStatus":
        """Empty where the portal gave no status."""
        if status is None or is_placeholder(status.status_title):
            return cls()
        text = plain_text(status.status_text or "")
        since = stated_day(text)
        if since is None and status.current_action_code_date is not None:
            since = status.current_action_code_date.date()
        meaning = meaning_of(status.status_title, description=text)
        return cls(title=plain_text(status.status_title), meaning=meaning, since=since)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAnswers:
    """The answers about one case; None for one that did not come."""

    case: Case | None
    status: Status | None
    documents: Sequence[Document] | None
    present: CurrentStatus

    @property
    def form(self) -> str | None:
        """The form by its number, with its hyphen."""
        named = [said.form_type for said in (self.case, self.status) if said is not None]
        return next((form_number(form) for form in named if form), None)

    @property
    def latest(self) -> date | None:
        """The latest day on which the portal wrote something about the case."""
        days = [self.present.since]
        if self.case is not None:
            days += [self.case.updated_at_timestamp.date() if self.case.updated_at_timestamp else self.case.updated_at]
            days += [event.written or event.day for event in self.case.events or ()]
        return max((day for day in days if day is not None), default=None)


def pending_items(said: CaseAnswers, language: str) -> tuple[PendingItem, ...]:
    """Every item, ordered by key. Requests for evidence and intents come from every place that can carry them."""
    items = [
        *_requested(said, ItemKind.RFE, language),
        *_requested(said, ItemKind.INTENT_TO_DENY, language),
        *_appointments(said),
    ]
    items += _of_the_title(said, items)
    explained = any(item.state is not ItemState.CLOSED for item in items)
    if not explained and said.case is not None and said.case.action_required:
        items.append(PendingItem(key="action-required", kind=ItemKind.TASK, title="Action required"))
    return tuple(sorted(items, key=lambda item: item.key))


# --- requests -----------------------------------------------------------------------------------------------------


def _requested(said: CaseAnswers, kind: ItemKind, language: str) -> Iterator[PendingItem]:
    present = said.present
    unsaid = not present.meaning.known and present.meaning.asks is None
    over = present.meaning.stage.final or (unsaid and said.case is not None and bool(said.case.closed))
    outlook = Outlook(over=over, asks=present.meaning.asks is kind, since=present.since)
    marks = list(_marks(said, kind))
    for request in requests(marks, _listed(said, kind), outlook, implied=_is_implied(said, kind)):
        title = _TITLES.get(language, _TITLES["en"])[kind]
        yield PendingItem(
            key=f"{kind}:{request.number}",
            kind=kind,
            title=title,
            due_by_estimate=estimate_due(kind, form=said.form, asked_on=request.asked_on, title=title),
            state=request.state,
        )


def _is_implied(said: CaseAnswers, kind: ItemKind) -> bool:
    """Whether an answer alone tells of a request: one for evidence, unless an intent to deny shows."""
    return kind is ItemKind.RFE and not any(
        mark.meaning is CodeMeaning.ASKED for mark in _marks(said, ItemKind.INTENT_TO_DENY)
    )


def _listed(said: CaseAnswers, kind: ItemKind) -> list[EvidenceRequest]:
    """The entries of `evidenceRequests` of this kind: a request for evidence, unless its own letter says otherwise."""
    if said.case is None:
        return []
    kinds = {letter.letter_id: _meaning(letter.action_type).asks for letter in said.case.notices or ()}
    return [
        entry
        for entry in said.case.evidence_requests or ()
        if (kinds.get(entry.id) is ItemKind.INTENT_TO_DENY) is (kind is ItemKind.INTENT_TO_DENY)
    ]


def _marks(said: CaseAnswers, kind: ItemKind) -> Iterator[RequestMention]:
    if said.status is not None and said.present.title:
        yield from _marks_of_status(said.status, said.present, kind)
    if said.case is not None:
        for event in said.case.events or ():
            if (what := event_codes.meaning_of_code(event.event_code, kind)) is not None:
                yield RequestMention(meaning=what, day=event.day, written=event.written)
        ids = {entry.id for entry in _listed(said, kind)}
        for letter in said.case.notices or ():
            what = CodeMeaning.ASKED if letter.letter_id in ids else _title_says(letter.action_type, kind)
            if what is not None:
                yield RequestMention(
                    meaning=what, day=letter.generation_date.date() if letter.generation_date else None
                )
    for document in said.documents or ():
        if document.by_uscis and (what := _title_says(document.type, kind)) is not None:
            yield RequestMention(meaning=what, day=document.create_date.date() if document.create_date else None)


def _marks_of_status(status: Status, present: CurrentStatus, kind: ItemKind) -> Iterator[RequestMention]:
    if (what := _meaning_says(present.meaning, kind)) is not None:
        yield RequestMention(meaning=what, day=_day_of_title(status, kind), status=True, current=True)
    for earlier in status.historical_case_statuses or ():
        what = _title_says(earlier.status_title, kind) or event_codes.meaning_of_code(earlier.action_code or "", kind)
        if what is not None:
            yield RequestMention(meaning=what, day=earlier.date, status=True)


def _day_of_title(status: Status, kind: ItemKind) -> date | None:
    """The day that the text states, or the day of the action code where that code is about the same thing."""
    stated = stated_day(plain_text(status.status_text or ""))
    if stated is None and status.current_action_code_date is not None:
        about = event_codes.meaning_of_code(status.current_action_code or "", kind)
        return status.current_action_code_date.date() if about is not None else None
    return stated


def _title_says(title: str, kind: ItemKind) -> CodeMeaning | None:
    return _meaning_says(_meaning(title), kind)


def _meaning_says(meaning: Meaning, kind: ItemKind) -> CodeMeaning | None:
    if meaning.asks is kind:
        return CodeMeaning.ASKED
    return CodeMeaning.ANSWERED if kind in meaning.answers else None


# --- appointments -------------------------------------------------------------------------------------------------


def _appointments(said: CaseAnswers) -> Iterator[PendingItem]:
    """Letters with an appointment that the portal has not cancelled and, by its own dates, is not past."""
    for letter in (said.case and said.case.notices) or ():
        kind = _kind_of(letter, said)
        if kind is None or _is_off(letter, kind, said):
            continue
        yield PendingItem(
            key=f"appointment:{letter.letter_id}",
            kind=kind,
            title=letter.action_type,
            starts_at=letter.appointment_date_time,
        )


def _kind_of(letter: Letter, said: CaseAnswers) -> ItemKind | None:
    """What the letter invites to: what its own words say, else what a title of about the same days announces.

    The words "Appointment Scheduled" alone stand for biometrics and interviews alike.
    """
    asks = _meaning(letter.action_type).asks
    if asks is not None and asks.is_appointment:
        return asks
    if letter.appointment_date_time is None and normalize_title(letter.action_type) != "appointment scheduled":
        return None
    announced = (kind for kind, day in _announcements(said) if _together(letter, day))
    return next(announced, ItemKind.APPOINTMENT)


def _announcements(said: CaseAnswers) -> Iterator[tuple[ItemKind, date | None]]:
    if (asks := said.present.meaning.asks) is not None and asks.is_appointment:
        yield asks, said.present.since
    for earlier in (said.status and said.status.historical_case_statuses) or ():
        if (asks := _meaning(earlier.status_title).asks) is not None and asks.is_appointment:
            yield asks, earlier.date


def _together(letter: Letter, day: date | None) -> bool:
    if letter.generation_date is None or day is None:
        return True
    return abs(letter.generation_date.date() - day) <= _SCHEDULED_WITH


def _is_off(letter: Letter, kind: ItemKind, said: CaseAnswers) -> bool:
    """Whether the title or an event cancelled it, the case ended after it, or the portal wrote after its day."""
    meaning, since = said.present.meaning, said.present.since
    made = letter.generation_date.date() if letter.generation_date else None
    ended = meaning.stage.final and not (meaning.asks is not None and meaning.asks.is_appointment)
    if kind in meaning.cancels or (ended and (made is None or since is None or made <= since)):
        return True
    if letter.appointment_date_time is not None and letter.appointment_date_time.date() < (said.latest or date.min):
        return True
    return kind is not ItemKind.BIOMETRICS and any(
        event.event_code in event_codes.CANCELLING and made is not None and event.day is not None and event.day > made
        for event in (said.case and said.case.events) or ()
    )


# --- what only the title says -------------------------------------------------------------------------------------


def _of_the_title(said: CaseAnswers, items: Sequence[PendingItem]) -> list[PendingItem]:
    """The item that the present title is, where nothing else shows it."""
    kind, since = said.present.meaning.asks, said.present.since
    if kind is None or kind in (ItemKind.RFE, ItemKind.INTENT_TO_DENY) or any(item.kind is kind for item in items):
        return []
    key = f"{STATUS_ITEM_PREFIX}{kind}" + (f":{since}" if since else "")
    estimate = estimate_due(kind, form=said.form, asked_on=since, title=said.present.title)
    return [PendingItem(key=key, kind=kind, title=said.present.title, due_by_estimate=estimate)]
