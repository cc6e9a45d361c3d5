"""Answers of the case pages that a person saved by hand: single ones, a list of them, or a browser's HAR file. Pure.

Answers are told apart by their shape; in a HAR file (HTTP Archive 1.2) the addresses say besides whose documents are
whose, and everything else in it is passed over. Nothing about people is kept.
"""

import base64
import binascii
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from watcher.errors import ReadFailed, UnexpectedAnswer
from watcher.portal import CaseRead
from watcher.portals.uscis.answers import RECEIPT
from watcher.portals.uscis.snapshot import snapshot
from watcher.privacy.personal_fields import without_personal_fields
from watcher.text.json import read_json

_LARGEST = 64 * 1024 * 1024
_MOST = 10_000
_OF_A_CASE = frozenset({"events", "evidenceRequests", "notices", "submissionDate", "concurrentCases"})
_ADDRESS = re.compile(
    rf"https?://[^/?#]+/account/case-service/api/(?:cases|case_status)/({RECEIPT})(/documents)?/?(?:[?#].*)?", re.ASCII
)
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """One answer. `receipt` is empty where nothing says whose documents they are."""

    file: str
    answer: str
    receipt: str
    said: Any


def import_answers(files: Sequence[tuple[str, bytes]], language: str) -> list[CaseRead]:
    """The cases in these files (name and content each), ordered by receipt; of answers given twice the last one counts.

    Raises `UnexpectedAnswer` that names the file, where one holds what no page of the case service says.
    """
    found = [answer for name, content in files for answer in _in_file(name, content)]
    cases: dict[str, dict[str, bytes]] = defaultdict(dict)
    for answer in found:
        for embedded in _embedded(answer):
            cases[embedded["receiptNumber"]]["case"] = _kept(answer.file, embedded)
    for answer in found:
        if answer.receipt:
            cases[answer.receipt][answer.answer] = _kept(answer.file, answer.said)
    for answer in found:
        if not answer.receipt:
            cases[_only(cases, answer.file)]["documents"] = _kept(answer.file, answer.said)
    names = ", ".join(name for name, _ in files)
    return [_read(names, answers, language) for _, answers in sorted(cases.items())]


def _read(names: str, answers: dict[str, bytes], language: str) -> CaseRead:
    try:
        return CaseRead(snapshot=snapshot(answers, language), answers=answers)
    except ReadFailed as error:
        raise UnexpectedAnswer(f"{names}: {error}") from None


def _only(cases: dict[str, dict[str, bytes]], file: str) -> str:
    if len(cases) != 1:
        raise UnexpectedAnswer(
            f"{file}: these documents name no case; import them together with the answer of one case"
        )
    return next(iter(cases))


def _kept(file: str, said: Any) -> bytes:
    try:
        return without_personal_fields({"data": said})
    except UnexpectedAnswer as error:
        raise UnexpectedAnswer(f"{file}: {error}") from None


# --- what a file holds --------------------------------------------------------------------------------------------


def _in_file(name: str, content: bytes) -> Iterator[_Found]:
    if len(content) > _LARGEST:
        raise UnexpectedAnswer(f"{name}: the file is larger than {_LARGEST // 1024 // 1024} MiB")
    said = _parsed(name, content)
    if isinstance(said, dict) and isinstance(said.get("log"), dict):
        yield from _in_archive(name, said["log"].get("entries"))
    elif isinstance(said, list) and not _are_documents(said):
        for place, each in enumerate(said[:_MOST], start=1):
            yield from _one(f"{name}, entry {place}", each)
    else:
        yield from _one(name, said)


def _parsed(file: str, content: bytes) -> Any:
    try:
        return read_json(content)
    except UnexpectedAnswer as error:
        raise UnexpectedAnswer(f"{file}: {error}") from None


def _one(file: str, said: Any) -> Iterator[_Found]:
    inner = said["data"] if isinstance(said, dict) and "data" in said else said
    if inner == []:
        return  # the list of cases, or no documents: nothing in it says which
    if inner is None:
        raise UnexpectedAnswer(f'{file}: "data" is empty; the session had ended, or the case is another account\'s')
    yield _told_apart(file, inner)


def _told_apart(file: str, inner: Any) -> _Found:
    if isinstance(inner, list) and _are_documents(inner):
        return _Found(file=file, answer="documents", receipt="", said=inner)
    if isinstance(inner, dict):
        receipt = inner.get("receiptNumber")
        if isinstance(receipt, str) and re.fullmatch(RECEIPT, receipt, re.ASCII):
            if "statusTitle" in inner:
                return _Found(file=file, answer="status", receipt=receipt, said=inner)
            if _OF_A_CASE & inner.keys():
                return _Found(file=file, answer="case", receipt=receipt, said=inner)
    raise UnexpectedAnswer(
        f"{file}: this is no answer of the case service; wanted are the JSON of cases/RECEIPT, case_status/RECEIPT or "
        "cases/RECEIPT/documents, a list of them, or a HAR file"
    )


def _are_documents(said: list[Any]) -> bool:
    return bool(said) and all(isinstance(each, dict) and "contentId" in each for each in said)


def _embedded(answer: _Found) -> Iterator[dict[str, Any]]:
    """The cases that came whole within a case."""
    within = answer.said.get("concurrentCases") if answer.answer == "case" else None
    for each in within if isinstance(within, list) else ():
        if isinstance(each, dict) and re.fullmatch(RECEIPT, str(each.get("receiptNumber")), re.ASCII):
            yield each


# --- HTTP archives ------------------------------------------------------------------------------------------------


def _in_archive(name: str, entries: Any) -> Iterator[_Found]:
    found = False
    for place, entry in enumerate(entries if isinstance(entries, list) else (), start=1):
        address = _ADDRESS.fullmatch(str(_at(entry, "request", "url")))
        if address is None or _at(entry, "request", "method") != "GET" or _at(entry, "response", "status") != _OK:
            continue
        for answer in _of_entry(f"{name}, entry {place}", _at(entry, "response", "content"), address):
            found = True
            yield answer
    if not found:
        raise UnexpectedAnswer(f"{name}: the archive holds no answer of the case service; open the case's page first")


def _of_entry(file: str, content: Any, address: re.Match[str]) -> Iterator[_Found]:
    said = _parsed(file, _body(file, content))
    inner = said.get("data") if isinstance(said, dict) else said
    if address.group(2) and isinstance(inner, list):
        yield _Found(file=file, answer="documents", receipt=address.group(1), said=inner)
    elif inner is not None and not address.group(2):
        yield from _one(file, said)


def _body(file: str, content: Any) -> bytes:
    text = content.get("text") if isinstance(content, dict) else None
    if not isinstance(text, str):
        raise UnexpectedAnswer(f"{file}: the archive was saved without the answers; choose to save it with content")
    try:
        return base64.b64decode(text, validate=True) if content.get("encoding") == "base64" else text.encode()
    except (binascii.Error, ValueError):
        raise UnexpectedAnswer(f"{file}: the answer in the archive is damaged") from None


def _at(entry: Any, part: str, key: str) -> Any:
    inner = entry.get(part) if isinstance(entry, dict) else None
    return inner.get(key) if isinstance(inner, dict) else None
