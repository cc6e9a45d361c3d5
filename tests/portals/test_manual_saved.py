"""Files that a person saved of an official site: what they say is recorded, and anything else is an error."""

import json
import re
import time
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.errors import ReadFailed, UnexpectedAnswer
from watcher.model.case import Snapshot, Stage
from watcher.portals import find

PREFIX = "ctl00_ContentPlaceHolder1_ucApplicationStatusView_lbl"
CEAC = f"""<!DOCTYPE html>
<html><head><title>Visa Status Check</title></head><body><form id="aspnetForm">
<span id="{PREFIX}AppName">IMMIGRANT VISA APPLICATION</span>
<span id="{PREFIX}Status">Administrative Processing</span>
<span id="{PREFIX}CaseNo">AA00000001</span>
<span id="{PREFIX}SubmitDate">02-Jan-2026</span>
<span id="{PREFIX}StatusDate">09-Nov-2026</span>
<span id="{PREFIX}Message">Your visa case is currently undergoing necessary administrative processing.</span>
</form></body></html>"""
CZECH = {"state": "APPROVED", "identification": "OAM-12345/TP-2026"}
SPAIN = """<!DOCTYPE html>
<html><head><title>Extranjería</title></head><body><h1>Información sobre el estado de tramitación (Extranjería)</h1>
<table><tr><td>NIE</td><td>X0000000T</td></tr><tr><td>Estado:</td><td>Resuelto - Favorable</td></tr></table>
</body></html>"""


def read(*contents: str) -> list[Snapshot]:
    take = find("manual").importer(None)
    assert take is not None
    files = [(f"saved-{number}.html", content.encode()) for number, content in enumerate(contents)]
    return [result.snapshot for result in take(files, "en")]


def test_result_page_of_ceac_is_one_check() -> None:
    (case,) = read(CEAC)
    assert (case.case_number, case.status) == ("AA00000001", "Administrative Processing")
    assert case.stage is Stage.ADMINISTRATIVE_PROCESSING
    assert (case.submitted_on, case.status_since) == (date(2026, 1, 2), date(2026, 11, 9))
    assert case.title == "IMMIGRANT VISA APPLICATION"
    assert "undergoing" in (case.description or "")


def test_czech_answer_is_read_also_from_the_page_in_which_a_browser_shows_it() -> None:
    text = json.dumps(CZECH)
    for content in (text, f"<html><head></head><body><pre>{text}</pre></body></html>"):
        (case,) = read(content)
        assert (case.case_number, case.status, case.stage) == ("OAM-12345/TP-2026", "APPROVED", Stage.APPROVED)


def test_spanish_page_is_read_by_its_words() -> None:
    (case,) = read(SPAIN)
    assert (case.case_number, case.stage) == ("X0000000T", Stage.APPROVED)
    (case,) = read(
        SPAIN.replace("X0000000T", "Expediente: 280020260000001").replace("Resuelto - Favorable", "En trámite")
    )
    assert (case.case_number, case.stage) == ("280020260000001", Stage.UNDER_REVIEW)


def test_last_file_about_a_case_counts() -> None:
    (case,) = read(CEAC, CEAC.replace("Administrative Processing", "Issued"))
    assert case.stage is Stage.ISSUED


@pytest.mark.parametrize(
    "content",
    [
        "",
        "nothing",
        "[]",
        "{}",
        json.dumps({"message": "ENTITY_NOT_EXIST"}),
        json.dumps({**CZECH, "identification": "OAM-1"}),
        json.dumps({**CZECH, "state": None}),
        "<html><body><p id='ctl00_ContentPlaceHolder1_lblError'>Your search did not return any data.</p></body></html>",
        CEAC.replace("AA00000001", ""),
        CEAC.replace("09-Nov-2026", "99-Xyz-2026"),
        SPAIN.replace("X0000000T", "X0000000A"),
        SPAIN.replace("X0000000T", "X0000000T y Y0000000Z"),
        SPAIN.replace("Resuelto - Favorable", "Otra cosa"),
        SPAIN.replace("</table>", "<tr><td>Estado: Denegado</td></tr></table>"),
        "<html><head><title>Extranjería</title></head><body>Introduzca los caracteres de la imagen</body></html>",
    ],
)
def test_other_or_damaged_file_is_an_error_that_names_it(content: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=r"^saved-0.html: "):
        read(content)


def test_long_page_is_searched_in_time_that_grows_with_it() -> None:
    begin = time.process_time()
    (case,) = read(SPAIN.replace("</table>", "</table>" + "Estado: " * 100_000))
    assert (case.stage, time.process_time() - begin < 4) == (Stage.APPROVED, True)


def _parts() -> list[tuple[str, str]]:
    """Return each element and each text of the pages, with the page without it."""
    pattern = re.compile(r"<(\w+)[^>]*>[^<]*</\1>|(?<=>)[^<>]*\S[^<>]*(?=<)")
    return [
        (page, page[: part.start()] + page[part.end() :]) for page in (CEAC, SPAIN) for part in pattern.finditer(page)
    ]


@pytest.mark.parametrize(("page", "damaged"), _parts())
def test_page_without_one_of_its_parts_says_nothing_else(page: str, damaged: str) -> None:
    (whole,) = read(page)
    try:
        (case,) = read(damaged)
    except ReadFailed:
        return
    assert (case.case_number, case.status, case.stage) == (whole.case_number, whole.status, whole.stage)


@given(st.dictionaries(st.sampled_from(["state", "identification", "message"]), st.none() | st.integers() | st.text()))
def test_any_czech_answer_is_read_or_refused(answer: dict[str, Any]) -> None:
    try:
        read(json.dumps(answer))
    except UnexpectedAnswer as error:
        assert str(error).startswith("saved-0.html")  # noqa: PT017 - either outcome is right
