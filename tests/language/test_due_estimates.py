from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.language.due_estimates import estimate_due, runs_until
from watcher.model.case import ItemKind

JULY_9 = date(2026, 7, 9)


@pytest.mark.parametrize(
    ("kind", "form", "title", "days"),
    [
        (ItemKind.RFE, "I-485", "Request for Evidence Was Sent", 84),
        (ItemKind.RFE, None, "Request for Initial Evidence Was Mailed", 87),
        (ItemKind.RFE, "I-539", "Request for Evidence Was Sent", 30),
        (ItemKind.RFE, "I-539", "Request for Initial Evidence Was Mailed.", 33),
        (ItemKind.RFE, "I-601A", "Request for Evidence Was Sent", 30),
        (ItemKind.INTENT_TO_DENY, "I-485", "Notice Of Intent To Deny Was Sent", 30),
        (ItemKind.INTENT_TO_DENY, "I-140", "Intent To Rescind Notice Was Mailed", 33),
        (ItemKind.TASK, "I-131", "Travel Document Was Returned to USCIS And Will Be Held For 180 Days", 180),
        (ItemKind.TASK, "I-90", "Card Was Returned To USCIS", 180),
    ],
)
def test_estimate_is_the_published_period_after_the_request(
    kind: ItemKind, form: str | None, title: str, days: int
) -> None:
    assert estimate_due(kind, form=form, asked_on=JULY_9, title=title) == JULY_9 + timedelta(days=days)


def test_request_of_july_9_is_due_by_october_1() -> None:
    due = estimate_due(ItemKind.RFE, form="I-485", asked_on=JULY_9, title="Request for Evidence Was Sent")
    assert due == date(2026, 10, 1)


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        (ItemKind.TASK, "Notice Was Returned To USCIS Because The Post Office Could Not Deliver It"),
        (ItemKind.FEE, "Resubmitted Fee Was Not Accepted"),
        (ItemKind.INTERVIEW, "Interview Was Scheduled"),
        (ItemKind.DOCUMENT_REQUEST, "Documents requested"),
    ],
)
def test_no_estimate_without_a_published_rule(kind: ItemKind, title: str) -> None:
    assert estimate_due(kind, form="I-485", asked_on=JULY_9, title=title) is None


def test_no_estimate_if_the_day_of_the_request_is_unknown() -> None:
    assert estimate_due(ItemKind.RFE, form="I-485", asked_on=None, title="Request for Evidence Was Sent") is None


@given(st.sampled_from(list(ItemKind)), st.dates(), st.text(max_size=60))
def test_estimate_is_never_before_the_request_and_never_raises(kind: ItemKind, day: date, title: str) -> None:
    due = estimate_due(kind, form=None, asked_on=day, title=title)
    assert due is None or due > day


@pytest.mark.parametrize(
    ("estimate", "until"),
    [
        (date(2026, 10, 1), date(2026, 10, 1)),  # Thursday
        (date(2026, 10, 3), date(2026, 10, 5)),  # Saturday
        (date(2026, 10, 4), date(2026, 10, 5)),  # Sunday
        (date(2026, 11, 26), date(2026, 11, 27)),  # Thanksgiving
        (date(2026, 7, 3), date(2026, 7, 6)),  # July 4 is a Saturday, so Friday is the holiday
        (date(2028, 1, 15), date(2028, 1, 18)),  # Saturday before the birthday of Martin Luther King, Jr.
    ],
)
def test_period_that_ends_on_no_business_day_runs_until_the_next_one(estimate: date, until: date) -> None:
    assert runs_until(ItemKind.RFE, estimate) == until
    assert runs_until(ItemKind.INTENT_TO_DENY, estimate) == until


def test_card_is_not_held_longer_because_of_a_weekend() -> None:
    assert runs_until(ItemKind.TASK, date(2026, 10, 3)) == date(2026, 10, 3)
