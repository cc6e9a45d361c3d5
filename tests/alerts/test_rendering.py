from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.alerts.alert_contexts import EXAMPLE_VALUES, LINKS, NUMBER, alert_context, change, examples, item
from watcher.alerts.rendering import render
from watcher.alerts.style import Privacy
from watcher.model.alert import AlertContext, AlertText
from watcher.model.case import Stage
from watcher.model.change import Change, ChangeKind, Json, RecordedChange, Severity

NEW_YORK = ZoneInfo("America/New_York")
ADVICE = "no legal advice"
ESTIMATE = "This date is an estimate from published rules. The date printed on your notice governs."


def told(*changes: Change, privacy: Privacy = "full", language: str = "en", zone: ZoneInfo = NEW_YORK) -> AlertText:
    return render(alert_context(*changes), privacy=privacy, language=language, zone=zone)


@pytest.mark.parametrize("order", [1, -1])
def test_the_title_carries_the_most_urgent_change_whatever_their_order(order: int) -> None:
    changes = [ChangeKind.HISTORY_ADDED, ChangeKind.NOTICE_ADDED, ChangeKind.RFE_RECEIVED, ChangeKind.STATUS_CHANGED]
    words = told(*(change(kind) for kind in changes[::order]))
    assert words.title == f"{NUMBER} (I-485): Evidence requested"
    assert words.body.startswith("- Request for evidence")


def test_every_change_of_the_occasion_has_its_line() -> None:
    words = told(change(ChangeKind.STAGE_CHANGED), change(ChangeKind.NOTICE_ADDED), change(ChangeKind.SILENT_UPDATE))
    assert [line.split(" ", 2)[1] for line in words.body.splitlines() if line.startswith("- ")][:3] == [
        "Stage",
        "New",
        "The",
    ]


def test_plain_words_stand_beside_the_portals_own() -> None:
    words = told(change(ChangeKind.STAGE_CHANGED))
    assert "The portal says that the agency decided against the case." in words.body
    assert "“Case Was Denied”, since July 9, 2026" in words.body


def test_one_meaning_told_by_two_changes_is_explained_once() -> None:
    words = render(
        examples()["stage_changed and rfe_received, one alert"], privacy="full", language="en", zone=NEW_YORK
    )
    assert words.body.count("What it means") == 1


def test_a_meaning_never_comes_without_saying_that_it_is_no_legal_advice() -> None:
    for name, each in examples().items():
        words = render(each, privacy="masked", language="en", zone=NEW_YORK)
        if each.snapshot is not None:
            assert ADVICE in words.body, name


def test_an_estimated_date_is_marked_and_the_notice_governs() -> None:
    estimated = told(change(ChangeKind.RFE_RECEIVED))
    assert "not later than October 1, 2026 (an estimate)" in estimated.body
    assert ESTIMATE in estimated.body
    given = told(change(ChangeKind.INTENT_TO_DENY_RECEIVED))
    assert "August 8, 2026 (the date the portal gives)" in given.body
    assert ESTIMATE not in given.body


def test_a_reminder_of_an_estimated_date_says_so_in_its_title() -> None:
    assert told(change(ChangeKind.DEADLINE_NEAR)).title.endswith("due in 7 days (an estimate)")


@pytest.mark.parametrize(("days", "said"), [(0, "due today"), (1, "due in 1 day"), (14, "due in 14 days")])
def test_a_reminder_says_how_many_days_are_left(days: int, said: str) -> None:
    near = change(ChangeKind.DEADLINE_NEAR)
    assert isinstance(near.new, dict)
    assert said in told(replace(near, new=near.new | {"days": days})).title


def test_an_appointment_is_told_in_the_readers_zone_with_its_weekday() -> None:
    madrid = told(change(ChangeKind.APPOINTMENT_SCHEDULED), language="es", zone=ZoneInfo("Europe/Madrid"))
    assert "jueves 20 de agosto de 2026, 21:00 h (CEST)" in madrid.body
    assert "20 de agosto de 2026, 21:00 h" in madrid.title


def test_a_wall_clock_time_is_left_as_the_portal_gives_it() -> None:
    for zone in (NEW_YORK, ZoneInfo("Asia/Kolkata")):
        body = told(change(ChangeKind.APPOINTMENT_CHANGED), zone=zone).body
        assert "Tuesday, September 1, 2026, 9:30 AM (as the portal gives it, no time zone said)" in body


def test_a_zone_without_letters_is_named() -> None:
    body = told(change(ChangeKind.APPOINTMENT_SCHEDULED), zone=ZoneInfo("America/Sao_Paulo")).body
    assert "4:00 PM (America/Sao Paulo)" in body


def test_the_first_of_a_month_is_written_the_french_way() -> None:
    assert "1er octobre 2026" in told(change(ChangeKind.RFE_RECEIVED), language="fr").body


def test_a_consular_refusal_is_not_told_as_the_end() -> None:
    body = render(
        examples()["stage_changed to refused at a consulate"], privacy="masked", language="en", zone=NEW_YORK
    ).body
    assert "often not the end" in body
    assert "221(g)" in body


def test_words_nobody_knows_are_shown_word_for_word_and_said_to_be_new() -> None:
    words = render(examples()["stage_changed to unknown"], privacy="masked", language="en", zone=NEW_YORK)
    assert "“Something USCIS Has Never Said”" in words.title
    assert "new to this program" in words.body


