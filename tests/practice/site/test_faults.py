import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.practice.visitor import NUMBER, HandClock, Visitor
from watcher.practice import Fault, PracticePortal, Response

SURFACES = ["/cases", f"/cases/{NUMBER}", "/api/cases", f"/api/cases/{NUMBER}", f"/case-status/{NUMBER}"]
JSON_SURFACES = SURFACES[2:]


@pytest.fixture
def get(portal: PracticePortal, member: Visitor) -> Callable[[str], httpx.Response]:
    """Asks as somebody who is signed in and has a token, for a case that has something of everything."""
    for number in (NUMBER, "IOE0000000002"):
        case = portal.cases.add(number, in_history=True)
        case.request_evidence()
        case.add_item("Interview", "Interview")
        case.add_notice("One")
        case.add_notice("Two")
    headers = {"Authorization": f"Bearer {member.token()}"}
    return lambda path: member.http.get(path, headers=headers)


@pytest.mark.parametrize("path", [*SURFACES, "/login", "/"])
def test_maintenance_is_a_friendly_page_everywhere(
    portal: PracticePortal, get: Callable[[str], httpx.Response], path: str
) -> None:
    portal.faults.throw(Fault.MAINTENANCE)
    answer = get(path)

    assert answer.status_code == 200
    assert "Scheduled maintenance" in answer.text


def test_unavailable_is_503_in_the_form_of_the_page(
    portal: PracticePortal, get: Callable[[str], httpx.Response]
) -> None:
    portal.faults.throw(Fault.UNAVAILABLE, retry_after=timedelta(minutes=5))
    page, api = get("/cases"), get(f"/case-status/{NUMBER}")

    assert page.status_code == api.status_code == 503
    assert "Scheduled maintenance" in page.text
    assert api.text.startswith("\n\n  {")
    assert api.json()["error"]["code"] == "503"
    assert api.headers["retry-after"] == "300"


def test_too_many_requests_sends_retry_after(portal: PracticePortal, get: Callable[[str], httpx.Response]) -> None:
    portal.faults.throw(Fault.TOO_MANY_REQUESTS, retry_after=timedelta(hours=1))
    answer = get(f"/case-status/{NUMBER}")

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "3600"
    assert answer.text == "Spike Arrest Violation"


def test_without_a_time_there_is_no_retry_after(portal: PracticePortal, get: Callable[[str], httpx.Response]) -> None:
    portal.faults.throw(Fault.TOO_MANY_REQUESTS)

    assert "retry-after" not in get("/cases").headers


def test_bad_gateway_answers_in_plain_text(portal: PracticePortal, get: Callable[[str], httpx.Response]) -> None:
    portal.faults.throw(Fault.BAD_GATEWAY)
    answer = get(f"/case-status/{NUMBER}")

    assert (answer.status_code, answer.text) == (502, "Bad Gateway")
    assert answer.headers["content-type"] == "text/plain"


def test_server_error_is_a_list_of_errors_or_a_page(
    portal: PracticePortal, get: Callable[[str], httpx.Response]
) -> None:
    portal.faults.throw(Fault.SERVER_ERROR)
    api = get(f"/case-status/{NUMBER}")

    assert api.status_code == 500
    assert set(api.json()["errors"][0]) == {"code", "message", "category", "reference", "status", "traceId"}
    assert get("/cases").headers["content-type"].startswith("text/html")


def test_any_answer_can_be_given_word_for_word(portal: PracticePortal, get: Callable[[str], httpx.Response]) -> None:
    answer = Response(status=418, body=b'{"error": ["x"]}', content_type="application/json")
    portal.faults.throw(Fault.VERBATIM, answer=answer)
    given = get("/cases")

    assert (given.status_code, given.json()) == (418, {"error": ["x"]})


@pytest.mark.parametrize(("fault", "answer"), [(Fault.VERBATIM, None), (Fault.SLOW, Response())])
def test_answer_is_allowed_only_for_verbatim(portal: PracticePortal, fault: Fault, answer: Response | None) -> None:
    with pytest.raises(ValueError, match="an answer goes with"):
        portal.faults.throw(fault, answer=answer)


@pytest.mark.parametrize("path", SURFACES)
def test_sign_in_page_can_replace_the_requested_page(
    portal: PracticePortal, get: Callable[[str], httpx.Response], path: str
) -> None:
    portal.faults.throw(Fault.SIGN_IN_PAGE)
    answer = get(path)

    assert answer.status_code == 200
    assert answer.url.path == path
    assert 'form id="login"' in answer.text


def test_sign_in_works_while_the_sign_in_page_replaces_others(portal: PracticePortal, visitor: Visitor) -> None:
    portal.faults.throw(Fault.SIGN_IN_PAGE)

    assert visitor.password().url.path == "/otp"


@pytest.mark.parametrize("path", JSON_SURFACES)
def test_html_can_replace_json(portal: PracticePortal, get: Callable[[str], httpx.Response], path: str) -> None:
    portal.faults.throw(Fault.HTML_FOR_JSON)
    answer = get(path)

    assert answer.status_code == 200
    assert answer.text.startswith("<!DOCTYPE html>")
    assert 'id="cases"' in get("/cases").text


@pytest.mark.parametrize("path", JSON_SURFACES)
def test_json_can_be_invalid_with_200(portal: PracticePortal, get: Callable[[str], httpx.Response], path: str) -> None:
    portal.faults.throw(Fault.INVALID_JSON)
    answer = get(path)

    assert answer.status_code == 200
    with pytest.raises(ValueError, match="Expecting"):
        answer.json()


