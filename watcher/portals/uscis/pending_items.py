"""What a case of the online account asks for: requests, appointments, and required actions. Pure."""

from collections.abc import Iterator
from datetime import date

from watcher.language.due_estimates import estimate_due
from watcher.language.status_meaning import Meaning
from watcher.language.uscis_wording import stated_day
from watcher.model.case import STATUS_SOURCE, ItemKind, ItemState, PendingItem
from watcher.portals.uscis.answers import EvidenceRequest, Status, utc_day
from watcher.portals.uscis.appointments import appointments
from watcher.portals.uscis.case_answers import (
    CASE_SOURCE,
    DOCUMENTS_SOURCE,
    EARLIER_SOURCE,
    EVENTS_SOURCE,
    LETTERS_SOURCE,
    CaseAnswers,
    title_meaning,
)
from watcher.portals.uscis.event_codes import CodeMeaning, meaning_of_code
from watcher.portals.uscis.evidence_requests import CaseProgress, RequestMention, find_requests
from watcher.text.html import plain_text

_TITLES = {
    "en": {ItemKind.RFE: "Request for Evidence", ItemKind.INTENT_TO_DENY: "Notice of Intent to Deny"},
    "es": {ItemKind.RFE: "Solicitud de Evidencia", ItemKind.INTENT_TO_DENY: "Aviso de Intención de Denegar"},
}


def pending_items(answers: CaseAnswers, language: str) -> tuple[PendingItem, ...]:
    """Return every item, ordered by key. Requests and intents are merged from every source that can show them.

    What only the current title asks for is left to `watcher.reading.normalize`.
    """
    items = [
        *_requests(answers, ItemKind.RFE, language),
        *_requests(answers, ItemKind.INTENT_TO_DENY, language),
        *appointments(answers),
    ]
    explained = answers.current.meaning.asks is not None or any(item.state is not ItemState.CLOSED for item in items)
    if not explained and answers.case is not None and answers.case.action_required:
        items.append(
            PendingItem(
                key="action-required", kind=ItemKind.TASK, title="Action required", sources=frozenset({CASE_SOURCE})
            )
        )
    unique = {item.key: item for item in items}
    return tuple(unique[key] for key in sorted(unique))


def _requests(answers: CaseAnswers, kind: ItemKind, language: str) -> Iterator[PendingItem]:
    current = answers.current
    title_is_unknown = not current.meaning.known and current.meaning.asks is None
    ended = current.meaning.stage.final or (title_is_unknown and answers.case is not None and bool(answers.case.closed))
    progress = CaseProgress(ended=ended, asks=current.meaning.asks is kind, since=current.since)
    mentions, entries = list(_mentions(answers, kind)), _listed(answers, kind)
    for request in find_requests(mentions, entries, progress, implied=_is_implied(answers, kind)):
        title = _TITLES.get(language, _TITLES["en"])[kind]
        yield PendingItem(
            key=f"{kind}:{request.portal_id or request.asked_on or 'undated'}",
            kind=kind,
            title=title,
            due_by_estimate=estimate_due(kind, form=answers.form, asked_on=request.asked_on, title=title),
            state=request.state,
            asked_on=request.asked_on,
            portal_id=request.portal_id,
            sources=request.sources,
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
    kinds = {letter.letter_id: title_meaning(letter.action_type).asks for letter in answers.letters}
    return [
        entry
        for entry in answers.case.evidence_requests or ()
        if (kinds.get(entry.id) is ItemKind.INTENT_TO_DENY) is (kind is ItemKind.INTENT_TO_DENY)
    ]


def _mentions(answers: CaseAnswers, kind: ItemKind) -> Iterator[RequestMention]:
    if answers.status is not None:
        yield from _mentions_in_status(answers, answers.status, kind)
    for event in answers.events:
        if (meaning := meaning_of_code(event.event_code, kind)) is not None:
            yield RequestMention(meaning=meaning, day=event.day, recorded_on=event.recorded_on, source=EVENTS_SOURCE)
    ids = {entry.id for entry in _listed(answers, kind)}
    for letter in answers.letters:
        meaning = CodeMeaning.ASKED if letter.letter_id in ids else _meaning_in(letter.action_type, kind)
        if meaning is not None:
            yield RequestMention(meaning=meaning, day=utc_day(letter.generation_date), source=LETTERS_SOURCE)
    for document in answers.documents or ():
        if document.by_uscis and (meaning := _meaning_in(document.type, kind)) is not None:
            yield RequestMention(meaning=meaning, day=utc_day(document.create_date), source=DOCUMENTS_SOURCE)


def _mentions_in_status(answers: CaseAnswers, status: Status, kind: ItemKind) -> Iterator[RequestMention]:
    """Yield what the current title (or else its action code) and the earlier titles say."""
    code = meaning_of_code(status.current_action_code or "", kind)
    if (meaning := _request_meaning(answers.current.meaning, kind)) is not None:
        yield RequestMention(meaning=meaning, day=_day_of_title(status, kind), source=STATUS_SOURCE)
    elif code is not None:
        yield RequestMention(meaning=code, day=utc_day(status.current_action_code_date), source=STATUS_SOURCE)
    for earlier in answers.earlier_statuses:
        meaning = _meaning_in(earlier.status_title, kind) or meaning_of_code(earlier.action_code or "", kind)
        if meaning is not None:
            yield RequestMention(meaning=meaning, day=earlier.date, source=EARLIER_SOURCE)


def _day_of_title(status: Status, kind: ItemKind) -> date | None:
    """Return the day that the text states, or the day of the action code if that code is about the same request."""
    stated = stated_day(plain_text(status.status_text or ""))
    if stated is None and meaning_of_code(status.current_action_code or "", kind) is not None:
        return utc_day(status.current_action_code_date)
    return stated


def _meaning_in(title: str, kind: ItemKind) -> CodeMeaning | None:
    return _request_meaning(title_meaning(title), kind)


def _request_meaning(meaning: Meaning, kind: ItemKind) -> CodeMeaning | None:
    if meaning.asks is kind:
        return CodeMeaning.ASKED
    return CodeMeaning.ANSWERED if kind in meaning.answers else None
