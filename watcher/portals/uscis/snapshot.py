"""The answers about one case of the online account, as a snapshot. Pure.

What two endpoints give together (pending items, history, notices) is marked `partial` where one of them did not answer.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, TypeVar

from watcher.errors import CaseNotFound, UnexpectedAnswer
from watcher.model.case import HistoryEntry, Notice, Snapshot
from watcher.portal import RawAnswers
from watcher.portals.uscis.answers import Case, Document, Status, read_case, read_documents, read_status
from watcher.portals.uscis.event_codes import hint
from watcher.portals.uscis.pending_items import CaseAnswers, CurrentStatus, pending_items
from watcher.text.uscis_html import plain_text

_K = TypeVar("_K", HistoryEntry, Notice)


def snapshot(answers: RawAnswers, language: str) -> Snapshot:
    """What `case`, `status` and `documents` say together; any of them may be missing, but not all that name a case.

    Raises `CaseNotFound` where no answer names a case, `UnexpectedAnswer` where one is not in a known shape, or where
    two are about different cases.
    """
    case = read_case(answers["case"]) if "case" in answers else None
    status = read_status(answers["status"]) if "status" in answers else None
    documents = read_documents(answers["documents"]) if "documents" in answers else None
    said = CaseAnswers(case=case, status=status, documents=documents, present=CurrentStatus.of(status))
    return Snapshot(
        case_number=_receipt(case, status),
        form=said.form,
        title=case.form_name if case else None,
        submitted_on=case.submission_date if case else None,
        updated_at=_updated(case),
        office=_office(status),
        pending=pending_items(said, language),
        notices=_by_key([*_letters(case), *_documents(documents)]),
        history=_by_key([*_events(case), *_earlier(status, language)]),
        partial=_partial(said),
        **_status_words(said, language),
    )


def _receipt(case: Case | None, status: Status | None) -> str:
    named = {said.receipt_number for said in (case, status) if said is not None}
    if not named:
        raise CaseNotFound("USCIS online account: no answer names a case")
    if len(named) > 1:
        raise UnexpectedAnswer("USCIS online account: the case and the status answer are about different cases")
    return named.pop()


def _updated(case: Case | None) -> datetime | date | None:
    return (case.updated_at_timestamp or case.updated_at) if case else None


def _office(status: Status | None) -> str | None:
    return (_given(status.jurisdiction_description) or _given(status.jurisdiction)) if status else None


def _given(text: str | None) -> str | None:
    """A text that says something; an empty one says nothing."""
    return (plain_text(text) or None) if text else None


def _partial(said: CaseAnswers) -> frozenset[str]:
    """The collections of which a source is missing. An empty list of documents counts as none: it is seen in error."""
    events = said.case is not None and said.case.events is not None
    letters = said.case is not None and said.case.notices is not None
    listed = said.case is not None and said.case.evidence_requests is not None
    titles = said.status is not None and said.status.historical_case_statuses is not None
    whole = {
        "pending": events and letters and listed and titles and said.documents is not None,
        "notices": letters and bool(said.documents),
        "history": events and titles,
    }
    return frozenset(name for name, is_whole in whole.items() if not is_whole)


def _status_words(said: CaseAnswers, language: str) -> dict[str, Any]:
    """The status group of a snapshot, in Spanish where it is wanted and the portal has it; empty without a status."""
    status, present = said.status, said.present
    if status is None or not present.title:
        return {}
    spanish = _given(status.status_title_spanish) if language == "es" else None
    text = status.status_text_spanish if spanish else status.status_text
    return {
        "language": "es" if spanish else "en",
        "status": spanish or present.title,
        "status_key": present.title if spanish else None,
        "description": _given(text),
        "stage": present.meaning.stage,
        "status_since": present.since,
    }


def _events(case: Case | None) -> Iterator[HistoryEntry]:
    for event in (case and case.events) or ():
        at = event.event_timestamp or event.event_date_time or event.created_at_timestamp
        yield HistoryEntry(
            key=event.event_id, title=event.event_code, at=at, code=event.event_code, hint=hint(event.event_code)
        )


def _earlier(status: Status | None, language: str) -> Iterator[HistoryEntry]:
    """Earlier titles have no ids; the day and the English title stand for one."""
    for earlier in (status and status.historical_case_statuses) or ():
        title = plain_text(earlier.status_title)
        spanish = _given(earlier.status_title_spanish) if language == "es" else None
        code = _given(earlier.action_code)
        yield HistoryEntry(
            key=f"status:{earlier.date}:{title.casefold()}", title=spanish or title, at=earlier.date, code=code
        )


def _letters(case: Case | None) -> Iterator[Notice]:
    for letter in (case and case.notices) or ():
        dated = letter.generation_date.date() if letter.generation_date else None
        yield Notice(key=letter.letter_id, title=plain_text(letter.action_type), dated=dated)


def _documents(documents: Iterable[Document] | None) -> Iterator[Notice]:
    """Documents by type, the applicant's own among them. No public source knows where one is downloaded."""
    for document in documents or ():
        dated = document.create_date.date() if document.create_date else None
        yield Notice(key=document.content_id, title=plain_text(document.type), dated=dated)


def _by_key(entries: Iterable[_K]) -> tuple[_K, ...]:
    """Ordered by the portal's ids, each once."""
    found = {entry.key: entry for entry in entries}
    return tuple(found[key] for key in sorted(found))