def test_invalid_token_answer_is_invalid_too(portal: PracticePortal, visitor: Visitor) -> None:
    portal.faults.throw(Fault.INVALID_JSON)
    answer = visitor.ask_token(portal.account.client_id, portal.account.client_secret)

    with pytest.raises(ValueError, match="Expecting"):
        answer.json()


@pytest.mark.parametrize("fault", [Fault.CUT_OFF, Fault.NO_ANSWER])
def test_response_can_be_cut_off_and_the_next_one_is_complete(
    portal: PracticePortal, get: Callable[[str], httpx.Response], fault: Fault
) -> None:
    portal.faults.throw(fault, times=1)

    with pytest.raises(httpx.RemoteProtocolError):
        get("/api/cases")
    assert get("/api/cases").status_code == 200


def test_slow_response_is_late_and_correct(portal: PracticePortal, get: Callable[[str], httpx.Response]) -> None:
    portal.faults.throw(Fault.SLOW, delay=timedelta(milliseconds=80))
    begun = time.monotonic()
    answer = get("/api/cases")

    assert time.monotonic() - begun >= 0.08
    assert len(answer.json()["cases"]) == 2


@pytest.mark.parametrize(
    ("path", "mark"),
    [
        ("/cases", 'id="cases"'),
        (f"/cases/{NUMBER}", 'id="case-detail"'),
        ("/api/cases", '"cases"'),
        (f"/api/cases/{NUMBER}", '"status"'),
        (f"/case-status/{NUMBER}", '"case_status"'),
    ],
)
def test_changed_shape_has_other_names(
    portal: PracticePortal, get: Callable[[str], httpx.Response], path: str, mark: str
) -> None:
    before = get(path).text
    portal.faults.throw(Fault.CHANGED_SHAPE)
    during = get(path).text
    portal.faults.clear(Fault.CHANGED_SHAPE)

    assert mark in before
    assert mark not in during
    assert get(path).text == before


def test_list_can_be_empty_while_the_cases_are_there(
    portal: PracticePortal, get: Callable[[str], httpx.Response]
) -> None:
    portal.faults.throw(Fault.EMPTY_LIST)

    assert get("/api/cases").json()["cases"] == []
    assert 'id="cases"' in get("/cases").text
    assert 'class="receipt"' not in get("/cases").text
    assert get(f"/api/cases/{NUMBER}").json()["case"]["receipt_number"] == NUMBER
    assert get(f"/case-status/{NUMBER}").json()["case_status"] == []


@pytest.mark.parametrize("path", JSON_SURFACES)
def test_reordered_says_the_same_in_another_order(
    portal: PracticePortal, get: Callable[[str], httpx.Response], path: str
) -> None:
    before = get(path)
    portal.faults.throw(Fault.REORDERED)
    during = get(path)

    assert during.text != before.text
    assert _ordered(during.json()) == _ordered(before.json())


def test_reordered_pages_list_everything_in_reverse(
    portal: PracticePortal, get: Callable[[str], httpx.Response]
) -> None:
    before = get(f"/cases/{NUMBER}").text
    portal.faults.throw(Fault.REORDERED)
    during = get(f"/cases/{NUMBER}").text

    assert before.index("One") < before.index("Two")
    assert during.index("One") > during.index("Two")
    assert sorted(before.splitlines()) == sorted(during.splitlines())


def test_fault_with_a_limit_counts_only_affected_requests(
    portal: PracticePortal, get: Callable[[str], httpx.Response]
) -> None:
    portal.faults.throw(Fault.UNAVAILABLE, path="/api/cases/*", times=2)
    codes = [get(path).status_code for path in ("/api/cases", SURFACES[3], "/cases", SURFACES[3], SURFACES[3])]

    assert codes == [200, 503, 200, 503, 200]


def test_first_active_fault_applies_until_it_is_cleared(
    portal: PracticePortal, get: Callable[[str], httpx.Response]
) -> None:
    portal.faults.throw(Fault.BAD_GATEWAY)
    portal.faults.throw(Fault.MAINTENANCE)
    first = get("/cases")
    portal.faults.clear(Fault.BAD_GATEWAY)
    second = get("/cases")
    portal.faults.clear()

    assert first.status_code == 502
    assert "Scheduled maintenance" in second.text
    assert 'id="cases"' in get("/cases").text


def test_failures_are_logged_with_the_portals_time(
    portal: PracticePortal, get: Callable[[str], httpx.Response], clock: HandClock
) -> None:
    portal.forget_requests()
    portal.faults.throw(Fault.BAD_GATEWAY, times=1)
    get("/cases")
    clock.pass_by(timedelta(hours=1))
    get("/cases?page=2")
    first, second = portal.requests

    assert (first.method, first.path, first.status) == ("GET", "/cases", 502)
    assert (second.path, second.status) == ("/cases", 200)
    assert second.at - first.at == timedelta(hours=1)


def _ordered(node: Any) -> Any:
    """The same document with every list sorted, so that only its facts are compared."""
    if isinstance(node, dict):
        return {key: _ordered(entry) for key, entry in node.items()}
    return (
        sorted(map(_ordered, node), key=lambda entry: json.dumps(entry, sort_keys=True))
        if isinstance(node, list)
        else node
    )
