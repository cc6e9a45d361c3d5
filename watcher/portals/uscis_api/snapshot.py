"""The answer of the USCIS Case Status API about a case, as a snapshot. Pure.

The shapes follow developer.uscis.gov (Case Status API 1.0.0) and recorded answers of its sandbox. A field of another
type than the API's raises `UnexpectedAnswer`, so that no snapshot is partly wrong.
"""

import re
from collections import Counter
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from watcher.errors import UnexpectedAnswer
from watcher.language.status_meaning import is_placeholder, meaning_of
from watcher.language.uscis_wording import form_number, is_receipt, stated_day
from watcher.messages import _
from watcher.model.case import HistoryEntry, Snapshot
from watcher.portal import RawAnswers
from watcher.text.html import plain_text
from watcher.text.json import read_json

ENDPOINT = "case-status"

_STAMP = re.compile(r"(\d\d)-(\d\d)-(\d{4}) (\d\d:\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

_is_placeholder = lru_cache(maxsize=512)(is_placeholder)


def _stamp(value: object) -> object:
    """Parse `09-05-2023 14:28:46`, a local time whose zone the portal does not state."""
    if value is None or value == "":
        return None
    match = _STAMP.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("is not MM-DD-YYYY HH:MM:SS")
    month, day, year, time = match.groups()
    return datetime.fromisoformat(f"{year}-{month}-{day}T{time}")


def _day(value: object) -> object:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("is not YYYY-MM-DD")
    return date.fromisoformat(value)


_Stamp = Annotated[datetime | None, BeforeValidator(_stamp)]


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)


class _HistoryLine(_Model):
    date: Annotated[date, BeforeValidator(_day)]
    completed_text_en: str
    completed_text_es: str | None = None


class _CaseStatus(_Model):
    receiptNumber: str  # noqa: N815 - the portal's spelling
    formType: str | None = None  # noqa: N815
    submittedDate: _Stamp = None  # noqa: N815
    modifiedDate: _Stamp = None  # noqa: N815
    current_case_status_text_en: str
    current_case_status_desc_en: str
    current_case_status_text_es: str | None = None
    current_case_status_desc_es: str | None = None
    hist_case_status: list[_HistoryLine] | None = None


class _Answer(_Model):
    case_status: _CaseStatus


def read(answers: RawAnswers, language: str) -> Snapshot:
    """Return the snapshot of one case, in Spanish if `language` is "es" and the API has it, else in English.

    The stage always comes from the English title. `pending` is None, because the API lists no items. Raises
    `UnexpectedAnswer` for anything but a complete answer about a case with a status.
    """
    case = _parse(answers.get(ENDPOINT, b""))
    title = plain_text(case.current_case_status_text_en)
    if _is_placeholder(title):
        raise UnexpectedAnswer(_("the API returned no status, only its placeholder for none"))
    description = plain_text(case.current_case_status_desc_en)
    spanish = plain_text(case.current_case_status_text_es or "") if language == "es" else ""
    snapshot = Snapshot(
        case_number=_receipt(case.receiptNumber),
        form=form_number(case.formType or ""),
        stage=meaning_of(title, description=description).stage,
        status=title,
        description=description or None,
        status_since=_since(case, description),
        status_updated_on=_day_of(case.modifiedDate),
        submitted_on=_day_of(case.submittedDate),
        updated_at=case.modifiedDate,
        history=_history(case.hist_case_status, in_spanish=bool(spanish)),
    )
    if not spanish:
        return snapshot
    spanish_description = plain_text(case.current_case_status_desc_es or "") or snapshot.description
    return replace(snapshot, language="es", status=spanish, status_key=title, description=spanish_description)


def _parse(body: bytes) -> _CaseStatus:
    try:
        return _Answer.model_validate_json(body).case_status
    except ValidationError as error:
        read_json(body)  # explains better what is wrong if the body is not JSON
        raise UnexpectedAnswer(
            _("the answer of the API has an unknown format: {reason}", reason=_first_error(error))
        ) from None


def _first_error(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    path = ".".join(str(step) for step in first["loc"]) or _("the answer")
    return path if first["type"] == "value_error" else f"{path} ({first['type']})"


def _receipt(text: str) -> str:
    receipt = text.strip().upper()
    if not is_receipt(receipt):
        raise UnexpectedAnswer(
            _("the answer of the API has an unknown format: case_status.receiptNumber is not a receipt number")
        )
    return receipt


def _since(case: _CaseStatus, description: str) -> date | None:
    """Return the day that the English or the Spanish text states."""
    return stated_day(description) or stated_day(plain_text(case.current_case_status_desc_es or ""), "es")


def _day_of(stamp: datetime | None) -> date | None:
    return None if stamp is None else stamp.date()


def _history(lines: list[_HistoryLine] | None, *, in_spanish: bool) -> tuple[HistoryEntry, ...] | None:
    """Return the history. The API's lines have no fixed order and no IDs; the key is the day and the English text."""
    if lines is None:
        return None
    entries, occurrences = [], Counter[str]()
    for line in lines:
        english = plain_text(line.completed_text_en)
        key = f"{line.date.isoformat()}-{blake2b(english.encode(), digest_size=6).hexdigest()}"
        occurrences[key] += 1
        suffix = f"-{occurrences[key]}" if occurrences[key] > 1 else ""
        spanish = plain_text(line.completed_text_es or "") if in_spanish else ""
        entries.append(HistoryEntry(key=key + suffix, title=spanish or english, at=line.date))
    return tuple(sorted(entries, key=lambda entry: entry.key))


def error_message(body: bytes) -> str | None:
    """Return the message of an error answer, in any shape that the API and its gateway are known to use.

    The shapes are `{message}`, `{error: {message}}`, `{error: [{message}]}`, `{error: "…"}`, and
    `{errors: [{message}]}`. Returns None for any other, and if the body is not JSON.
    """
    try:
        content = read_json(body)
    except UnexpectedAnswer:
        return None
    return _message_in(content)


def _message_in(content: Any) -> str | None:
    if isinstance(content, str):
        return plain_text(content) or None
    if isinstance(content, list):
        return _message_in(content[0]) if content and isinstance(content[0], dict) else None
    if not isinstance(content, dict):
        return None
    names = ("message", "error", "errors")
    return next((message for name in names if (message := _message_in(content.get(name)))), None)
