"""All three surfaces (pages, JSON, the Case Status API) show one state."""

import io
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pypdf import PdfReader
from selectolax.lexbor import LexborHTMLParser

from tests.practice.visitor import NUMBER, START, HandClock, Visitor
from watcher.practice import PracticePortal, Terms

WHEN = datetime(2026, 2, 1, 10, 0)  # noqa: DTZ001 -- the portal shows its own wall clock


def page_of(member: Visitor, number: str = NUMBER) -> LexborHTMLParser:
    return LexborHTMLParser(member.http.get(f"/cases/{number}").text)


def json_of(member: Visitor, number: str = NUMBER) -> dict[str, Any]:
    case: dict[str, Any] = member.http.get(f"/api/cases/{number}").json()["case"]
    return case


def text_of(page: LexborHTMLParser, selector: str) -> str:
    node = page.css_first(selector)
    assert node is not None, f"nothing is shown as {selector}"
    return node.text().strip()


def test_status_is_shown_on_every_page_with_its_date(portal: PracticePortal, member: Visitor) -> None:
    case = portal.cases.add(NUMBER)
    case.set_status("Case Was Approved", at=START + timedelta(days=185))
    page, document = page_of(member), json_of(member)
    answer = member.case_status(NUMBER, member.token()).json()["case_status"]

    assert (
        text_of(page, ".status") == document["status"] == answer["current_case_status_text_en"] == "Case Was Approved"
    )
    assert text_of(page, ".status-date") == "July 9, 2026"
    assert document["status_date"] == "2026-07-09"
    assert text_of(page, ".status-text").startswith("On July 9, 2026, we approved your Form I-485")
    assert document["status_text"] == answer["current_case_status_desc_en"]
    assert answer["current_case_status_desc_es"].startswith("El 9 de julio de 2026, aprobamos")


def test_dates_use_the_portals_local_time(portal: PracticePortal, member: Visitor) -> None:
    portal.cases.add(NUMBER, at=datetime.fromisoformat("2026-01-06T03:00:00Z"))

    assert text_of(page_of(member), ".filed") == "January 5, 2026"


def test_unknown_status_is_shown_word_for_word(portal: PracticePortal, member: Visitor) -> None:
    portal.cases.add(NUMBER).set_status("Case <Was> Mis&laid")
    answer = member.case_status(NUMBER, member.token()).json()["case_status"]

    assert text_of(page_of(member), ".status") == "Case <Was> Mis&laid"
    assert answer["current_case_status_text_es"] == "Case <Was> Mis&laid"


def test_custom_description_is_shown_unchanged(portal: PracticePortal, member: Visitor) -> None:
    portal.cases.add(NUMBER).set_status("Case Was Received", text="We&#039;ve <b>got</b> it")

    assert json_of(member)["status_text"] == "We&#039;ve <b>got</b> it"
    assert text_of(page_of(member), ".status-text") == "We've got it"


def test_status_can_go_back_exactly(portal: PracticePortal, member: Visitor) -> None:
    case = portal.cases.add(NUMBER)
    before = json_of(member)
    first = case.record.status
    case.set_status("Case Was Denied", at=START + timedelta(days=1))
    case.show_status(first, at=START)

    assert json_of(member) == before


def test_touch_changes_only_the_timestamp(portal: PracticePortal, member: Visitor, clock: HandClock) -> None:
    case = portal.cases.add(NUMBER)
    case.request_evidence()
    before = json_of(member)
    clock.pass_by(timedelta(hours=2))
    case.touch()
    after = json_of(member)

    assert before.pop("updated_at") == "2026-01-05T15:00:00+00:00"
    assert after.pop("updated_at") == "2026-01-05T17:00:00+00:00"
    assert before == after


def test_request_for_evidence_can_be_answered(portal: PracticePortal, member: Visitor) -> None:
    case = portal.cases.add(NUMBER)
    key = case.request_evidence(due_on=date(2026, 3, 30))
    page = page_of(member)

    assert text_of(page, ".status") == "Request for Initial Evidence Was Sent"
    assert text_of(page, f'.action-item[data-id="{key}"] .kind') == "Request for Evidence"
    assert text_of(page, ".action-item .due") == "March 30, 2026"
    assert page.css_first(".answered") is None
    case.answer_item(key)
    assert text_of(page_of(member), ".answered") == "Yes"
    assert json_of(member)["action_items"][0]["answered"] is True


def test_due_date_can_be_set_and_removed(portal: PracticePortal, member: Visitor) -> None:
    case = portal.cases.add(NUMBER)
    key = case.request_evidence()
    case.set_due(key, date(2026, 4, 1))
    assert json_of(member)["action_items"][0]["due_on"] == "2026-04-01"
    case.set_due(key, None)
    assert page_of(member).css_first(".due") is None


