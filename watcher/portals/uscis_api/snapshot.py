"""What the USCIS Case Status API says about a case, read into a snapshot. Pure.

The shapes follow developer.uscis.gov (Case Status API 1.0.0) and recorded answers of its sandbox. A field of another
type than the API's is an `UnexpectedAnswer`, never a snapshot that is half true.
"""

import html
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
from watcher.language.uscis_wording import stated_day
from watcher.model.case import HistoryEntry, Snapshot
from watcher.portal import RawAnswers
from watcher.text.json import read_json
from watcher.text.uscis_html import plain_text

ENDPOINT = "case-status"
RECEIPT = r"[A-Z]{3}(?:[0-9]{10}|\*[0-9]{9})"

_STAMP = re.compile(r"(\d\d)-(\d\d)-(\d{4}) (\d\d:\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_FORM = re.compile(r"([A-Z]{1,4})-?([0-9]{2,4}[A-Z]{0,3})", re.ASCII)
_TAG = re.compile(
    r"""</?(?:(?P<breaks>br|p|div|ul|li)|a|b|i|u|em|strong|span)
        (?:\s+[a-z-]+=(?:"[^"<>]*"|'[^'<>]*'))*\s*/?>""",
    re.VERBOSE | re.IGNORECASE,
)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SPANISH_DAY = re.compile(r"\b(?:el|a partir del|al) (\d{1,2}) de ([a-z]+) (?:de|del) (\d{4})\b", re.IGNORECASE)
_SPANISH_MONTHS = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)


def _stamp(value: object) -> object:
    """`09-05-2023 14:28:46`, on a clock whose zone the portal does not say."""
    if value is None or value == "":
        return None
    found = _STAMP.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("is no MM-DD-YYYY HH:MM:SS")
    month, day, year, time = found.groups()
    return datetime.fromisoformat(f"{year}-{month}-{day}T{time}")


def _day(value: object) -> object:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("is no YYYY-MM-DD")
    return date.fromisoformat(value)


_Stamp = Annotated[datetime | None, BeforeValidator(_stamp)]


class _Said(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)


class _Line(_Said):
    date: Annotated[date, BeforeValidator(_day)]
    completed_text_en: str
    completed_text_es: str | None = None


class _CaseStatus(_Said):
    receiptNumber: str  # noqa: N815 - the portal's spelling
    formType: str | None = None  # noqa: N815
    submittedDate: _Stamp = None  # noqa: N815
    modifiedDate: _Stamp = None  # noqa: N815
    current_case_status_text_en: str
    current_case_status_desc_en: str
    current_case_status_text_es: str | None = None
    current_case_status_desc_es: str | None = None
    hist_case_status: list[_Line] | None = None


class _Answer(_Said):
    case_status: _CaseStatus


def read(answers: RawAnswers, language: str) -> Snapshot:
    """The snapshot of one case, in `language` where the API has it ("es"), else in English.

    The stage always comes from the English title. `pending` is None: the API lists nothing of the kind. Raises
    `UnexpectedAnswer` for anything that is not a whole answer about a case with a status.
    """
    said = _parsed(answers.get(ENDPOINT, b""))
    title = _inert(said.current_case_status_text_en)
    if _says_nothing(title):
        raise UnexpectedAnswer("the API gave no status, only the placeholder that stands for none")
    description = _inert(said.current_case_status_desc_en)
    spanish = _inert(said.current_case_status_text_es or "") if language == "es" else ""
    snapshot = Snapshot(
        case_number=_receipt(said.receiptNumber),
        form=canonical_form(said.formType or ""),
        stage=meaning_of(title, description=description).stage,
        status=title,
        description=description or None,
        status_since=_since(said, description),
        submitted_on=_day_of(said.submittedDate),
        updated_at=said.modifiedDate,
        history=_history(said.hist_case_status, in_spanish=bool(spanish)),
    )
    if not spanish:
        return snapshot
    described = _inert(said.current_case_status_desc_es or "") or snapshot.description
    return replace(snapshot, language="es", status=spanish, status_key=title, description=described)


