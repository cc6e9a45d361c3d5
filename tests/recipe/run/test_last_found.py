"""A selector that finds nothing where it found something before."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.recipe.account import RECIPES
from watcher.model.case import HistoryEntry, Snapshot
from watcher.recipe.parse.check import load_recipe, parse_recipe
from watcher.recipe.run.last_found import found_in, lost_selectors

RECIPE = load_recipe(RECIPES / "practice.toml")
WHOLE = Snapshot(
    case_number="IOE0000000001",
    form="I-485",
    title="Adjustment of status",
    status="Case Was Received",
    description="We have it.",
    status_since=date(2026, 1, 5),
    submitted_on=date(2026, 1, 5),
    updated_at=date(2026, 1, 5),
    history=(HistoryEntry(key="1", title="Received"),),
)


def case(number: Any = 1, **changed: Any) -> Snapshot:
    return replace(WHOLE, case_number=f"IOE000000000{number}", **changed)


def gone(before: list[Snapshot], now: list[Snapshot]) -> list[str]:
    return [line.split(" ")[0] for line in lost_selectors(RECIPE, found_in(before), found_in(now))]


@pytest.mark.parametrize(
    ("field", "key"),
    [
        ("form", "case.fields.form"),
        ("title", "case.fields.title"),
        ("submitted_on", "case.fields.submitted_on"),
        ("description", "case.fields.description"),
        ("status_since", "case.fields.status_since"),
        ("updated_at", "case.fields.updated_at"),
    ],
)
def test_a_field_that_goes_from_every_case_at_once_is_noticed(field: str, key: str) -> None:
    before = [case(1), case(2)]

    assert gone(before, [case(1, **{field: None}), case(2, **{field: None})]) == [key]
    assert gone(before, [case(1, **{field: None}), case(2)]) == []
    assert gone([case(1), case(2, **{field: None})], [case(1, **{field: None}), case(2, **{field: None})]) == [key]


@pytest.mark.parametrize("field", ["description", "status_since", "updated_at"])
def test_what_belongs_to_a_status_may_go_with_it(field: str) -> None:
    assert gone([case()], [case(status="Case Was Approved", **{field: None})]) == []
    assert gone([case()], [case(status=" case was  RECEIVED", **{field: None})]) != []


def test_a_title_does_not_go_with_a_status() -> None:
    assert gone([case()], [case(status="Case Was Approved", title=None)]) == ["case.fields.title"]


def test_a_history_never_empties() -> None:
    assert gone([case()], [case(history=())]) == ["case.history[0].each"]


def test_pending_items_and_notices_come_and_go() -> None:
    assert gone([case(pending=None)], [case(pending=(), notices=())]) == []


def test_new_cases_and_missing_ones_say_nothing() -> None:
    assert gone([case(1)], [case(2, title=None)]) == []
    assert gone([], [case(title=None)]) == []
    assert gone([case()], []) == []


def test_a_field_that_the_recipe_says_is_there_at_times_may_go() -> None:
    recipe = parse_recipe(RECIPE.text.replace('title = "css:h1"', 'title = "css:h1"\nsometimes = ["title"]'), "x")

    assert lost_selectors(recipe, found_in([case()]), found_in([case(title=None)])) == ()


def test_what_is_remembered_does_not_show_the_status() -> None:
    assert "Received" not in repr(found_in([case()]))
