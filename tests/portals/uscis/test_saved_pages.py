"""What a person saved from the case pages is read like what the program fetched."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doubles import uscis_answers as said
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


def whole() -> list[CaseRead]:
    documents = [said.document(1, "Account Acceptance Notice", "2026-06-04")]
    return import_answers(
        [
            ("case.json", said.body(said.case(events=[said.event("IK", "2026-07-20")]))),
            ("status.json", said.body(said.status())),
            ("documents.json", dumped(documents)),
        ],
        "en",
    )


def test_single_answers_are_told_apart_by_their_shape() -> None:
    (read,) = whole()
    assert read.answers.keys() == {"case", "status", "documents"}
    assert read.snapshot.status == "USCIS Is currently Processing the Case"
    assert [notice.title for notice in read.snapshot.notices or ()] == ["Account Acceptance Notice"]
    assert [item.kind for item in read.snapshot.pending or ()] == [ItemKind.RFE]
    assert not read.snapshot.partial


def test_nothing_about_people_is_kept() -> None:
    (read,) = whole()
    kept = b"".join(read.answers.values())
    assert b"SAMPLE" not in kept
    assert b"passport" not in kept
    assert b"Application to Register" in kept


def test_an_answer_without_its_envelope_is_one_too() -> None:
    (read,) = import_answers([("case.json", dumped(said.case()))], "en")
    assert read.snapshot.case_number == said.RECEIPT


def test_the_case_alone_leaves_the_rest_unsaid() -> None:
    (read,) = import_answers([("case.json", said.body(said.case()))], "en")
    assert (read.snapshot.status, read.snapshot.partial) == (None, frozenset({"pending", "notices", "history"}))


def test_a_list_of_answers_about_several_cases_is_taken_apart() -> None:
    several = [{"data": said.case(OTHER)}, {"data": said.status(receipt=OTHER)}, {"data": said.case()}]
    reads = import_answers([("all.json", dumped(several))], "en")
    assert [read.snapshot.case_number for read in reads] == [said.RECEIPT, OTHER]


def test_a_case_within_a_case_is_a_case() -> None:
    reads = import_answers([("case.json", said.body(said.case(concurrentCases=[said.case(OTHER)])))], "en")
    assert [read.snapshot.case_number for read in reads] == [said.RECEIPT, OTHER]


@pytest.mark.parametrize("encoded", [False, True])
def test_an_archive_is_searched_for_the_answers(*, encoded: bool) -> None:
    documents = [said.document(1, "Account Acceptance Notice", "2026-06-04")]
    har = archive(
        {"request": {"method": "GET", "url": "https://my.uscis.gov/account/applicant"}, "response": {"status": 200}},
        entry("cases", {"data": []}, encoded=encoded),
        entry(f"cases/{said.RECEIPT}", {"data": None}, status=401),
        entry(f"cases/{said.RECEIPT}", {"data": said.case(updated="2026-07-01")}, encoded=encoded),
        entry(f"cases/{said.RECEIPT}", {"data": said.case()}, encoded=encoded),
        entry(f"case_status/{said.RECEIPT}", {"data": said.status()}, encoded=encoded),
        entry(f"cases/{said.RECEIPT}/documents", documents, encoded=encoded),
        entry(f"cases/{OTHER}", {"data": said.case(OTHER)}, encoded=encoded),
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
        pytest.param(dumped({"hello": 1}), "no answer of the case service", id="other JSON"),
        pytest.param(dumped([1, 2]), "entry 1", id="a list of other things"),
        pytest.param(dumped({"data": None, "error": {}}), "session had ended", id="an ended session"),
        pytest.param(dumped({"data": said.case("EAC9999103403")}), "no answer of the case service", id="paper"),
        pytest.param(archive(), "no answer of the case service", id="an archive of other pages"),
        pytest.param(
            archive({"request": {"method": "GET", "url": f"{SERVICE}/cases/{OTHER}"}, "response": {"status": 200}}),
            "without the answers",
            id="an archive without content",
        ),
        pytest.param(dumped([said.document(1, "Other", "2026-06-04")]), "name no case", id="documents alone"),
        pytest.param(said.body({**said.case(), "events": 7}), "events", id="another shape"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_file(content: bytes, reason: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=reason) as refused:
        import_answers([("saved.json", content)], "en")
    assert "saved.json" in str(refused.value)


def test_a_case_nested_too_deep_is_refused() -> None:
    deep: Any = {}
    for _ in range(200):
        deep = {"more": deep}
    with pytest.raises(UnexpectedAnswer, match="nested deeper"):
        import_answers([("case.json", said.body({**said.case(), "more": [deep]}))], "en")


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
def test_whatever_json_is_given_it_is_read_or_refused(value: Any) -> None:
    try:
        reads = import_answers([("saved.json", dumped(value))], "en")
    except UnexpectedAnswer:
        return
    assert all(read.snapshot.case_number for read in reads)
