from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.alerts.alert_contexts import EXAMPLE_VALUES, LINKS, NUMBER, alert_context, change, examples, item
from watcher.alerts.digest import render_digest
from watcher.alerts.rendering import render, summarize
from watcher.alerts.style import Privacy
from watcher.model.alert import AlertContext, AlertText
from watcher.model.case import Stage
from watcher.model.change import Change, ChangeKind, Json, RecordedChange, Severity

NEW_YORK = ZoneInfo("America/New_York")
ADVICE = "not legal advice"
ESTIMATE = "The latest possible date is an estimate from published rules. The date printed on your notice governs."


def rendered(*changes: Change, privacy: Privacy = "full", language: str = "en", zone: ZoneInfo = NEW_YORK) -> AlertText:
    return render(alert_context(*changes), privacy=privacy, language=language, zone=zone)


@pytest.mark.parametrize("order", [1, -1])
def test_title_names_the_most_urgent_change_in_any_order(order: int) -> None:
    changes = [ChangeKind.HISTORY_ADDED, ChangeKind.NOTICE_ADDED, ChangeKind.RFE_RECEIVED, ChangeKind.STATUS_CHANGED]
    alert = rendered(*(change(kind) for kind in changes[::order]))
    assert alert.title == f"{NUMBER} (I-485): USCIS asks for evidence"
    assert alert.body.startswith("“Request for Evidence Was Sent”. ")


def test_every_change_has_its_line() -> None:
    alert = rendered(
        change(ChangeKind.STAGE_CHANGED), change(ChangeKind.NOTICE_ADDED), change(ChangeKind.SILENT_UPDATE)
    )
    assert "Stage changed from Received to Denied." in alert.body
    assert [line.split(" ", 2)[1] for line in alert.body.splitlines() if line.startswith("- ")][:2] == [
        "New",
        "Updated",
    ]


def test_cases_whose_labels_have_a_colon_are_apart_in_a_digest() -> None:
    context = alert_context(change(ChangeKind.STAGE_CHANGED))
    labeled = [
        render(replace(context, label=label), privacy="full", language="en", zone=NEW_YORK)
        for label in ("Ana: green card", "Ana: permit")
    ]
    assert [alert.title for alert in labeled] == ["Ana - green card: Case Was Denied", "Ana - permit: Case Was Denied"]
    assert render_digest(labeled, language="en").title == "2 alerts about 2 cases or accounts"


def test_explanation_is_shown_with_the_portals_own_words() -> None:
    alert = rendered(change(ChangeKind.STAGE_CHANGED))
    assert alert.title.endswith(": Case Was Denied")
    assert "The site says that the agency decided against the case." in alert.body
    assert "Date from USCIS: July 9, 2026." in alert.body


def test_meaning_shared_by_two_changes_is_explained_once() -> None:
    alert = render(
        examples()["stage_changed and rfe_received, one alert"], privacy="full", language="en", zone=NEW_YORK
    )
    assert alert.body.count("What it means") == 1


def test_every_explanation_says_that_it_is_not_legal_advice() -> None:
    for name, context in examples().items():
        alert = render(context, privacy="masked", language="en", zone=NEW_YORK)
        if context.snapshot is not None and "What it means" in alert.body:
            assert ADVICE in alert.body, name


def test_estimated_date_is_marked_and_the_notice_takes_precedence() -> None:
    estimated = rendered(change(ChangeKind.RFE_RECEIVED))
    assert (
        "Latest possible date to respond: October 1, 2026 (estimate). Enter the date from your letter: `watcher due "
        in estimated.body
    )
    assert ESTIMATE in estimated.body
    from_portal = rendered(change(ChangeKind.INTENT_TO_DENY_RECEIVED))
    assert "Respond by August 8, 2026 (date from USCIS)." in from_portal.body
    assert ESTIMATE not in from_portal.body


def test_reminder_title_marks_an_estimated_date() -> None:
    assert rendered(change(ChangeKind.DEADLINE_NEAR)).title.endswith("at most 7 days left")


