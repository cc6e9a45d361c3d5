"""What a person saved of an official site: CEAC's result page, the Czech answer, Spain's result page. Pure.

Every file must be one of these, and name one case and one status. Anything else is an error that names the file.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Final

from watcher.errors import ReadFailed, UnexpectedAnswer
from watcher.language.status_meaning import titles
from watcher.language.title_pattern import title_key
from watcher.messages import _
from watcher.portal import CaseRead
from watcher.portals.manual.numbers import CZECH, NIE
from watcher.portals.manual.record import build_case_read
from watcher.recipe.date_formats import Dates
from watcher.recipe.page.page import Page
from watcher.recipe.page.selectors import parse_selector
from watcher.text.html import json_shown_by
from watcher.text.json import load_or_none

_MAX_BYTES: Final = 4 * 1024 * 1024
_CEAC: Final = "ctl00_ContentPlaceHolder1_ucApplicationStatusView_lbl"
_CEAC_NUMBER: Final = re.compile(r"[A-Z]{2,4}[A-Z0-9]{6,12}")
_CEAC_DATES: Final = Dates(formats=("%d-%b-%Y",))
_NIE: Final = re.compile(r"\b[XYZ][ -]?[0-9]{7}[ -]?[A-Z]\b")
_FILE_NUMBER: Final = re.compile(r"(?i)expediente\s*(?:n[º°.o]*)?\s*:?\s*([0-9][0-9/]{4,23})\b")
_SPANISH_STATE: Final = re.compile(
    r"(?i)\b(?:estado|situaci[oó]n|resoluci[oó]n)(?: del? (?:expediente|solicitud))?\s*:\s*"
)
_LONGEST_TITLE: Final = 60


def import_answers(files: Sequence[tuple[str, bytes]], _language: str) -> list[CaseRead]:
    """Return the cases in these files (name and content of each), the last one of each case.

    Raises `UnexpectedAnswer`, which names the file, if a file contains anything else.
    """
    reads: dict[str, CaseRead] = {}
    for name, content in files:
        with _errors_name(name):
            read = _read(content)
            reads[read.snapshot.case_number] = read
    return list(reads.values())


@contextmanager
def _errors_name(file: str) -> Iterator[None]:
    try:
        yield
    except ReadFailed as error:
        raise UnexpectedAnswer(f"{file}: {error}") from None


def _read(content: bytes) -> CaseRead:
    if len(content) > _MAX_BYTES:
        raise UnexpectedAnswer(_("the file is larger than {limit} MiB", limit=_MAX_BYTES // 1024 // 1024))
    document = load_or_none(json_shown_by(content) or content)
    if isinstance(document, dict):
        return _czech(document)
    page = Page(status=200, url="https://saved.invalid/", headers={"content-type": "text/html"}, body=content)
    for recognize in _PAGES:
        if (read := recognize(page)) is not None:
            return read
    raise UnexpectedAnswer(
        _(
            "this is not a page that can be imported: the result page of CEAC, that of Spain's immigration files, or"
            " the JSON of the Czech Ministry of the Interior"
        )
    )


def _czech(answer: Mapping[str, object]) -> CaseRead:
    """Return the case in an answer of ipc.gov.cz."""
    if answer.get("message") == "ENTITY_NOT_EXIST":
        raise UnexpectedAnswer(_("the Ministry does not know this number: check it, then save the page again"))
    state, number = answer.get("state"), answer.get("identification")
    if not isinstance(state, str) or not isinstance(number, str):
        raise UnexpectedAnswer(
            _("this is not an answer of {site}: it lacks state or identification", site="ipc.gov.cz")
        )
    if not re.fullmatch(r"[A-Z_]{2,40}", state) or CZECH.fault(number):
        raise UnexpectedAnswer(_("the answer is damaged"))
    return build_case_read("ipc", number, state)


def _ceac(page: Page) -> CaseRead | None:
    """Return the case on CEAC's result page, None if it is another page."""
    texts = {part: parse_selector(f"css:#{_CEAC}{part}").text_at(page) for part in _CEAC_PARTS}
    if not any(texts.values()):
        errors = "css:#ctl00_ContentPlaceHolder1_lblError, #ctl00_ContentPlaceHolder1_ValidationSummary1"
        if parse_selector(errors).first(page) is not None:
            raise UnexpectedAnswer(
                _("this page of CEAC shows no status: enter the case again, then save the result page")
            )
        return None
    number, status = texts["CaseNo"], texts["Status"]
    if number is None or status is None or not _CEAC_NUMBER.fullmatch(number):
        raise UnexpectedAnswer(_("this page of CEAC lacks the case number or the status; save the whole page again"))
    return build_case_read(
        "ceac",
        number,
        status,
        on=_ceac_day(texts["StatusDate"]),
        title=texts["AppName"],
        description=texts["Message"],
        submitted_on=_ceac_day(texts["SubmitDate"]),
    )


_CEAC_PARTS: Final = ("CaseNo", "Status", "StatusDate", "SubmitDate", "AppName", "Message")


def _ceac_day(text: str | None) -> date | None:
    try:
        return None if text is None else _CEAC_DATES.parse_day(text)
    except ValueError:
        raise UnexpectedAnswer(
            _("this page of CEAC has a date that is not one: {text}", text=json.dumps(text))
        ) from None


def _spanish(page: Page) -> CaseRead | None:
    """Return the case on Spain's result page, None if it is another page.

    The shape of the page was not recorded. So exactly one number and one known status behind a label must stand on it.
    """
    text = page.plain_text()
    if "extranjer" not in text.casefold() and "infoext2" not in page.raw():
        return None
    numbers = {"".join(char for char in number if char.isalnum()) for number in _NIE.findall(text)}
    numbers = {number for number in numbers if not NIE.fault(number)} or set(_FILE_NUMBER.findall(text))
    after = {text[match.end() : match.end() + 2 * _LONGEST_TITLE] for match in _SPANISH_STATE.finditer(text)}
    found = {status for words in after if (status := _title_at(words))}
    if len(numbers) != 1 or len(found) != 1:
        raise UnexpectedAnswer(
            _(
                "this page of Spain's immigration files does not show one number and one status: record it by hand"
                " instead"
            )
        )
    return build_case_read("extranjeria", numbers.pop(), found.pop())


def _title_at(text: str) -> str:
    """Return the longest known status at the beginning of a text, "" if there is none."""
    begin = title_key(text)
    known = [title for title in titles("extranjeria") if re.match(rf"{re.escape(title_key(title))}\b", begin)]
    return max(known, key=len, default="")


_PAGES: Final[tuple[Callable[[Page], CaseRead | None], ...]] = (_ceac, _spanish)
