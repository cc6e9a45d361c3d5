"""A snapshot has the portal's words and IDs, and none of its noise."""

import copy
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doubles import uscis_answers as fake
from watcher.errors import CaseNotFound, ReadFailed, UnexpectedAnswer
from watcher.language.uscis_wording import stated_day
from watcher.model.appointment_time import AppointmentTime, Day, Moment, WallTime
from watcher.model.case import ItemKind, PendingItem, Stage
from watcher.model.change import ChangeKind
from watcher.portals.uscis.event_codes import hint
from watcher.portals.uscis.snapshot import snapshot
from watcher.reading.diff import diff
from watcher.reading.normalize import normalize
from watcher.text.html import plain_text

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)
ZONE = ZoneInfo("UTC")


def change_kinds(before: dict[str, bytes], after: dict[str, bytes], language: str = "en") -> list[ChangeKind]:
    first = normalize(None, snapshot(before, language), vocabulary="uscis")
    second = normalize(first, snapshot(after, language), vocabulary="uscis")
    return [change.kind for change in diff(first, second, now=NOW, zone=ZONE, vocabulary="uscis")]


def items(answers: dict[str, bytes]) -> tuple[PendingItem, ...]:
    """Return the items that are open at the first check."""
    result = normalize(None, snapshot(answers, "en"), vocabulary="uscis")
    return tuple(item for item in result.pending or () if item.is_open)


def test_snapshot_has_the_portals_words_and_the_stage() -> None:
    result = snapshot(fake.answers(), "en")
    assert (result.status, result.stage) == ("USCIS Is currently Processing the Case", Stage.UNDER_REVIEW)
    assert result.description == "As of July 9, 2026, we are processing it. www.uscis.gov"
    assert (result.status_since, result.submitted_on) == (date(2026, 7, 9), date(2026, 5, 29))
    assert result.updated_at == datetime(2026, 7, 31, 13, 7, 45, 6000, tzinfo=UTC)
    assert (result.form, result.office) == ("I-485", "NATIONAL BENEFITS CENTER")


def test_stage_of_spanish_status_comes_from_the_english_title() -> None:
    status = fake.status(
        "Case Was Approved", statusTitleSpanish="El caso fue aprobado", statusTextSpanish="<p>Bien</p>"
    )
    result = snapshot(fake.answers(status_answer=status), "es")
    assert (result.language, result.status, result.description) == ("es", "El caso fue aprobado", "Bien")
    assert (result.status_key, result.stage) == ("Case Was Approved", Stage.APPROVED)


def test_status_is_english_if_spanish_is_missing() -> None:
    result = snapshot(fake.answers(), "es")
    assert (result.language, result.status) == ("en", "USCIS Is currently Processing the Case")


def test_placeholder_is_not_a_status() -> None:
    result = snapshot(fake.answers(status_answer=fake.status("CASE STATUS")), "en")
    assert (result.status, result.stage, result.status_since) == (None, Stage.UNKNOWN, None)


def test_unknown_title_is_shown_and_codes_do_not_set_its_stage() -> None:
    case = fake.case(events=[fake.event("H008", "2026-07-20"), fake.event("DA", "2026-07-20", number=2)])
    result = snapshot(fake.answers(case, fake.status("Case Was Looked At")), "en")
    assert (result.status, result.stage) == ("Case Was Looked At", Stage.UNKNOWN)


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
def test_noise_in_the_case_is_not_a_change(changed: dict[str, Any]) -> None:
    assert change_kinds(fake.answers(), fake.answers(fake.case(**changed))) == []


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
def test_noise_in_the_status_is_not_a_change(changed: dict[str, Any]) -> None:
    assert change_kinds(fake.answers(), fake.answers(status_answer={**fake.status(), **changed})) == []


def test_new_update_time_alone_is_a_silent_update() -> None:
    assert change_kinds(fake.answers(), fake.answers(fake.case(updated="2026-08-01"))) == [ChangeKind.SILENT_UPDATE]


def test_order_of_lists_does_not_matter() -> None:
    case = fake.case(
        events=[fake.event("FTA0", "2026-07-09"), fake.event("IAF", "2026-06-02", number=2)],
        notices=[
            fake.letter(1, "Receipt Notice Was Sent", "2026-06-02"),
            fake.letter(2, "Case Was Approved", "2026-07-02"),
        ],
        evidenceRequests=[fake.request(1, answered=True), fake.request(2)],
    )
    reordered = {**case, **{name: list(reversed(case[name])) for name in ("events", "notices", "evidenceRequests")}}
    assert snapshot(fake.answers(case), "en") == snapshot(fake.answers(reordered), "en")