def test_appointment_moves_and_is_cancelled(portal: PracticePortal, member: Visitor) -> None:
    case = portal.cases.add(NUMBER)
    key = case.add_item("Biometrics", "Biometrics appointment", starts_at=WHEN, place="Room 1 & 2")
    page = page_of(member)
    assert text_of(page, ".when") == "2026-02-01 10:00"
    assert text_of(page, ".place") == "Room 1 & 2"

    case.move_appointment(key, WHEN + timedelta(days=3))
    moved = json_of(member)["action_items"][0]
    assert (moved["starts_at"], moved["place"]) == ("2026-02-04T10:00", "Room 1 & 2")

    case.move_appointment(key, WHEN, place="Room 3")
    assert json_of(member)["action_items"][0]["place"] == "Room 3"
    case.remove_item(key)
    assert json_of(member)["action_items"] == []


def test_missing_item_cannot_be_moved(portal: PracticePortal) -> None:
    case = portal.cases.add(NUMBER)

    with pytest.raises(KeyError, match="has no item appointment-9"):
        case.move_appointment("appointment-9", WHEN)


def test_keys_are_never_used_again(portal: PracticePortal) -> None:
    case = portal.cases.add(NUMBER)
    first = case.add_item("Task", "One")
    case.remove_item(first)

    assert case.add_item("Task", "Two") != first


def test_notice_is_a_real_pdf_about_its_case(portal: PracticePortal, member: Visitor) -> None:
    key = portal.cases.add(NUMBER).add_notice("Receipt Notice")
    link = page_of(member).css_first(f'.notice[data-id="{key}"] a')
    assert link is not None
    answer = member.http.get(str(link.attributes["href"]))
    text = PdfReader(io.BytesIO(answer.content), strict=True).pages[0].extract_text()

    assert answer.headers["content-type"] == "application/pdf"
    assert json_of(member)["notices"][0]["url"] == link.attributes["href"]
    assert "Receipt Notice" in text
    assert "Date: January 5, 2026" in text
    assert NUMBER in text


def test_notice_requires_sign_in(portal: PracticePortal, visitor: Visitor) -> None:
    key = portal.cases.add(NUMBER).add_notice("Receipt Notice")

    assert visitor.http.get(f"/notices/{key}.pdf").url.path == "/login"


def test_history_is_the_same_on_every_surface(portal: PracticePortal, member: Visitor) -> None:
    case = portal.cases.add(NUMBER, in_history=True)
    case.set_status("Interview Was Scheduled", at=START + timedelta(days=30), in_history=True)
    case.add_event("We sent you a letter.", text_es="Le enviamos una carta.", at=START + timedelta(days=31))
    lines = [node.text(strip=True) for node in page_of(member).css(".event .text")]
    answer = member.case_status(NUMBER, member.token()).json()["case_status"]["hist_case_status"]

    assert lines == ["We received your Form I-485.", "We scheduled your interview.", "We sent you a letter."]
    assert [event["text"] for event in json_of(member)["history"]] == lines
    assert [event["completed_text_en"] for event in answer] == lines
    assert answer[2] == {
        "date": "2026-02-05",
        "completed_text_en": "We sent you a letter.",
        "completed_text_es": "Le enviamos una carta.",
    }


def test_case_that_is_removed_is_not_found_anywhere(portal: PracticePortal, member: Visitor) -> None:
    portal.cases.add(NUMBER)
    portal.cases.remove(NUMBER)

    assert member.http.get(f"/cases/{NUMBER}").status_code == 404
    assert member.http.get(f"/api/cases/{NUMBER}").status_code == 404
    assert member.case_status(NUMBER, member.token()).status_code == 404
    assert member.http.get("/api/cases").json() == {"cases": [], "next": None}


@pytest.mark.parametrize("path", ["/nowhere", "/notices/none.pdf", "/cases/IOE0999999999/more"])
def test_unknown_pages_are_not_found(member: Visitor, path: str) -> None:
    assert member.http.get(path).status_code == 404


@pytest.mark.parametrize(("cases", "pages"), [(0, 1), (3, 1), (4, 2), (6, 2), (7, 3)])
def test_list_has_a_next_page_until_all_are_shown(clock: HandClock, cases: int, pages: int) -> None:
    numbers = [f"IOE{index:010d}" for index in range(1, cases + 1)]
    with PracticePortal(clock, terms=Terms(cases_per_page=3)) as portal, Visitor(portal) as visitor:
        for number in numbers:
            portal.cases.add(number)
        visitor.sign_in()

        assert list(_listed_on_pages(visitor)) == numbers
        assert list(_listed_in_json(visitor)) == numbers
        assert len([line for line in portal.requests if line.path == "/api/cases"]) == pages


def _listed_on_pages(visitor: Visitor) -> list[str]:
    numbers, path = list[str](), "/cases"
    while path:
        page = LexborHTMLParser(visitor.http.get(path).text)
        numbers += [node.text(strip=True) for node in page.css("table#cases tbody td.receipt")]
        link = page.css_first("a.next")
        path = str(link.attributes["href"]) if link else ""
    return numbers


def _listed_in_json(visitor: Visitor) -> list[str]:
    numbers, path = list[str](), "/api/cases"
    while path:
        document = visitor.http.get(path).json()
        numbers += [case["receipt_number"] for case in document["cases"]]
        path = document["next"] or ""
    return numbers