@pytest.mark.parametrize(
    ("days", "expected"), [(0, "today is the last day"), (1, "at most 1 day left"), (14, "at most 14 days left")]
)
def test_reminder_title_gives_the_number_of_days_left(days: int, expected: str) -> None:
    near = change(ChangeKind.DEADLINE_NEAR)
    assert isinstance(near.new, dict)
    assert expected in rendered(replace(near, new=near.new | {"days": days})).title


def test_appointment_is_shown_in_the_readers_zone_with_its_weekday() -> None:
    madrid = rendered(change(ChangeKind.APPOINTMENT_SCHEDULED), language="es", zone=ZoneInfo("Europe/Madrid"))
    assert "Jueves 20 de agosto de 2026, 9:00 p.m. CEST" in madrid.body
    assert "jue 20 de agosto, 9:00 p.m. CEST" in madrid.title


@pytest.mark.parametrize("kind", [ChangeKind.HISTORY_ADDED, ChangeKind.SILENT_UPDATE])
def test_midnight_of_a_portal_is_a_day_in_every_zone(kind: ChangeKind) -> None:
    stamp = "2026-07-09T00:00:00+00:00"
    touched = change(kind)
    touched = replace(touched, new=touched.new | {"at": stamp} if isinstance(touched.new, dict) else stamp)
    assert "July 9, 2026" in rendered(touched, zone=ZoneInfo("Pacific/Honolulu")).body
    assert "July 8" not in rendered(touched, zone=ZoneInfo("Pacific/Honolulu")).body


def test_time_without_a_zone_is_not_converted() -> None:
    for zone in (NEW_YORK, ZoneInfo("Asia/Kolkata")):
        body = rendered(change(ChangeKind.APPOINTMENT_CHANGED), zone=zone).body
        assert "Tuesday, September 1, 2026, 9:30 AM local time" in body


def test_zone_without_an_abbreviation_is_shown_by_name() -> None:
    body = rendered(change(ChangeKind.APPOINTMENT_SCHEDULED), zone=ZoneInfo("America/Sao_Paulo")).body
    assert "4:00 PM America/Sao Paulo" in body


def test_first_day_of_a_month_follows_the_french_rule() -> None:
    assert "1er octobre 2026" in rendered(change(ChangeKind.RFE_RECEIVED), language="fr").body


@pytest.mark.parametrize("privacy", ["full", "masked"])
@pytest.mark.parametrize(
    ("old_text", "new_text", "same_words"),
    [
        (None, None, True),
        ("On November 1, 2026, we looked.", "On December 16, 2026, we looked.", True),
        ("El 1 de noviembre de 2026 miramos.", "El 16 de diciembre de 2026 miramos.", True),
        ("Vu le 01/11/2026.", "Vu le 16/12/2026.", True),
        ("On November 1, 2026, we looked.", "On December 16, 2026, we decided.", False),
        ("We need 3 letters.", "We need 4 letters.", False),
    ],
)
def test_a_new_date_under_the_same_words_names_both_dates(
    privacy: Privacy,
    old_text: str | None,
    new_text: str | None,
    same_words: bool,  # noqa: FBT001
) -> None:
    old: dict[str, Json] = {"stage": "refused", "status": "Refused", "description": old_text, "since": "2026-11-01"}
    new = old | {"description": new_text, "since": "2026-12-16"}
    moved = Change(kind=ChangeKind.STATUS_CHANGED, severity=Severity.IMPORTANT, case_number=NUMBER, old=old, new=new)
    alert = rendered(moved, privacy=privacy)
    if same_words:
        assert alert.title.endswith(": Updated December 16, 2026: still Refused")
        assert alert.body.startswith("Before: November 1, 2026. The status is the same.")
        line = "Updated on December 16, 2026 (before: November 1, 2026), still “Refused”"
        assert summarize(moved, "en") == line
    else:
        assert alert.title.endswith("New text below Refused")
    assert "New status" not in alert.body


def test_a_cancelled_appointment_names_its_time_and_no_time_to_keep() -> None:
    body = rendered(change(ChangeKind.APPOINTMENT_CANCELLED)).body
    assert "It was set for Thursday, August 20, 2026, 3:00 PM EDT." in body.splitlines()[0]
    assert "printed on your notice govern" not in body