def test_event_is_identified_by_its_id_and_new_even_if_backdated() -> None:
    old = fake.case(events=[fake.event("FTA0", "2026-07-09")])
    new = fake.case(events=[fake.event("FTA0", "2026-07-09"), fake.event("FNB", "2025-01-02", number=2)])
    assert change_kinds(fake.answers(old), fake.answers(new)) == [ChangeKind.HISTORY_ADDED]


def test_codes_have_labeled_readings() -> None:
    (entry,) = snapshot(fake.answers(fake.case(events=[fake.event("FTA0", "2026-07-09")])), "en").history or ()
    assert (entry.title, entry.code) == ("FTA0", "FTA0")
    assert entry.hint == "published code list: Database checks received"
    assert (hint("H008") or "").startswith("not in the published code list; contested")
    assert hint("QQQQ") is None


def test_earlier_titles_are_history_in_every_language() -> None:
    earlier = [fake.earlier("Case Was Received", "06-02-2026", "IAF", "Caso recibido")]
    answers = fake.answers(status_answer=fake.status(historicalCaseStatuses=earlier))
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
def test_kind_of_appointment_comes_from_its_letter_or_the_title(action: str, title: str, kind: ItemKind) -> None:
    letter = fake.letter(1, action, "2026-07-08", appointment="2026-08-09T19:00:00.000Z")
    appointments = [
        item for item in items(fake.answers(fake.case(notices=[letter]), fake.status(title))) if item.starts_at
    ]
    assert [(item.key, item.kind) for item in appointments] == [("appointment:440000001", kind)]


@pytest.mark.parametrize(
    ("stamp", "when"),
    [
        ("2026-08-09T19:00:00.000Z", Moment(datetime(2026, 8, 9, 19, tzinfo=UTC))),
        ("2026-08-09T15:00:00-0400", Moment(datetime(2026, 8, 9, 19, tzinfo=UTC))),
        ("2026-08-09T15:00:00", WallTime(datetime(2026, 8, 9, 15))),  # noqa: DTZ001 - no zone is stated
        ("2026-08-09T00:00:00.000Z", Day(date(2026, 8, 9))),
        ("2026-08-09T00:00:00-04:00", Day(date(2026, 8, 9))),
        ("2026-08-09", Day(date(2026, 8, 9))),
    ],
)
def test_appointment_is_a_moment_a_wall_clock_time_or_a_day(stamp: str, when: AppointmentTime) -> None:
    letter = fake.letter(1, "Appointment Scheduled", "2026-07-08", appointment=stamp)
    (item,) = items(fake.answers(fake.case(notices=[letter])))
    assert item.starts_at == when


def test_appointment_disappears_once_the_portal_has_written_after_its_day() -> None:
    letter = fake.letter(1, "Appointment Scheduled", "2026-06-19", appointment="2026-07-09T19:00:00.000Z")
    assert items(fake.answers(fake.case(notices=[letter]), fake.status(day="July 8, 2026"))) == ()


def test_oath_ceremony_stays_pending_after_approval() -> None:
    letter = fake.letter(1, "Appointment Scheduled", "2026-07-08", appointment="2026-09-09T19:00:00.000Z")
    answers = fake.answers(fake.case(notices=[letter]), fake.status("Oath Ceremony Notice Was Mailed"))
    assert [item.kind for item in items(answers)] == [ItemKind.OATH_CEREMONY]


@pytest.mark.parametrize(("made", "count"), [("2026-07-08", 0), ("2026-07-20", 1)])
def test_approval_ends_earlier_appointments_only(made: str, count: int) -> None:
    letter = fake.letter(1, "Appointment Scheduled", made, appointment="2026-09-09T19:00:00.000Z")
    assert len(items(fake.answers(fake.case(notices=[letter]), fake.status("Case Was Approved")))) == count


@pytest.mark.parametrize("how", ["code", "title"])
def test_cancelled_appointment_is_reported_as_cancelled(how: str) -> None:
    letter = fake.letter(1, "Interview Was Scheduled", "2026-07-08", appointment="2026-09-09T19:00:00.000Z")
    before = fake.answers(fake.case(notices=[letter]), fake.status("Interview Was Scheduled"))
    events = [fake.event("FKB", "2026-07-30")] if how == "code" else []
    title = "Interview Cancelled" if how == "title" else "USCIS Is currently Processing the Case"
    after = fake.answers(fake.case(notices=[letter], events=events), fake.status(title))
    assert ChangeKind.APPOINTMENT_CANCELLED in change_kinds(before, after)


