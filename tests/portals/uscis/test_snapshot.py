"""What the pages of a case say, as a snapshot: the portal's words, its ids, and none of its noise."""

import copy
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doubles import uscis_answers as said
from watcher.errors import CaseNotFound, ReadFailed, UnexpectedAnswer
from watcher.language.uscis_wording import stated_day
from watcher.model.case import ItemKind, PendingItem, Stage
from watcher.model.change import ChangeKind
from watcher.portals.uscis.event_codes import hint
from watcher.portals.uscis.snapshot import snapshot
from watcher.reading.diff import diff
from watcher.reading.normalize import normalize
from watcher.text.uscis_html import plain_text

TODAY = date(2026, 8, 1)


def news(before: dict[str, bytes], after: dict[str, bytes], language: str = "en") -> list[ChangeKind]:
    first = normalize(None, snapshot(before, language), vocabulary="uscis")
    second = normalize(first, snapshot(after, language), vocabulary="uscis")
    return [change.kind for change in diff(first, second, today=TODAY, vocabulary="uscis")]


def items(answers: dict[str, bytes]) -> tuple[PendingItem, ...]:
    return snapshot(answers, "en").pending or ()


def test_the_portals_words_stand_beside_the_stage() -> None:
    read = snapshot(said.answers(), "en")
    assert (read.status, read.stage) == ("USCIS Is currently Processing the Case", Stage.UNDER_REVIEW)
    assert read.description == "As of July 9, 2026, we are processing it. www.uscis.gov"
    assert (read.status_since, read.submitted_on) == (date(2026, 7, 9), date(2026, 5, 29))
    assert read.updated_at == datetime(2026, 7, 31, 13, 7, 45, 6000, tzinfo=UTC)
    assert (read.form, read.office) == ("I-485", "NATIONAL BENEFITS CENTER")


def test_spanish_words_are_staged_by_the_english_title() -> None:
    status = said.status(
        "Case Was Approved", statusTitleSpanish="El caso fue aprobado", statusTextSpanish="<p>Bien</p>"
    )
    read = snapshot(said.answers(status_said=status), "es")
    assert (read.language, read.status, read.description) == ("es", "El caso fue aprobado", "Bien")
    assert (read.status_key, read.stage) == ("Case Was Approved", Stage.APPROVED)


def test_without_spanish_words_the_english_ones_are_shown_as_english() -> None:
    read = snapshot(said.answers(), "es")
    assert (read.language, read.status) == ("en", "USCIS Is currently Processing the Case")


def test_a_placeholder_is_no_status() -> None:
    read = snapshot(said.answers(status_said=said.status("CASE STATUS")), "en")
    assert (read.status, read.stage, read.status_since) == (None, Stage.UNKNOWN, None)


def test_a_title_that_no_rule_knows_is_shown_and_not_guessed_whatever_the_codes_say() -> None:
    case = said.case(events=[said.event("H008", "2026-07-20"), said.event("DA", "2026-07-20", number=2)])
    read = snapshot(said.answers(case, said.status("Case Was Looked At")), "en")
    assert (read.status, read.stage) == ("Case Was Looked At", Stage.UNKNOWN)