def test_consular_refusal_is_not_presented_as_final() -> None:
    body = render(
        examples()["stage_changed to refused at a consulate"], privacy="masked", language="en", zone=NEW_YORK
    ).body
    assert "often not the end" in body
    assert "221(g)" in body


@pytest.mark.parametrize(
    ("kind", "old", "stage", "words"),
    [
        (ChangeKind.STATUS_CHANGED, Stage.ISSUED, Stage.ISSUED, "Card Was Returned To USCIS"),
        (ChangeKind.STATUS_CHANGED, Stage.INTERVIEW, Stage.INTERVIEW, "Interview Was Completed"),
        (ChangeKind.STAGE_CHANGED, Stage.DENIED, Stage.UNDER_REVIEW, "Case Was Reopened"),
        (ChangeKind.STATUS_CHANGED, Stage.UNDER_REVIEW, Stage.UNDER_REVIEW, "Expedite Request Denied"),
        (ChangeKind.STAGE_CHANGED, Stage.UNDER_REVIEW, Stage.UNKNOWN, "Request Was Rejected"),
        (ChangeKind.CASE_ADDED, None, Stage.RECEIVED, "Case Was Received"),
    ],
)
def test_new_status_is_announced_in_the_agencys_own_words(
    kind: ChangeKind, old: Stage | None, stage: Stage, words: str
) -> None:
    before: Json = None if old is None else {"stage": old.value, "status": "Something Before"}
    new: Json = {"stage": stage.value, "status": words}
    title = rendered(Change(kind=kind, severity=Severity.IMPORTANT, case_number=NUMBER, old=before, new=new)).title
    assert title.endswith((f": {words}", f": Now watching: {words}"))
    assert (stage.value.replace("_", " ") in title.lower()) == (stage.value in words.lower())


def test_status_without_words_is_announced_by_its_stage() -> None:
    new: Json = {"stage": "approved", "status": None}
    alert = rendered(
        Change(kind=ChangeKind.STAGE_CHANGED, severity=Severity.IMPORTANT, case_number=NUMBER, old=None, new=new)
    )
    assert alert.title.endswith(": Approved")


def test_new_status_is_the_title_before_a_new_item_of_the_same_severity() -> None:
    status = change(ChangeKind.STATUS_CHANGED)
    others = [change(kind) for kind in (ChangeKind.ITEM_ADDED, ChangeKind.NOTICE_ADDED)]
    assert rendered(*others, status).title == rendered(status).title


def test_unknown_status_is_quoted_and_marked_as_new() -> None:
    alert = render(examples()["stage_changed to unknown"], privacy="masked", language="en", zone=NEW_YORK)
    assert alert.title.endswith(": Something USCIS Has Never Said")
    assert "does not recognize" in alert.body


def test_description_is_shown_only_with_full_privacy() -> None:
    assert "your Form I-485, Receipt Number" in rendered(change(ChangeKind.STAGE_CHANGED)).body
    assert "Receipt Number" not in rendered(change(ChangeKind.STAGE_CHANGED), privacy="masked").body


def test_title_with_its_own_entry_is_not_explained_by_its_stage() -> None:
    body = rendered(change(ChangeKind.STATUS_CHANGED)).body
    assert "The case itself was not denied" in body


def test_history_shows_the_latest_lines_first_at_the_same_privacy() -> None:
    history = [
        RecordedChange(
            id=day,
            at=datetime(2026, 7, day, 3, tzinfo=UTC),
            account="family",
            change=change(ChangeKind.NOTICE_REMOVED),
            summary="old summary",
        )
        for day in range(9, 0, -1)
    ]
    context = replace(alert_context(change(ChangeKind.STAGE_CHANGED)), history=tuple(history))
    body = render(context, privacy="masked", language="en", zone=NEW_YORK).body
    days = [line.split(",")[0] for line in body.splitlines() if line.startswith("- July")]
    assert days == ["- July 8", "- July 7", "- July 6", "- July 5", "- July 4"][: len(days)]
    assert days
    assert "MARIA" not in body


def test_stall_shows_the_official_contact_and_the_case_number() -> None:
    body = rendered(change(ChangeKind.STALLED)).body
    assert f"Case number to give: {NUMBER}" in body
    assert f"Official help: {LINKS.help}" in body
    assert "from January 25, 2027 on" in body


