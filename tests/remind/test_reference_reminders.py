"""Changes that published lists cause: each once, again only if it is undone, and never by what is unknown or old."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tests.reference.lists import MINE, ORIGIN, bulletins, cell, inquiry_dates
from tests.remind.tracked_case import NEVER_STALLED, SentReminders, case, content_of, noon
from watcher.model.case import Stage
from watcher.model.change import ChangeKind, Severity
from watcher.model.ledger import TrackedCase
from watcher.model.reminder import DueReminder
from watcher.reference.lists import NO_LISTS, ListName, ProblemKind, ReferenceLists
from watcher.reference.place_in_line import BulletinList
from watcher.reference.rows import Origin
from watcher.reference.visa_bulletin import Chart
from watcher.settings import StallSettings

DAY = date(2026, 9, 10)
NOON = noon(DAY)
CURRENT, BACK = ChangeKind.PRIORITY_CURRENT, ChangeKind.PRIORITY_BACK
DEFAULT = StallSettings()


def bulletin(*rows: dict[str, str], saved_on: date = DAY) -> ReferenceLists:
    read = bulletins(*rows)
    return ReferenceLists(bulletin=BulletinList(bulletins=replace(read, origin=Origin(name="x", saved_on=saved_on))))


def waiting(**fields: Any) -> TrackedCase:
    return case(**{"form": "I-130", "priority": MINE, "stage": Stage.UNDER_REVIEW, **fields})


def kinds(due: list[DueReminder]) -> list[ChangeKind]:
    return [reminder.change.kind for reminder in due]


class Months:
    """The bulletins of one month after another, each recorded on a day of its month."""

    def __init__(self, tracked: TrackedCase) -> None:
        self.tracked, self.sent = tracked, SentReminders()

    def at(self, month: str, *rows: dict[str, str]) -> list[ChangeKind]:
        now = noon(date.fromisoformat(f"{month}-10"))
        self.sent.lists = bulletin(*rows, saved_on=now.date())
        return kinds(self.sent.at(now, self.tracked))


def test_current_and_back_are_each_recorded_once() -> None:
    months = Months(waiting())
    assert months.at("2026-06", cell("2026-06", "2014-01-15")) == []
    assert months.at("2026-07", cell("2026-07", "2014-01-16")) == [CURRENT]
    assert months.at("2026-07", cell("2026-07", "2014-01-16")) == []
    assert months.at("2026-08", cell("2026-08", "C")) == []
    assert months.at("2026-09", cell("2026-09", "2013-12-01")) == [BACK]
    assert months.at("2026-09", cell("2026-09", "2013-12-01")) == []
    assert months.at("2026-10", cell("2026-10", "2014-02-01")) == [CURRENT]


def test_bulletin_that_is_corrected_within_its_month_is_followed() -> None:
    months = Months(waiting())
    for value, expected in (("C", [CURRENT]), ("U", [BACK]), ("C", [CURRENT]), ("C", []), ("U", [BACK]), ("U", [])):
        assert months.at("2026-09", cell("2026-09", value)) == expected


def test_unknown_cell_neither_ends_nor_begins_anything() -> None:
    months = Months(waiting())
    assert months.at("2026-07", cell("2026-07", "C")) == [CURRENT]
    assert months.at("2026-08", cell("2026-08", "C", country="ROW")) == []
    assert months.at("2026-09", cell("2026-09", "C")) == []


def test_charts_are_recorded_on_their_own() -> None:
    months = Months(waiting())
    filing = cell("2026-09", "C", chart="dates_for_filing")
    assert months.at("2026-09", filing, cell("2026-09", "U")) == [CURRENT]
    assert months.at("2026-09", filing, cell("2026-09", "C")) == [CURRENT]


def test_another_priority_date_starts_over() -> None:
    months = Months(waiting())
    assert months.at("2026-09", cell("2026-09", "2014-02-01")) == [CURRENT]
    months.tracked = waiting(priority=replace(MINE, day=date(2014, 1, 20)))
    assert months.at("2026-09", cell("2026-09", "2014-02-01")) == [CURRENT]
    months.tracked = waiting(priority=replace(MINE, day=date(2015, 1, 1)))
    assert months.at("2026-09", cell("2026-09", "2014-02-01")) == []


def test_list_that_returns_to_an_older_bulletin_changes_nothing() -> None:
    months = Months(waiting())
    assert months.at("2026-09", cell("2026-10", "C")) == [CURRENT]
    assert months.at("2026-09", cell("2026-09", "U")) == []


def test_old_bulletin_causes_nothing() -> None:
    sent = SentReminders()
    sent.lists = bulletin(cell("2026-09", "C"))
    assert kinds(sent.at(noon(date(2026, 10, 1)), waiting())) == []
    assert kinds(sent.at(noon(date(2026, 9, 30)), waiting())) == [CURRENT]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"priority": None}, []),
        ({"finished": True}, []),
        ({"stage": Stage.DENIED}, []),
        ({"stage": Stage.APPROVED}, [CURRENT]),
        ({"stage": Stage.APPROVED, "form": "I-485"}, []),
    ],
    ids=["no priority date", "finished", "denied", "approved petition", "approved adjustment"],
)
def test_priority_date_counts_while_there_is_something_to_wait_for(
    fields: dict[str, Any], expected: list[ChangeKind]
) -> None:
    sent = SentReminders()
    sent.lists = bulletin(cell("2026-09", "C"))
    assert kinds(sent.at(NOON, waiting(**fields))) == expected


def test_change_names_the_bulletin_the_cutoff_and_the_source() -> None:
    sent = SentReminders()
    rows = bulletin(cell("2026-09", "2014-02-01"))
    assert rows.bulletin is not None
    charts = {("2026-09", "employment"): Chart.DATES_FOR_FILING}
    sent.lists = ReferenceLists(
        bulletin=replace(rows.bulletin, filing_charts=charts, filing_origin=Origin(name="charts", saved_on=DAY))
    )
    (due,) = sent.at(NOON, waiting())
    assert due.change.severity is Severity.IMPORTANT
    assert content_of(due) == {
        "chart": "final_action",
        "bulletin": "2026-09-01",
        "category": "EB2",
        "country": "IN",
        "priority_on": "2014-01-15",
        "cutoff": "date",
        "cutoff_on": "2014-02-01",
        "accepted": "dates_for_filing",
        "list": "x",
        "filing_list": "charts",
    }


def asked(*, stall: StallSettings = NEVER_STALLED) -> SentReminders:
    sent = SentReminders(stall=stall)
    sent.lists = ReferenceLists(inquiry=inquiry_dates())
    return sent


def test_person_is_told_once_that_they_may_ask() -> None:
    sent, tracked = asked(), case(form="I-765", submitted_on=date(2026, 1, 9))
    (due,) = sent.at(NOON, tracked)
    assert (due.change.kind, due.change.severity) == (ChangeKind.INQUIRY_OPEN, Severity.IMPORTANT)
    assert content_of(due) == {
        "received_on": "2026-01-09",
        "inquiry_date": "2026-01-10",
        "as_of": "2026-09-01",
        "list": ORIGIN.name,
        "form": "I-765",
    }
    assert sent.at(NOON + timedelta(days=30), tracked) == []
    (again,) = sent.at(NOON, case(form="I-765", submitted_on=date(2026, 1, 8)))
    assert again.change.kind is ChangeKind.INQUIRY_OPEN


@pytest.mark.parametrize(
    "fields",
    [
        {"submitted_on": date(2026, 1, 10)},
        {"submitted_on": None},
        {"form": "N-400"},
        {"form": "I-90"},
        {"stage": Stage.APPROVED},
        {"missing_reads": 1},
        {"finished": True},
    ],
    ids=str,
)
def test_person_is_not_told_to_ask_otherwise(fields: dict[str, Any]) -> None:
    tracked = case(**{"form": "I-765", "submitted_on": date(2026, 1, 9), **fields})
    assert asked().at(NOON, tracked) == []


def test_default_threshold_does_not_count_until_the_person_may_ask() -> None:
    not_yet = case(form="I-765", submitted_on=date(2026, 1, 10), stage_since=date(2026, 1, 10))
    assert asked(stall=DEFAULT).at(NOON, not_yet) == []
    for stall in (StallSettings(after=timedelta(days=80)), StallSettings(forms={"I-765": timedelta(days=90)})):
        assert kinds(asked(stall=stall).at(NOON, not_yet)) == [ChangeKind.STALLED]
    unknown = case(form="I-90", submitted_on=date(2020, 1, 1), stage_since=date(2026, 1, 10))
    assert kinds(asked(stall=DEFAULT).at(NOON, unknown)) == [ChangeKind.STALLED]


def test_alert_to_ask_counts_as_a_reminder_of_the_stage_and_later_ones_say_that_one_may_ask() -> None:
    sent, tracked = asked(stall=DEFAULT), case(form="I-765", submitted_on=date(2026, 1, 9))
    assert kinds(sent.at(NOON, tracked)) == [ChangeKind.INQUIRY_OPEN]
    assert sent.at(NOON + timedelta(days=29), tracked) == []
    (stalled,) = sent.at(NOON + timedelta(days=30), tracked)
    assert stalled.change.kind is ChangeKind.STALLED
    content = content_of(stalled)
    assert (content["inquiry_date"], content["as_of"], content["may_ask"]) == ("2026-01-10", "2026-09-01", True)


def test_problems_name_what_is_old() -> None:
    old = bulletin(cell("2026-08", "C"))
    both = ReferenceLists(inquiry=inquiry_dates(), bulletin=old.bulletin)
    found = [(problem.name, problem.kind) for problem in both.problems(date(2026, 12, 1))]
    assert found == [(ListName.INQUIRY_DATES, ProblemKind.OLD), (ListName.VISA_BULLETIN, ProblemKind.OLD)]
    assert list(both.problems(date(2026, 8, 31))) == []
    assert old.bulletin is not None
    charts = {("2026-07", "family"): Chart.FINAL_ACTION}
    accepted = replace(old.bulletin, filing_charts=charts, filing_origin=Origin(name="charts", saved_on=DAY))
    sources = [
        (problem.name, problem.source) for problem in ReferenceLists(bulletin=accepted).problems(date(2026, 8, 1))
    ]
    assert sources == [(ListName.FILING_CHART, "charts")]
    assert list(NO_LISTS.problems(DAY)) == []