@lru_cache(maxsize=512)
def _says_nothing(title: str) -> bool:
    return is_placeholder(title)


def _parsed(body: bytes) -> _CaseStatus:
    try:
        return _Answer.model_validate_json(body).case_status
    except ValidationError as error:
        read_json(body)  # says better what came where it is no JSON at all
        raise UnexpectedAnswer(f"the answer is not in the API's shape: {_first_fault(error)}") from None


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = ".".join(str(step) for step in fault["loc"]) or "the whole of it"
    return f"{place}: {fault['msg'].removeprefix('Value error, ')}" if fault["type"] != "value_error" else place


def _inert(markup: str) -> str:
    """What a person would read.

    Texts of this API have a few plain tags or none; only what is left over is worth a parser, which takes longer than
    all the rest of the reading.
    """
    text = _TAG.sub(lambda tag: " " if tag["breaks"] else "", markup) if "<" in markup else markup
    if "<" in text:
        text = plain_text(markup)
    elif "&" in text:
        text = html.unescape(html.unescape(text))
    return _CONTROLS.sub("", " ".join(text.split()))


def _receipt(said: str) -> str:
    receipt = said.strip().upper()
    if not re.fullmatch(RECEIPT, receipt, re.ASCII):
        raise UnexpectedAnswer("the answer is not in the API's shape: case_status.receiptNumber is no receipt number")
    return receipt


def canonical_form(said: str) -> str | None:
    """The form type with its hyphen: `N400` and `N-400` are both `N-400`. None for what is no form type."""
    found = _FORM.fullmatch(said.strip().upper())
    return f"{found[1]}-{found[2]}" if found else None


def _since(said: _CaseStatus, description: str) -> date | None:
    """The day that the words name; where they name none, that of the portal's last change."""
    return (
        stated_day(description)
        or _spanish_day(_inert(said.current_case_status_desc_es or ""))
        or _day_of(said.modifiedDate)
    )


def _day_of(stamp: datetime | None) -> date | None:
    return None if stamp is None else stamp.date()


def _spanish_day(text: str) -> date | None:
    """The day in "El 5 de septiembre de 2023, ..."; None without one."""
    found = _SPANISH_DAY.search(text)
    if found is None or found[2].lower() not in _SPANISH_MONTHS:
        return None
    try:
        return date(int(found[3]), _SPANISH_MONTHS.index(found[2].lower()) + 1, int(found[1]))
    except ValueError:
        return None


def _history(lines: list[_Line] | None, *, in_spanish: bool) -> tuple[HistoryEntry, ...] | None:
    """The API gives its lines in no certain order and without ids: the day and the English sentence make the key."""
    if lines is None:
        return None
    entries, seen = [], Counter[str]()
    for line in lines:
        english = _inert(line.completed_text_en)
        key = f"{line.date.isoformat()}-{blake2b(english.encode(), digest_size=6).hexdigest()}"
        seen[key] += 1
        nth = f"-{seen[key]}" if seen[key] > 1 else ""
        spanish = _inert(line.completed_text_es or "") if in_spanish else ""
        entries.append(HistoryEntry(key=key + nth, title=spanish or english, at=line.date))
    return tuple(sorted(entries, key=lambda entry: entry.key))


def error_message(body: bytes) -> str | None:
    """The message of an error answer, in any of the shapes that the API and its gateway were seen to use.

    `{message}`, `{error: {message}}`, `{error: [{message}]}`, `{error: "…"}`, `{errors: [{message}]}`; None for any
    other, and for what is no JSON.
    """
    try:
        said = read_json(body)
    except UnexpectedAnswer:
        return None
    return _message_in(said)


def _message_in(said: Any) -> str | None:
    if isinstance(said, str):
        return _inert(said) or None
    if isinstance(said, list):
        return _message_in(said[0]) if said and isinstance(said[0], dict) else None
    if not isinstance(said, dict):
        return None
    return next((found for name in ("message", "error", "errors") if (found := _message_in(said.get(name)))), None)
