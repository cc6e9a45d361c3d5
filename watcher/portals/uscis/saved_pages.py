"""Answers of the case pages that a person saved by hand: single answers, a list of them, or a browser's HAR file. Pure.

Answers are recognized by their shape, also in the page that a browser makes to show one. In a HAR file (HTTP Archive
1.2) the addresses also say which case the documents belong to, and everything else in the file is skipped. Personal
fields are removed.
"""

import base64
import binascii
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from watcher.errors import ReadFailed, UnexpectedAnswer
from watcher.language.uscis_wording import ONLINE_RECEIPT, is_online_receipt
from watcher.messages import _
from watcher.portal import CaseRead
from watcher.portals.uscis.answers import embedded_cases
from watcher.portals.uscis.snapshot import snapshot
from watcher.privacy.personal_fields import without_personal_fields
from watcher.text.html import json_shown_by
from watcher.text.json import read_json

_MAX_BYTES = 64 * 1024 * 1024
_MAX_ENTRIES = 10_000
_CASE_KEYS = frozenset({"events", "evidenceRequests", "notices", "submissionDate", "concurrentCases"})
_ADDRESS = re.compile(
    rf"https?://[^/?#]+/account/case-service/api/(?:cases|case_status)/({ONLINE_RECEIPT})(/documents)?/?(?:[?#].*)?",
    re.ASCII,
)
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _SavedAnswer:
    """One answer. `receipt` is empty if nothing says which case the documents belong to."""

    file: str
    endpoint: str
    receipt: str
    data: Any


def import_answers(files: Sequence[tuple[str, bytes]], language: str) -> list[CaseRead]:
    """Return the cases in these files (name and content of each), ordered by receipt.

    If an answer occurs twice, the last one counts. Raises `UnexpectedAnswer`, which names the file, if a file contains
    anything but answers of the case service.
    """
    saved = [answer for name, content in files for answer in _in_file(name, content)]
    cases: dict[str, dict[str, bytes]] = defaultdict(dict)
    for answer in saved:
        if answer.endpoint == "case":
            for receipt, case in embedded_cases(answer.data).items():
                cases[receipt]["case"] = _body(answer.file, case)
    for answer in saved:
        if answer.receipt:
            cases[answer.receipt][answer.endpoint] = _body(answer.file, answer.data)
    for answer in saved:
        if not answer.receipt:
            cases[_only_receipt(cases, answer.file)]["documents"] = _body(answer.file, answer.data)
    names = ", ".join(name for name, _ in files)
    return [_read(names, answers, language) for _, answers in sorted(cases.items())]


def _read(names: str, answers: dict[str, bytes], language: str) -> CaseRead:
    with _errors_name(names):
        return CaseRead(snapshot=snapshot(answers, language), answers=answers)


def _only_receipt(cases: dict[str, dict[str, bytes]], file: str) -> str:
    if len(cases) != 1:
        raise UnexpectedAnswer(
            _(
                "{file}: these documents do not name a case; import them together with the answer for one case",
                file=file,
            )
        )
    return next(iter(cases))


def _body(file: str, data: Any) -> bytes:
    """Return an answer as it is stored."""
    with _errors_name(file):
        return without_personal_fields({"data": data})


@contextmanager
def _errors_name(file: str) -> Iterator[None]:
    """Put the name of the file before an error's message."""
    try:
        yield
    except ReadFailed as error:
        raise UnexpectedAnswer(f"{file}: {error}") from None


# --- the content of a file ----------------------------------------------------------------------------------------


def _in_file(name: str, content: bytes) -> Iterator[_SavedAnswer]:
    if len(content) > _MAX_BYTES:
        raise UnexpectedAnswer(
            _("{file}: the file is larger than {limit} MiB", file=name, limit=_MAX_BYTES // 1024 // 1024)
        )
    document = _parse(name, content)
    if isinstance(document, dict) and isinstance(document.get("log"), dict):
        yield from _in_archive(name, document["log"].get("entries"))
    elif isinstance(document, list) and not _are_documents(document):
        for number, answer in enumerate(document[:_MAX_ENTRIES], start=1):
            yield from _one(_("{file}, entry {number}", file=name, number=number), answer)
    else:
        yield from _one(name, document)


def _parse(file: str, content: bytes) -> Any:
    with _errors_name(file):
        return read_json(json_shown_by(content) or content)


def _one(file: str, answer: Any) -> Iterator[_SavedAnswer]:
    data = answer["data"] if isinstance(answer, dict) and "data" in answer else answer
    if data == []:
        return  # the list of cases or an empty list of documents; it does not say which
    if data is None:
        raise UnexpectedAnswer(
            _(
                '{file}: "data" is empty, because the session had ended or the case belongs to another account',
                file=file,
            )
        )
    yield _recognize(file, data)


def _recognize(file: str, data: Any) -> _SavedAnswer:
    if isinstance(data, list) and _are_documents(data):
        return _SavedAnswer(file=file, endpoint="documents", receipt="", data=data)
    if isinstance(data, dict) and is_online_receipt(receipt := data.get("receiptNumber")):
        if "statusTitle" in data:
            return _SavedAnswer(file=file, endpoint="status", receipt=receipt, data=data)
        if _CASE_KEYS & data.keys():
            return _SavedAnswer(file=file, endpoint="case", receipt=receipt, data=data)
    raise UnexpectedAnswer(
        _(
            "{file}: this is not an answer of the case service. Save the JSON of cases/RECEIPT, "
            "case_status/RECEIPT, or cases/RECEIPT/documents, a list of them, or a HAR file",
            file=file,
        )
    )


def _are_documents(data: list[Any]) -> bool:
    return bool(data) and all(isinstance(entry, dict) and "contentId" in entry for entry in data)


# --- HTTP archives ------------------------------------------------------------------------------------------------


def _in_archive(name: str, entries: Any) -> Iterator[_SavedAnswer]:
    is_empty = True
    for number, entry in enumerate(entries if isinstance(entries, list) else (), start=1):
        address = _ADDRESS.fullmatch(str(_field(entry, "request", "url")))
        if address is None or _field(entry, "request", "method") != "GET" or _field(entry, "response", "status") != _OK:
            continue
        for answer in _in_entry(
            _("{file}, entry {number}", file=name, number=number), _field(entry, "response", "content"), address
        ):
            is_empty = False
            yield answer
    if is_empty:
        raise UnexpectedAnswer(
            _(
                "{file}: the archive has no answer of the case service; open the case's page before you save it",
                file=name,
            )
        )


def _in_entry(file: str, content: Any, address: re.Match[str]) -> Iterator[_SavedAnswer]:
    answer = _parse(file, _response_body(file, content))
    data = answer.get("data") if isinstance(answer, dict) else answer
    if address.group(2) and isinstance(data, list):
        yield _SavedAnswer(file=file, endpoint="documents", receipt=address.group(1), data=data)
    elif data is not None and not address.group(2):
        yield from _one(file, answer)


def _response_body(file: str, content: Any) -> bytes:
    text = content.get("text") if isinstance(content, dict) else None
    if not isinstance(text, str):
        raise UnexpectedAnswer(_("{file}: the archive has no answers; save it again with content", file=file))
    try:
        return base64.b64decode(text, validate=True) if content.get("encoding") == "base64" else text.encode()
    except (binascii.Error, ValueError):
        raise UnexpectedAnswer(_("{file}: the answer in the archive is damaged", file=file)) from None


def _field(entry: Any, part: str, key: str) -> Any:
    value = entry.get(part) if isinstance(entry, dict) else None
    return value.get(key) if isinstance(value, dict) else None
