"""Selectors that found something in the last check and find nothing now."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.recipe.account import RECIPES
from watcher.model.case import HistoryEntry, Snapshot
from watcher.recipe.parse.check import load_recipe, parse_recipe
from watcher.recipe.run.last_found import found_in, lost_selectors

RECIPE = load_recipe(RECIPES / "practice.toml")
COMPLETE = Snapshot(
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
    return replace(COMPLETE, case_number=f"IOE000000000{number}", **changed)


def lost_keys(before: list[Snapshot], now: list[Snapshot]) -> list[str]:
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
def test_field_that_disappears_from_all_cases_is_noticed(field: str, key: str) -> None:
    before = [case(1), case(2)]

    assert lost_keys(before, [case(1, **{field: None}), case(2, **{field: None})]) == [key]
    assert lost_keys(before, [case(1, **{field: None}), case(2)]) == []
    assert lost_keys([case(1), case(2, **{field: None})], [case(1, **{field: None}), case(2, **{field: None})]) == [key]


@pytest.mark.parametrize("field", ["description", "status_since", "updated_at"])
def test_field_of_a_status_may_disappear_with_it(field: str) -> None:
    assert lost_keys([case()], [case(status="Case Was Approved", **{field: None})]) == []
    assert lost_keys([case()], [case(status=" case was  RECEIVED", **{field: None})]) != []


def test_title_does_not_disappear_with_a_status() -> None:
    assert lost_keys([case()], [case(status="Case Was Approved", title=None)]) == ["case.fields.title"]


def test_history_does_not_become_empty() -> None:
    assert lost_keys([case()], [case(history=())]) == ["case.history[0].each"]


def test_pending_items_and_notices_may_disappear() -> None:
    assert lost_keys([case(pending=None)], [case(pending=(), notices=())]) == []


def test_new_and_missing_cases_do_not_count() -> None:
    assert lost_keys([case(1)], [case(2, title=None)]) == []
    assert lost_keys([], [case(title=None)]) == []
    assert lost_keys([case()], []) == []


def test_field_listed_in_sometimes_may_disappear() -> None:
    recipe = parse_recipe(RECIPE.text.replace('title = "css:h1"', 'title = "css:h1"\nsometimes = ["title"]'), "x")

    assert lost_selectors(recipe, found_in([case()]), found_in([case(title=None)])) == ()


def test_saved_fields_do_not_reveal_the_status() -> None:
    assert "Received" not in repr(found_in([case()]))
