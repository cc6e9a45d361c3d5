"""The answers about one case of the online account, as a snapshot. Pure.

The snapshot names the parts of the answers that are missing, because several parts supply one collection.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, TypeVar

from watcher.errors import CaseNotFound, UnexpectedAnswer
from watcher.messages import _
from watcher.model.case import HistoryEntry, Notice, Snapshot
from watcher.portal import RawAnswers
from watcher.portals.uscis.answers import Case, Status, read_case, read_documents, read_status, utc_day
from watcher.portals.uscis.case_answers import (
    DOCUMENTS_SOURCE,
    EARLIER_SOURCE,
    EVENTS_SOURCE,
    LETTERS_SOURCE,
    SOURCES,
    CaseAnswers,
    CurrentStatus,
)
from watcher.portals.uscis.event_codes import hint
from watcher.portals.uscis.pending_items import pending_items
from watcher.text.html import plain_text

_K = TypeVar("_K", HistoryEntry, Notice)


def snapshot(raw: RawAnswers, language: str) -> Snapshot:
    """Combine the answers `case`, `status`, and `documents`. At least one that names a case must be present.

    Raises `CaseNotFound` if no answer names a case, and `UnexpectedAnswer` if an answer does not have a known shape or
    if two answers are about different cases.
    """
    case = read_case(raw["case"]) if "case" in raw else None
    status = read_status(raw["status"]) if "status" in raw else None
    documents = read_documents(raw["documents"]) if "documents" in raw else None
    answers = CaseAnswers(case=case, status=status, documents=documents, current=CurrentStatus.from_status(status))
    return Snapshot(
        case_number=_receipt(case, status),
        form=answers.form,
        title=_text(case.form_name) if case else None,
        submitted_on=case.submission_date if case else None,
        updated_at=_updated(case),
        office=_office(status),
        pending=pending_items(answers, language),
        notices=_by_key([*_letters(answers), *_documents(answers)]),
        history=_by_key([*_events(answers), *_earlier_statuses(answers, language)]),
        silent=SOURCES - answers.sources,
        answered_sources=answers.sources,
        **_status_fields(answers, language),
    )


def _receipt(case: Case | None, status: Status | None) -> str:
    receipts = {answer.receipt_number for answer in (case, status) if answer is not None}
    if not receipts:
        raise CaseNotFound(_("USCIS online account: no answer names a case"))
    if len(receipts) > 1:
        raise UnexpectedAnswer(_("USCIS online account: the case and the status answer are about different cases"))
    return receipts.pop()


def _updated(case: Case | None) -> datetime | date | None:
    return (case.updated_at_timestamp or case.updated_at) if case else None


def _office(status: Status | None) -> str | None:
    return (_text(status.jurisdiction_description) or _text(status.jurisdiction)) if status else None


def _text(markup: str | None) -> str | None:
    """Return the plain text, or None if it is empty."""
    return (plain_text(markup) or None) if markup else None


def _status_fields(answers: CaseAnswers, language: str) -> dict[str, Any]:
    """Return the status fields of a snapshot, in Spanish if requested and available. Empty without a status."""
    status, current = answers.status, answers.current
    if status is None or not current.title:
        return {}
    spanish = _text(status.status_title_spanish) if language == "es" else None
    markup = status.status_text_spanish if spanish else status.status_text
    return {
        "language": "es" if spanish else "en",
        "status": spanish or current.title,
        "status_key": current.title if spanish else None,
        "description": _text(markup),
        "stage": current.meaning.stage,
        "status_since": current.stated_on,
        "status_updated_on": utc_day(current.updated_at),
    }


def _events(answers: CaseAnswers) -> Iterator[HistoryEntry]:
    for event in answers.events:
        at = event.event_timestamp or event.event_date_time or event.created_at_timestamp
        yield HistoryEntry(
            key=event.event_id,
            title=event.event_code,
            at=at,
            code=event.event_code,
            hint=hint(event.event_code),
            source=EVENTS_SOURCE,
        )


def _earlier_statuses(answers: CaseAnswers, language: str) -> Iterator[HistoryEntry]:
    """Yield earlier statuses. They have no IDs, so their day and English title are the key."""
    for earlier in answers.earlier_statuses:
        title = plain_text(earlier.status_title)
        spanish = _text(earlier.status_title_spanish) if language == "es" else None
        key = f"status:{earlier.date}:{title.casefold()}"
        code = _text(earlier.action_code)
        yield HistoryEntry(key=key, title=spanish or title, at=earlier.date, code=code, source=EARLIER_SOURCE)


def _letters(answers: CaseAnswers) -> Iterator[Notice]:
    for letter in answers.letters:
        dated = utc_day(letter.generation_date)
        yield Notice(key=letter.letter_id, title=plain_text(letter.action_type), dated=dated, source=LETTERS_SOURCE)


def _documents(answers: CaseAnswers) -> Iterator[Notice]:
    """Yield documents by type, including the applicant's own. No public source states a download address."""
    for document in answers.documents or ():
        title, dated = plain_text(document.type), utc_day(document.create_date)
        yield Notice(key=document.content_id, title=title, dated=dated, source=DOCUMENTS_SOURCE)


def _by_key(entries: Iterable[_K]) -> tuple[_K, ...]:
    """Return the entries ordered by the portal's IDs, each once."""
    unique = {entry.key: entry for entry in entries}
    return tuple(unique[key] for key in sorted(unique))