def test_announced_appointment_is_reported_again_once_its_day_is_known() -> None:
    announced = fake.answers(status_answer=fake.status("Interview Was Scheduled"))
    letter = fake.letter(1, "Appointment Scheduled", "2026-07-10", appointment="2026-09-09T19:00:00.000Z")
    dated = fake.answers(fake.case(notices=[letter]), fake.status("Interview Was Scheduled"))
    assert [item.kind for item in items(announced)] == [ItemKind.INTERVIEW]
    assert change_kinds(announced, dated) == [ChangeKind.APPOINTMENT_SCHEDULED, ChangeKind.NOTICE_ADDED]


def test_letters_and_documents_are_notices_with_their_own_ids() -> None:
    case = fake.case(notices=[fake.letter(1, "Receipt Notice Was Sent", "2026-06-02")])
    documents = [fake.document(1, "Account Acceptance Notice", "2026-06-04")]
    notices = snapshot(fake.answers(case, documents=documents), "en").notices or ()
    assert [(notice.key, notice.title, notice.dated) for notice in notices] == [
        ("440000001", "Receipt Notice Was Sent", date(2026, 6, 2)),
        ("A" * 40 + "001", "Account Acceptance Notice", date(2026, 6, 4)),
    ]


@pytest.mark.parametrize("missing", ["status", "documents"])
def test_failed_endpoint_and_its_recovery_are_not_changes(missing: str) -> None:
    case = fake.case(
        events=[fake.event("IAF", "2026-06-02")],
        notices=[fake.letter(1, "Appointment Scheduled", "2026-07-08", appointment="2026-08-09T19:00:00.000Z")],
    )
    status = fake.status(
        "Interview Was Scheduled", historicalCaseStatuses=[fake.earlier("Case Was Received", "06-02-2026")]
    )
    documents = [fake.document(1, "Account Acceptance Notice", "2026-06-04")]
    complete = normalize(None, snapshot(fake.answers(case, status, documents), "en"), vocabulary="uscis")
    partial = snapshot(fake.answers(case, status, documents, without=(missing,)), "en")
    assert normalize(complete, partial, vocabulary="uscis") == complete


def test_answers_that_name_no_case_raise_case_not_found() -> None:
    with pytest.raises(CaseNotFound):
        snapshot(fake.answers(without=("case", "status")), "en")


def test_answers_about_different_cases_are_not_combined() -> None:
    with pytest.raises(UnexpectedAnswer, match="different cases"):
        snapshot(fake.answers(status_answer=fake.status(receipt="IOE0000000009")), "en")


def test_evidence_request_without_its_answered_flag_is_unexpected() -> None:
    case = fake.case(evidenceRequests=[{"noticeId": "n-1"}])
    with pytest.raises(UnexpectedAnswer, match=r"evidenceRequests\.0\.isRespondedTo"):
        snapshot(fake.answers(case), "en")


JUNK: st.SearchStrategy[Any] = (
    st.none() | st.integers() | st.text(max_size=6) | st.just([]) | st.just({}) | st.just([{}]) | st.just([None])
)


@settings(deadline=None)
@given(data=st.data())
def test_any_field_value_is_accepted_or_raises_read_failed(data: st.DataObject) -> None:
    case: dict[str, Any] = copy.deepcopy(
        fake.case(events=[fake.event("IK", "2026-07-20")], evidenceRequests=[fake.request(1)])
    )
    status = fake.status(historicalCaseStatuses=[fake.earlier("Case Was Received", "06-02-2026")])
    document = data.draw(st.sampled_from([case, status, case["events"][0], status["historicalCaseStatuses"][0]]))
    document[data.draw(st.sampled_from(sorted(document)))] = data.draw(JUNK)
    with suppress(ReadFailed):
        assert snapshot(fake.answers(case, status), "en").case_number == fake.RECEIPT


def test_error_names_the_path_and_never_the_value() -> None:
    with pytest.raises(UnexpectedAnswer, match=r"events in the case answer") as refused:
        snapshot(fake.answers(fake.case(events="SAMPLE, APPLICANT")), "en")
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
def test_markup_becomes_plain_text(markup: str, text: str) -> None:
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
def test_stated_day_is_found_in_the_text(text: str, day: date | None) -> None:
    assert stated_day(text) == day


@pytest.mark.parametrize(
    ("written", "form"), [("I485", "I-485"), ("n-400", "N-400"), ("I539A", "I-539A"), ("What", "What")]
)
def test_form_number_gets_its_hyphen(written: str, form: str) -> None:
    assert snapshot(fake.answers(fake.case(formType=written)), "en").form == form
