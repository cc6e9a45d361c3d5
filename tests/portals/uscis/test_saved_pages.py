"""Answers that a person saved from the case pages give the same results as requested ones."""

import base64
import html
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doubles import uscis_answers as fake
from watcher.errors import UnexpectedAnswer
from watcher.model.case import ItemKind
from watcher.portal import CaseRead
from watcher.portals.uscis import import_answers

OTHER = "IOE0000000002"
SERVICE = "https://my.uscis.gov/account/case-service/api"


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def entry(path: str, value: Any, *, encoded: bool = False, status: int = 200, method: str = "GET") -> dict[str, Any]:
    text = json.dumps(value)
    content = {"text": base64.b64encode(text.encode()).decode(), "encoding": "base64"} if encoded else {"text": text}
    return {
        "request": {"method": method, "url": f"{SERVICE}/{path}", "cookies": [{"name": "secret"}]},
        "response": {"status": status, "content": content},
    }


def archive(*entries: Any) -> bytes:
    return dumped({"log": {"version": "1.2", "entries": list(entries)}})


def import_one_case() -> list[CaseRead]:
    documents = [fake.document(1, "Account Acceptance Notice", "2026-06-04")]
    return import_answers(
        [
            ("case.json", fake.body(fake.case(events=[fake.event("IK", "2026-07-20")]))),
            ("status.json", fake.body(fake.status())),
            ("documents.json", dumped(documents)),
        ],
        "en",
    )


def test_single_answers_are_recognized_by_their_shape() -> None:
    (result,) = import_one_case()
    assert result.answers.keys() == {"case", "status", "documents"}
    assert result.snapshot.status == "USCIS Is currently Processing the Case"
    assert [notice.title for notice in result.snapshot.notices or ()] == ["Account Acceptance Notice"]
    assert [item.kind for item in result.snapshot.pending or ()] == [ItemKind.RFE]
    assert not result.snapshot.silent


@pytest.mark.parametrize(
    "page",
    [
        '<html><meta name="color-scheme"<pre style="x">{}</pre><div></div></html>',
        "<!DOCTYPE html>\n<title>case</title><style>p {{}}</style><div><div>{}</div></div><script>show({{}})</script>",
        "\N{ZERO WIDTH NO-BREAK SPACE}<pre>{}</pre>",
    ],
)
def test_page_that_a_browser_makes_to_show_json_is_imported(page: str) -> None:
    files = [("case.html", fake.body(fake.case())), ("status.html", fake.body(fake.status("A  <b>&amp;  \u00e9")))]
    wrapped = [(name, page.format(html.escape(body.decode(), quote=False)).encode()) for name, body in files]

    assert import_answers(wrapped, "en") == import_answers(files, "en")


def test_personal_fields_are_not_stored() -> None:
    (result,) = import_one_case()
    stored = b"".join(result.answers.values())
    assert b"SAMPLE" not in stored
    assert b"passport" not in stored
    assert b"Application to Register" in stored


def test_answer_without_envelope_is_accepted() -> None:
    (result,) = import_answers([("case.json", dumped(fake.case()))], "en")
    assert result.snapshot.case_number == fake.RECEIPT


def test_case_alone_leaves_the_other_sources_silent() -> None:
    (result,) = import_answers([("case.json", fake.body(fake.case()))], "en")
    assert result.snapshot.status is None
    assert result.snapshot.silent == {"status", "status.history", "documents"}


def test_list_of_answers_about_several_cases_is_split() -> None:
    several = [{"data": fake.case(OTHER)}, {"data": fake.status(receipt=OTHER)}, {"data": fake.case()}]
    results = import_answers([("all.json", dumped(several))], "en")
    assert [result.snapshot.case_number for result in results] == [fake.RECEIPT, OTHER]


def test_embedded_case_is_imported() -> None:
    results = import_answers([("case.json", fake.body(fake.case(concurrentCases=[fake.case(OTHER)])))], "en")
    assert [result.snapshot.case_number for result in results] == [fake.RECEIPT, OTHER]


@pytest.mark.parametrize("encoded", [False, True])
def test_answers_are_found_in_an_archive(*, encoded: bool) -> None:
    documents = [fake.document(1, "Account Acceptance Notice", "2026-06-04")]
    har = archive(
        {"request": {"method": "GET", "url": "https://my.uscis.gov/account/applicant"}, "response": {"status": 200}},
        entry("cases", {"data": []}, encoded=encoded),
        entry(f"cases/{fake.RECEIPT}", {"data": None}, status=401),
        entry(f"cases/{fake.RECEIPT}", {"data": fake.case(updated="2026-07-01")}, encoded=encoded),
        entry(f"cases/{fake.RECEIPT}", {"data": fake.case()}, encoded=encoded),
        entry(f"case_status/{fake.RECEIPT}", {"data": fake.status()}, encoded=encoded),
        entry(f"cases/{fake.RECEIPT}/documents", documents, encoded=encoded),
        entry(f"cases/{OTHER}", {"data": fake.case(OTHER)}, encoded=encoded),
        "no entry at all",
    )
    first, second = import_answers([("session.har", har)], "en")
    assert str(first.snapshot.updated_at).startswith("2026-07-31")
    assert [notice.title for notice in first.snapshot.notices or ()] == ["Account Acceptance Notice"]
    assert second.snapshot.case_number == OTHER


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"<html></html>", "HTML", id="a page"),
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b"[" * 100_000, "JSON", id="too deep for a parser"),
        pytest.param(dumped({"hello": 1}), "not an answer of the case service", id="other JSON"),
        pytest.param(dumped([1, 2]), "entry 1", id="a list of other things"),
        pytest.param(dumped({"data": None, "error": {}}), "session had ended", id="an ended session"),
        pytest.param(dumped({"data": fake.case("EAC9999103403")}), "not an answer of the case service", id="paper"),
        pytest.param(archive(), "no answer of the case service", id="an archive of other pages"),
        pytest.param(
            archive({"request": {"method": "GET", "url": f"{SERVICE}/cases/{OTHER}"}, "response": {"status": 200}}),
            "has no answers",
            id="an archive without content",
        ),
        pytest.param(dumped([fake.document(1, "Other", "2026-06-04")]), "do not name a case", id="documents alone"),
        pytest.param(fake.body({**fake.case(), "events": 7}), "events", id="another shape"),
    ],
)
def test_unreadable_file_is_named(content: bytes, reason: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=reason) as refused:
        import_answers([("saved.json", content)], "en")
    assert "saved.json" in str(refused.value)


def test_case_that_is_nested_too_deeply_is_rejected() -> None:
    deep: Any = {}
    for _ in range(200):
        deep = {"more": deep}
    with pytest.raises(UnexpectedAnswer, match="nested deeper"):
        import_answers([("case.json", fake.body({**fake.case(), "more": [deep]}))], "en")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["data", "log", "entries", "receiptNumber", "contentId", "statusTitle", "events", "request"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(value=JSON)
def test_any_json_is_imported_or_raises_unexpected_answer(value: Any) -> None:
    try:
        results = import_answers([("saved.json", dumped(value))], "en")
    except UnexpectedAnswer:
        return
    assert all(result.snapshot.case_number for result in results)