def test_the_text_below_the_status_is_told_only_in_full() -> None:
    assert "your Form I-485, Receipt Number" in told(change(ChangeKind.STAGE_CHANGED)).body
    assert "Receipt Number" not in told(change(ChangeKind.STAGE_CHANGED), privacy="masked").body


def test_a_title_that_has_words_of_its_own_is_not_explained_by_its_stage() -> None:
    body = told(change(ChangeKind.STATUS_CHANGED)).body
    assert "The case itself was not denied" in body


def test_the_history_holds_the_last_lines_newest_first_in_the_same_privacy() -> None:
    past = [
        RecordedChange(
            id=day,
            at=datetime(2026, 7, day, 3, tzinfo=UTC),
            account="family",
            change=change(ChangeKind.NOTICE_REMOVED),
            summary="as it was told then",
        )
        for day in range(9, 0, -1)
    ]
    whole = replace(alert_context(change(ChangeKind.STAGE_CHANGED)), history=tuple(past))
    body = render(whole, privacy="masked", language="en", zone=NEW_YORK).body
    days = [line.split(",")[0] for line in body.splitlines() if line.startswith("- July")]
    assert days == ["- July 8", "- July 7", "- July 6", "- July 5", "- July 4"]
    assert "MARIA" not in body


def test_a_stall_carries_the_official_contact_and_the_case_number() -> None:
    body = told(change(ChangeKind.STALLED)).body
    assert f"Case number to give: {NUMBER}" in body
    assert f"Official help: {LINKS.help}" in body
    assert "from January 25, 2027 on" in body


def test_a_stall_without_a_published_time_says_nothing_of_one() -> None:
    stalled = change(ChangeKind.STALLED)
    assert isinstance(stalled.new, dict)
    bare: dict[str, Json] = {"published_days": None, "inquiry_from": None, "touched_on": None}
    body = told(replace(stalled, new=stalled.new | bare)).body
    assert "processing time" not in body
    assert "touched" not in body


def test_a_refused_sign_in_points_to_the_official_reset_and_asks_for_no_password() -> None:
    words = told(change(ChangeKind.SIGN_IN_REJECTED))
    assert LINKS.reset is not None
    assert LINKS.reset in words.body
    assert "asks for no password" in words.body
    assert "`watcher resume family`" in words.body


def test_without_a_reset_page_there_is_no_such_link() -> None:
    links = replace(LINKS, reset=None)
    words = render(
        alert_context(change(ChangeKind.ACCOUNT_LOCKED), links=links), privacy="full", language="en", zone=NEW_YORK
    )
    assert "reset" not in words.body


def test_masked_names_no_account_and_says_where_it_stands() -> None:
    words = told(change(ChangeKind.MFA_NEEDED), privacy="masked")
    assert "family" not in words.title + words.body + words.html + words.short
    assert "`watcher code ACCOUNT CODE`" in words.body
    assert "`watcher status` shows which account it is." in words.body


def test_a_detail_that_may_name_a_person_is_masked() -> None:
    renamed = Change(
        kind=ChangeKind.DETAIL_CHANGED,
        severity=Severity.ROUTINE,
        case_number=NUMBER,
        subject="title",
        old="Petition for MARIA SAMPLE",
        new="Petition for M. SAMPLE",
    )
    assert "SAMPLE" not in told(renamed, privacy="masked").body
    assert "SAMPLE" in told(renamed).body


def test_minimal_says_whether_it_is_urgent_and_nothing_else() -> None:
    urgent, routine = (
        told(change(kind), privacy="minimal") for kind in (ChangeKind.RFE_RECEIVED, ChangeKind.SILENT_UPDATE)
    )
    assert urgent.title == routine.title == "Something changed"
    assert "look soon" in urgent.body
    assert "look soon" not in routine.body


def test_short_has_the_masked_number_and_the_portals_own_words() -> None:
    assert told(change(ChangeKind.STAGE_CHANGED)).short == "IOE••••••0001 (I-485): Denied. “Case Was Denied”"


def test_a_language_nobody_translated_is_told_in_english() -> None:
    assert told(change(ChangeKind.RFE_RECEIVED), language="tlh") == told(change(ChangeKind.RFE_RECEIVED))


def test_a_case_without_a_snapshot_is_still_told() -> None:
    bare = AlertContext(
        account="family", portal_title="USCIS", links=LINKS, changes=(change(ChangeKind.CASE_MISSING),), snapshot=None
    )
    assert render(bare, privacy="full", language="en", zone=NEW_YORK).title == f"{NUMBER}: Not on the portal any more"


def test_a_status_in_another_language_is_explained_by_the_title_the_rules_went_by() -> None:
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


def test_an_item_that_only_the_portal_lists_is_explained_by_its_kind() -> None:
    listed = Change(
        kind=ChangeKind.ITEM_ADDED,
        severity=Severity.IMPORTANT,
        case_number=NUMBER,
        subject="n-9",
        new=item("medical", "Medical instructions"),
    )
    assert "A medical examination is asked for." in told(listed).body


def test_every_kind_of_change_has_an_example() -> None:
    assert set(EXAMPLE_VALUES) == set(ChangeKind)