@pytest.mark.parametrize(
    "changed",
    [
        {"ackedByAdjudicatorAndCms": False},
        {"cmsFailure": True},
        {"areAllGroupStatusesComplete": True},
        {"applicantName": "ANOTHER, SPELLING"},
        {"updatedAtTimestamp": "2026-07-31T13:07:45.006000+00:00"},
        {"somethingNew": {"deep": [1, 2]}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_noise_in_the_case_is_no_news(changed: dict[str, Any]) -> None:
    assert news(said.answers(), said.answers(said.case(**changed))) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"message": "Query was slow"},
        {"statusText": "As of July 9, 2026,&nbsp; we are  processing it.\n www.uscis.gov"},
        {"statusTitle": "USCIS Is currently Processing the&#32;Case "},
        {"isPremiumRefunded": True},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_noise_in_the_status_is_no_news(changed: dict[str, Any]) -> None:
    assert news(said.answers(), said.answers(status_said={**said.status(), **changed})) == []


def test_a_clock_that_moves_alone_is_a_silent_update() -> None:
    assert news(said.answers(), said.answers(said.case(updated="2026-08-01"))) == [ChangeKind.SILENT_UPDATE]


def test_the_order_of_lists_is_no_news() -> None:
    case = said.case(
        events=[said.event("FTA0", "2026-07-09"), said.event("IAF", "2026-06-02", number=2)],
        notices=[
            said.letter(1, "Receipt Notice Was Sent", "2026-06-02"),
            said.letter(2, "Case Was Approved", "2026-07-02"),
        ],
        evidenceRequests=[said.request(1, answered=True), said.request(2)],
    )
    turned = {**case, **{name: list(reversed(case[name])) for name in ("events", "notices", "evidenceRequests")}}
    assert snapshot(said.answers(case), "en") == snapshot(said.answers(turned), "en")


def test_an_event_is_known_by_its_id_and_new_when_first_seen_however_far_back_it_is_dated() -> None:
    old = said.case(events=[said.event("FTA0", "2026-07-09")])
    new = said.case(events=[said.event("FTA0", "2026-07-09"), said.event("FNB", "2025-01-02", number=2)])
    assert news(said.answers(old), said.answers(new)) == [ChangeKind.HISTORY_ADDED]


def test_codes_come_with_labelled_readings() -> None:
    (entry,) = snapshot(said.answers(said.case(events=[said.event("FTA0", "2026-07-09")])), "en").history or ()
    assert (entry.title, entry.code) == ("FTA0", "FTA0")
    assert entry.hint == "published code list: Database checks received"
    assert (hint("H008") or "").startswith("not in the published code list; contested")
    assert hint("QQQQ") is None


def test_earlier_titles_are_history_whatever_the_language() -> None:
    earlier = [said.earlier("Case Was Received", "06-02-2026", "IAF", "Caso recibido")]
    answers = said.answers(status_said=said.status(historicalCaseStatuses=earlier))
    english, spanish = (snapshot(answers, language).history or () for language in ("en", "es"))
    assert [(entry.title, entry.at) for entry in english] == [("Case Was Received", date(2026, 6, 2))]
    assert [entry.title for entry in spanish] == ["Caso recibido"]
    assert english[0].key == spanish[0].key


@pytest.mark.parametrize(
    ("action", "title", "kind"),
    [
        ("Appointment Scheduled", "USCIS Is currently Processing the Case", ItemKind.APPOINTMENT),
        ("Appointment Scheduled", "Interview Was Scheduled", ItemKind.INTERVIEW),
        ("Appointment Scheduled", "Biometrics Appointment Was Scheduled", ItemKind.BIOMETRICS),
        ("Biometrics Appointment Was Scheduled", "Interview Was Scheduled", ItemKind.BIOMETRICS),
        ("Interview Was Scheduled", "USCIS Is currently Processing the Case", ItemKind.INTERVIEW),
    ],
)
def test_an_appointment_is_what_its_letter_or_the_title_calls_it(action: str, title: str, kind: ItemKind) -> None:
    letter = said.letter(1, action, "2026-07-08", appointment="2026-08-09T19:00:00.000Z")
    found = [item for item in items(said.answers(said.case(notices=[letter]), said.status(title))) if item.starts_at]
    assert [(item.key, item.kind) for item in found] == [("appointment:440000001", kind)]


def test_the_time_of_an_appointment_is_a_wall_clock_of_no_zone() -> None:
    letter = said.letter(1, "Appointment Scheduled", "2026-07-08", appointment="2026-08-09T19:00:00.000Z")
    (item,) = items(said.answers(said.case(notices=[letter])))
    assert item.starts_at == datetime(2026, 8, 9, 19, 0)  # noqa: DTZ001 - that is the point


def test_an_appointment_goes_once_the_portal_has_written_after_its_day() -> None:
    letter = said.letter(1, "Appointment Scheduled", "2026-06-19", appointment="2026-07-09T19:00:00.000Z")
    assert items(said.answers(said.case(notices=[letter]), said.status(day="July 8, 2026"))) == ()


def test_an_oath_ceremony_is_still_to_come_though_the_case_is_approved() -> None:
    letter = said.letter(1, "Appointment Scheduled", "2026-07-08", appointment="2026-09-09T19:00:00.000Z")
    answers = said.answers(said.case(notices=[letter]), said.status("Oath Ceremony Notice Was Mailed"))
    assert [item.kind for item in items(answers)] == [ItemKind.OATH_CEREMONY]


@pytest.mark.parametrize(("made", "count"), [("2026-07-08", 0), ("2026-07-20", 1)])
def test_an_approval_ends_the_appointments_before_it_and_not_those_after(made: str, count: int) -> None:
    letter = said.letter(1, "Appointment Scheduled", made, appointment="2026-09-09T19:00:00.000Z")
    assert len(items(said.answers(said.case(notices=[letter]), said.status("Case Was Approved")))) == count


@pytest.mark.parametrize("how", ["code", "title"])
def test_a_cancelled_appointment_is_told_as_one(how: str) -> None:
    letter = said.letter(1, "Interview Was Scheduled", "2026-07-08", appointment="2026-09-09T19:00:00.000Z")
    before = said.answers(said.case(notices=[letter]), said.status("Interview Was Scheduled"))
    events = [said.event("FKB", "2026-07-30")] if how == "code" else []
    title = "Interview Cancelled" if how == "title" else "USCIS Is currently Processing the Case"
    after = said.answers(said.case(notices=[letter], events=events), said.status(title))
    assert ChangeKind.APPOINTMENT_CANCELLED in news(before, after)


def test_an_appointment_that_the_title_announces_is_told_again_only_when_its_day_is_known() -> None:
    announced = said.answers(status_said=said.status("Interview Was Scheduled"))
    letter = said.letter(1, "Appointment Scheduled", "2026-07-10", appointment="2026-09-09T19:00:00.000Z")
    dated = said.answers(said.case(notices=[letter]), said.status("Interview Was Scheduled"))
    assert [item.kind for item in items(announced)] == [ItemKind.INTERVIEW]
    assert news(announced, dated) == [ChangeKind.APPOINTMENT_SCHEDULED, ChangeKind.NOTICE_ADDED]


def test_letters_and_documents_are_notices_by_their_own_ids() -> None:
    case = said.case(notices=[said.letter(1, "Receipt Notice Was Sent", "2026-06-02")])
    documents = [said.document(1, "Account Acceptance Notice", "2026-06-04")]
    found = snapshot(said.answers(case, documents=documents), "en").notices or ()
    assert [(notice.key, notice.title, notice.dated) for notice in found] == [
        ("440000001", "Receipt Notice Was Sent", date(2026, 6, 2)),
        ("A" * 40 + "001", "Account Acceptance Notice", date(2026, 6, 4)),
    ]


@pytest.mark.parametrize("missing", ["status", "documents"])
def test_a_failed_endpoint_is_no_news_and_neither_is_its_return(missing: str) -> None:
    case = said.case(
        events=[said.event("IAF", "2026-06-02")],
        notices=[said.letter(1, "Appointment Scheduled", "2026-07-08", appointment="2026-08-09T19:00:00.000Z")],
    )
    status = said.status(
        "Interview Was Scheduled", historicalCaseStatuses=[said.earlier("Case Was Received", "06-02-2026")]
    )
    documents = [said.document(1, "Account Acceptance Notice", "2026-06-04")]
    whole = normalize(None, snapshot(said.answers(case, status, documents), "en"), vocabulary="uscis")
    part = snapshot(said.answers(case, status, documents, without=(missing,)), "en")
    assert normalize(whole, part, vocabulary="uscis") == whole


def test_answers_that_name_no_case_are_of_none() -> None:
    with pytest.raises(CaseNotFound):
        snapshot(said.answers(without=("case", "status")), "en")


def test_two_answers_about_different_cases_are_not_mixed() -> None:
    with pytest.raises(UnexpectedAnswer, match="different cases"):
        snapshot(said.answers(status_said=said.status(receipt="IOE0000000009")), "en")


def test_an_evidence_request_that_does_not_say_whether_it_was_answered_is_strange() -> None:
    case = said.case(evidenceRequests=[{"noticeId": "n-1"}])
    with pytest.raises(UnexpectedAnswer, match=r"evidenceRequests\.0\.isRespondedTo"):
        snapshot(said.answers(case), "en")


JUNK: st.SearchStrategy[Any] = (
    st.none() | st.integers() | st.text(max_size=6) | st.just([]) | st.just({}) | st.just([{}]) | st.just([None])
)


@settings(deadline=None)
@given(data=st.data())
def test_whatever_stands_in_a_field_is_read_or_refused(data: st.DataObject) -> None:
    case: dict[str, Any] = copy.deepcopy(
        said.case(events=[said.event("IK", "2026-07-20")], evidenceRequests=[said.request(1)])
    )
    status = said.status(historicalCaseStatuses=[said.earlier("Case Was Received", "06-02-2026")])
    whole = data.draw(st.sampled_from([case, status, case["events"][0], status["historicalCaseStatuses"][0]]))
    whole[data.draw(st.sampled_from(sorted(whole)))] = data.draw(JUNK)
    with suppress(ReadFailed):
        assert snapshot(said.answers(case, status), "en").case_number == said.RECEIPT


def test_an_error_names_the_place_and_never_what_stands_there() -> None:
    with pytest.raises(UnexpectedAnswer, match=r"events of the case answer") as refused:
        snapshot(said.answers(said.case(events="SAMPLE, APPLICANT")), "en")
    assert "SAMPLE" not in str(refused.value)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("a<br>b", "a b"),
        ("<p>one</p><p>two</p>", "one two"),
        ("USCIS&#039; &amp;amp; you", "USCIS' & you"),
        ("<script>alert(1)</script>safe<style>p{}</style>", "safe"),
        ("tab\t\n\xa0 space", "tab space"),
        ("right\N{RIGHT-TO-LEFT OVERRIDE}left\x07", "rightleft"),
        ("1 < 2", "1 < 2"),
        ("Presidente \N{LATIN SMALL LETTER N WITH TILDE}", "Presidente \N{LATIN SMALL LETTER N WITH TILDE}"),
    ],
)
def test_markup_becomes_what_a_person_would_read(markup: str, text: str) -> None:
    assert plain_text(markup) == text


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("On September 5, 2023, we approved", date(2023, 9, 5)),
        ("As of July 9, 2026, it is", date(2026, 7, 9)),
        ("On Feb. 30, 2026, nothing", None),
        ("On Smarch 5, 2026, nothing", None),
        ("Nothing", None),
    ],
)
def test_the_day_is_the_one_that_the_text_states(text: str, day: date | None) -> None:
    assert stated_day(text) == day


@pytest.mark.parametrize(
    ("written", "form"), [("I485", "I-485"), ("n-400", "N-400"), ("I539A", "I-539A"), ("What", "What")]
)
def test_a_form_is_written_with_its_hyphen(written: str, form: str) -> None:
    assert snapshot(said.answers(said.case(formType=written)), "en").form == form
