"""What a case of the online account asks for: requests, appointments, and items that only the title shows. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from watcher.language.due_estimates import estimate_due
from watcher.language.status_meaning import Meaning, is_placeholder, meaning_of
from watcher.language.title_pattern import normalize_title
from watcher.language.uscis_wording import form_number, stated_day
from watcher.model.case import STATUS_ITEM_PREFIX, ItemKind, ItemState, PendingItem
from watcher.portals.uscis.answers import Case, Document, EarlierStatus, Event, EvidenceRequest, Letter, Status, utc_day
from watcher.portals.uscis.event_codes import INTERVIEW_CANCELLED_CODES, CodeMeaning, meaning_of_code
from watcher.portals.uscis.evidence_requests import CaseProgress, RequestMention, find_requests
from watcher.text.html import plain_text

_TITLES = {
    "en": {ItemKind.RFE: "Request for Evidence", ItemKind.INTENT_TO_DENY: "Notice of Intent to Deny"},
    "es": {ItemKind.RFE: "Solicitud de Evidencia", ItemKind.INTENT_TO_DENY: "Aviso de Intención de Denegar"},
}
_SAME_APPOINTMENT = timedelta(days=45)
"""The longest time between a title that announces an appointment and the letter that states its time."""

_UTC = ZoneInfo("UTC")  # the portal's own days
_meaning = lru_cache(maxsize=512)(meaning_of)  # every answer contains the same few titles


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentStatus:
    """The current title, its meaning, and its day. Empty if the portal gave no status."""

    title: str = ""
    meaning: Meaning = field(default_factory=Meaning)
    since: date | None = None

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
            since=stated_day(text) or utc_day(status.current_action_code_date),
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


def pending_items(answers: CaseAnswers, language: str) -> tuple[PendingItem, ...]:
    """Return every item, ordered by key. Requests and intents are merged from every source that can show them."""
    items = [
        *_requests(answers, ItemKind.RFE, language),
        *_requests(answers, ItemKind.INTENT_TO_DENY, language),
        *_appointments(answers),
    ]
    items += _from_title(answers, items)
    explained = any(item.state is not ItemState.CLOSED for item in items)
    if not explained and answers.case is not None and answers.case.action_required:
        items.append(PendingItem(key="action-required", kind=ItemKind.TASK, title="Action required"))
    return tuple(sorted(items, key=lambda item: item.key))


# --- requests -----------------------------------------------------------------------------------------------------


def _requests(answers: CaseAnswers, kind: ItemKind, language: str) -> Iterator[PendingItem]:
    current = answers.current
    title_is_unknown = not current.meaning.known and current.meaning.asks is None
    ended = current.meaning.stage.final or (title_is_unknown and answers.case is not None and bool(answers.case.closed))
    progress = CaseProgress(ended=ended, asks=current.meaning.asks is kind, since=current.since)
    mentions, entries = list(_mentions(answers, kind)), _listed(answers, kind)
    for request in find_requests(mentions, entries, progress, implied=_is_implied(answers, kind)):
        title = _TITLES.get(language, _TITLES["en"])[kind]
        yield PendingItem(
            key=f"{kind}:{request.number}",
            kind=kind,
            title=title,
            due_by_estimate=estimate_due(kind, form=answers.form, asked_on=request.asked_on, title=title),
            state=request.state,
        )


def _is_implied(answers: CaseAnswers, kind: ItemKind) -> bool:
    """Return whether an answer alone implies a request: one for evidence, unless there is an intent to deny."""
    return kind is ItemKind.RFE and not any(
        mention.meaning is CodeMeaning.ASKED for mention in _mentions(answers, ItemKind.INTENT_TO_DENY)
    )


def _listed(answers: CaseAnswers, kind: ItemKind) -> list[EvidenceRequest]:
    """Return the entries of `evidenceRequests` of this kind: for evidence, unless their letter says otherwise."""
    if answers.case is None:
        return []
    kinds = {letter.letter_id: _meaning(letter.action_type).asks for letter in answers.letters}
    return [
        entry
        for entry in answers.case.evidence_requests or ()
        if (kinds.get(entry.id) is ItemKind.INTENT_TO_DENY) is (kind is ItemKind.INTENT_TO_DENY)
    ]


def _mentions(answers: CaseAnswers, kind: ItemKind) -> Iterator[RequestMention]:
    if answers.status is not None and answers.current.title:
        yield from _mentions_in_titles(answers, answers.status, kind)
    for event in answers.events:
        if (meaning := meaning_of_code(event.event_code, kind)) is not None:
            yield RequestMention(meaning=meaning, day=event.day, recorded_on=event.recorded_on)
    ids = {entry.id for entry in _listed(answers, kind)}
    for letter in answers.letters:
        meaning = CodeMeaning.ASKED if letter.letter_id in ids else _title_meaning(letter.action_type, kind)
        if meaning is not None:
            yield RequestMention(meaning=meaning, day=utc_day(letter.generation_date))
    for document in answers.documents or ():
        if document.by_uscis and (meaning := _title_meaning(document.type, kind)) is not None:
            yield RequestMention(meaning=meaning, day=utc_day(document.create_date))


def _mentions_in_titles(answers: CaseAnswers, status: Status, kind: ItemKind) -> Iterator[RequestMention]:
    if (meaning := _request_meaning(answers.current.meaning, kind)) is not None:
        yield RequestMention(meaning=meaning, day=_day_of_title(status, kind), from_title=True, from_current_title=True)
    for earlier in answers.earlier_statuses:
        meaning = _title_meaning(earlier.status_title, kind) or meaning_of_code(earlier.action_code or "", kind)
        if meaning is not None:
            yield RequestMention(meaning=meaning, day=earlier.date, from_title=True)


def _day_of_title(status: Status, kind: ItemKind) -> date | None:
    """Return the day that the text states, or the day of the action code if that code is about the same request."""
    stated = stated_day(plain_text(status.status_text or ""))
    if stated is None and meaning_of_code(status.current_action_code or "", kind) is not None:
        return utc_day(status.current_action_code_date)
    return stated


def _title_meaning(title: str, kind: ItemKind) -> CodeMeaning | None:
    return _request_meaning(_meaning(title), kind)


def _request_meaning(meaning: Meaning, kind: ItemKind) -> CodeMeaning | None:
    if meaning.asks is kind:
        return CodeMeaning.ASKED
    return CodeMeaning.ANSWERED if kind in meaning.answers else None


# --- appointments -------------------------------------------------------------------------------------------------


def _appointments(answers: CaseAnswers) -> Iterator[PendingItem]:
    """Yield letters with an appointment that is not cancelled and, by the portal's own dates, not past."""
    for letter in answers.letters:
        kind = _appointment_kind(letter, answers)
        if kind is None or _is_over(letter, kind, answers):
            continue
        yield PendingItem(
            key=f"appointment:{letter.letter_id}",
            kind=kind,
            title=plain_text(letter.action_type),
            starts_at=letter.appointment_date_time,
        )