def test_stall_without_a_published_time_does_not_mention_one() -> None:
    stalled = change(ChangeKind.STALLED)
    assert isinstance(stalled.new, dict)
    bare: dict[str, Json] = {"published_days": None, "inquiry_from": None, "touched_on": None}
    body = rendered(replace(stalled, new=stalled.new | bare)).body
    assert "processing time" not in body
    assert "updated" not in body


def test_rejected_sign_in_links_to_the_official_reset_and_asks_for_no_password() -> None:
    alert = rendered(change(ChangeKind.SIGN_IN_REJECTED))
    assert LINKS.reset is not None
    assert LINKS.reset in alert.body
    assert "never asks for a password" in alert.body
    assert "`watcher resume family`" in alert.body


def test_reset_link_is_omitted_if_the_portal_has_no_reset_page() -> None:
    links = replace(LINKS, reset=None)
    alert = render(
        alert_context(change(ChangeKind.ACCOUNT_LOCKED), links=links), privacy="full", language="en", zone=NEW_YORK
    )
    assert "reset" not in alert.body


def test_masked_text_names_no_account_but_refers_to_watcher_status() -> None:
    alert = rendered(change(ChangeKind.MFA_NEEDED), privacy="masked")
    assert "family" not in alert.title + alert.body + alert.html + alert.short
    assert "`watcher status`" in alert.body
    assert "`watcher login" not in alert.body


def test_detail_that_may_name_a_person_is_masked() -> None:
    renamed = Change(
        kind=ChangeKind.DETAIL_CHANGED,
        severity=Severity.ROUTINE,
        case_number=NUMBER,
        subject="title",
        old="Petition for MARIA SAMPLE",
        new="Petition for M. SAMPLE",
    )
    assert "SAMPLE" not in rendered(renamed, privacy="masked").body
    assert "SAMPLE" in rendered(renamed).body


def test_minimal_text_says_only_whether_it_is_urgent() -> None:
    urgent, routine = (
        rendered(change(kind), privacy="minimal") for kind in (ChangeKind.RFE_RECEIVED, ChangeKind.SILENT_UPDATE)
    )
    assert urgent.title == routine.title == "Something changed"
    assert "look soon" in urgent.body
    assert "look soon" not in routine.body


def test_short_text_has_the_masked_number_and_the_portals_words() -> None:
    assert rendered(change(ChangeKind.STAGE_CHANGED)).short.startswith("IOE..0001 (I-485): Case Was Denied. ")


def test_language_without_a_catalogue_falls_back_to_english() -> None:
    assert rendered(change(ChangeKind.RFE_RECEIVED), language="tlh") == rendered(change(ChangeKind.RFE_RECEIVED))


def test_case_without_a_snapshot_has_an_alert() -> None:
    bare = AlertContext(
        account="family", portal_title="USCIS", links=LINKS, changes=(change(ChangeKind.CASE_MISSING),), snapshot=None
    )
    assert (
        render(bare, privacy="full", language="en", zone=NEW_YORK).title == f"{NUMBER}: No longer shown by the agency"
    )


def test_status_in_another_language_is_explained_by_its_key_title() -> None:
    spanish = alert_context(change(ChangeKind.STATUS_CHANGED))
    assert spanish.snapshot is not None
    case = replace(
        spanish.snapshot,
        status="Solicitud denegada de trámite rápido",
        status_key="Expedite Request Denied",
        stage=Stage.UNDER_REVIEW,
        status_since=date(2026, 7, 9),
    )
    body = render(replace(spanish, snapshot=case), privacy="full", language="es", zone=NEW_YORK).body
    assert "El caso mismo no fue denegado" in body


def test_item_without_a_status_is_explained_by_its_kind() -> None:
    listed = Change(
        kind=ChangeKind.ITEM_ADDED,
        severity=Severity.IMPORTANT,
        case_number=NUMBER,
        subject="n-9",
        new=item("medical", "Medical instructions"),
    )
    assert "A medical examination is asked for." in rendered(listed).body


def test_every_kind_of_change_has_an_example() -> None:
    assert set(EXAMPLE_VALUES) == set(ChangeKind)
