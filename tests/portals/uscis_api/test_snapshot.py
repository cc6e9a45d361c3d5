import json
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles.case_status_api import case_status
from watcher.errors import UnexpectedAnswer
from watcher.language.uscis_wording import form_number
from watcher.model.case import Stage
from watcher.portals.uscis_api.snapshot import error_message, read
from watcher.reading.normalize import normalize

ONE = "EAC9999103403"


def raw_answers(**fields: Any) -> dict[str, bytes]:
    return {"case-status": json.dumps(case_status(ONE, **fields)).encode()}


@pytest.mark.parametrize(
    ("fields", "since"),
    [
        ({}, date(2023, 9, 5)),
        ({"current_case_status_desc_en": "As of December 1, 2024, your case is ready."}, date(2024, 12, 1)),
        (
            {
                "current_case_status_desc_en": "We did something.",
                "current_case_status_desc_es": "El 7 de mayo de 2024, x",
            },
            date(2024, 5, 7),
        ),
        (
            {"current_case_status_desc_en": "x", "current_case_status_desc_es": "El 31 de febrero de 2024, x"},
            date(2023, 9, 6),
        ),
        ({"current_case_status_desc_en": "x", "current_case_status_desc_es": ""}, date(2023, 9, 6)),
        ({"current_case_status_desc_en": "x", "current_case_status_desc_es": None, "modifiedDate": None}, None),
    ],
)
def test_day_of_a_status_comes_from_its_text_then_from_the_last_change(
    fields: dict[str, Any], since: date | None
) -> None:
    snapshot = normalize(None, read(raw_answers(**fields), "en"), vocabulary="uscis")
    assert snapshot.status_since == since


def test_times_of_the_portal_have_no_zone() -> None:
    snapshot = read(raw_answers(), "en")
    assert snapshot.updated_at == datetime(2023, 9, 6, 10, 0)  # noqa: DTZ001 - the portal says none
    assert snapshot.submitted_on == date(2023, 9, 5)


@pytest.mark.parametrize(
    "absent", [{"submittedDate": None, "modifiedDate": None}, {"submittedDate": "", "modifiedDate": ""}]
)
def test_dates_may_be_missing(absent: dict[str, Any]) -> None:
    snapshot = read(raw_answers(**absent), "en")
    assert (snapshot.updated_at, snapshot.submitted_on) == (None, None)


@pytest.mark.parametrize(
    "fields",
    [
        {"modifiedDate": "2023-09-05T10:00:00"},
        {"modifiedDate": 1},
        {"modifiedDate": "13-45-2023 10:00:00"},
        {"receiptNumber": "EAC"},
        {"receiptNumber": None},
        {"current_case_status_text_en": None},
        {"current_case_status_text_en": "CASE STATUS"},
        {"current_case_status_text_en": " "},
        {"current_case_status_desc_en": ["x"]},
        {"formType": 130},
        {"hist_case_status": {}},
        {"hist_case_status": [{"date": "2023-09-05"}]},
        {"hist_case_status": [{"date": "09/05/2023", "completed_text_en": "x"}]},
        {"hist_case_status": ["x"]},
    ],
)
def test_field_of_the_wrong_type_raises_unexpected_answer(fields: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        read(raw_answers(**fields), "en")
    place = next(iter(fields))
    assert place in str(caught.value) or "no status" in str(caught.value)


def test_missing_answer_raises_unexpected_answer() -> None:
    with pytest.raises(UnexpectedAnswer):
        read({}, "en")


@pytest.mark.parametrize(
    ("written", "form"),
    [("N400", "N-400"), ("n-400", "N-400"), ("I-129F", "I-129F"), ("I600A", "I-600A"), ("", None), ("none", None)],
)
def test_form_number_gets_its_hyphen(written: str, form: str | None) -> None:
    assert form_number(written) == form


def test_markup_becomes_plain_text() -> None:
    text = 'We&#039;ll <a href="https://evil.example">write</a>\n<script>alert(1)</script> &amp; call\x07 you.'
    assert read(raw_answers(current_case_status_desc_en=text), "en").description == "We'll write & call you."


def test_missing_history_differs_from_an_empty_history() -> None:
    assert read(raw_answers(hist_case_status=None), "en").history is None
    assert read(raw_answers(hist_case_status=[]), "en").history == ()


@given(st.permutations(range(5)))
def test_order_of_the_history_does_not_matter(order: list[int]) -> None:
    lines = [
        {"date": f"2023-09-0{1 + number % 3}", "completed_text_en": f"Sentence {number % 4}."} for number in range(5)
    ]
    shuffled = [lines[number] for number in order]
    assert read(raw_answers(hist_case_status=shuffled), "en") == read(raw_answers(hist_case_status=lines), "en")


def test_same_history_line_twice_is_two_entries() -> None:
    line = {"date": "2023-09-05", "completed_text_en": "We did it again."}
    history = read(raw_answers(hist_case_status=[line, line]), "en").history
    assert history is not None
    assert len({entry.key for entry in history}) == 2


def test_keys_of_the_history_do_not_depend_on_the_language() -> None:
    line = {"date": "2023-09-05", "completed_text_en": "We did it.", "completed_text_es": "Lo hicimos."}
    keys = []
    for language in ("en", "es"):
        (entry,) = read(raw_answers(hist_case_status=[line]), language).history or ()
        keys.append((entry.key, entry.title))
    assert keys[0][0] == keys[1][0]
    assert [title for _, title in keys] == ["We did it.", "Lo hicimos."]


def test_status_is_english_if_spanish_is_missing() -> None:
    snapshot = read(raw_answers(current_case_status_text_es="", current_case_status_desc_es=None), "es")
    assert (snapshot.language, snapshot.status, snapshot.status_key) == ("en", "Case Was Received", None)
    assert snapshot.description == "On September 5, 2023, we received your Form I-130."


def test_unknown_title_is_shown_verbatim() -> None:
    snapshot = read(raw_answers(title="Case Was Blessed By The Moon"), "en")
    assert (snapshot.stage, snapshot.status) == (Stage.UNKNOWN, "Case Was Blessed By The Moon")


def test_api_lists_no_pending_items() -> None:
    assert read(raw_answers(), "en").pending is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"code": 401, "message": "a"}', "a"),
        (b'\n\n {"error": {"code": "503", "message": "a"}}', "a"),
        (b'{"error": [{"message": "a"}]}', "a"),
        (b'{"error": "a"}', "a"),
        (b'{"errors": [{"code": "x", "message": "a"}]}', "a"),
        (b"Spike Arrest Violation", None),
        (b"[]", None),
        (b'{"error": []}', None),
        (b'{"message": ""}', None),
    ],
)
def test_error_message_is_found_in_every_shape(body: bytes, message: str | None) -> None:
    assert error_message(body) == message


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["case_status", "error", "message", "receiptNumber"]), inner)
        ),
    )
)
def test_any_json_raises_unexpected_answer(value: Any) -> None:
    body = json.dumps(value).encode()
    error_message(body)
    with pytest.raises(UnexpectedAnswer):
        read({"case-status": body}, "en")