def _appointment_kind(letter: Letter, answers: CaseAnswers) -> ItemKind | None:
    """Return the kind of a letter's appointment by its own words, else by a title of about the same days.

    The words "Appointment Scheduled" alone are used for both biometrics and interviews.
    """
    asks = _meaning(letter.action_type).asks
    if asks is not None and asks.is_appointment:
        return asks
    if letter.appointment_date_time is None and normalize_title(letter.action_type) != "appointment scheduled":
        return None
    announced = (kind for kind, day in _announcements(answers) if _is_near(letter, day))
    return next(announced, ItemKind.APPOINTMENT)


def _announcements(answers: CaseAnswers) -> Iterator[tuple[ItemKind, date | None]]:
    if (asks := answers.current.meaning.asks) is not None and asks.is_appointment:
        yield asks, answers.current.since
    for earlier in answers.earlier_statuses:
        if (asks := _meaning(earlier.status_title).asks) is not None and asks.is_appointment:
            yield asks, earlier.date


def _is_near(letter: Letter, day: date | None) -> bool:
    made = utc_day(letter.generation_date)
    return made is None or day is None or abs(made - day) <= _SAME_APPOINTMENT


def _is_over(letter: Letter, kind: ItemKind, answers: CaseAnswers) -> bool:
    """Return whether the title or an event cancelled it, the case ended after it, or the portal wrote after its day."""
    meaning, since, made = answers.current.meaning, answers.current.since, utc_day(letter.generation_date)
    ended = meaning.stage.final and not (meaning.asks is not None and meaning.asks.is_appointment)
    if kind in meaning.cancels or (ended and (made is None or since is None or made <= since)):
        return True
    starts_at = letter.appointment_date_time
    if starts_at is not None and starts_at.day_in(_UTC) < (answers.latest_day or date.min):
        return True
    return kind is not ItemKind.BIOMETRICS and any(
        event.event_code in INTERVIEW_CANCELLED_CODES
        and made is not None
        and event.day is not None
        and event.day > made
        for event in answers.events
    )


# --- items that only the title shows ------------------------------------------------------------------------------


def _from_title(answers: CaseAnswers, items: Sequence[PendingItem]) -> list[PendingItem]:
    """Return the item that the current title itself is, if no other source shows it."""
    current = answers.current
    kind = current.meaning.asks
    if kind is None or kind in (ItemKind.RFE, ItemKind.INTENT_TO_DENY) or any(item.kind is kind for item in items):
        return []
    key = f"{STATUS_ITEM_PREFIX}{kind}" + (f":{current.since}" if current.since else "")
    estimate = estimate_due(kind, form=answers.form, asked_on=current.since, title=current.title)
    return [PendingItem(key=key, kind=kind, title=current.title, due_by_estimate=estimate)]
