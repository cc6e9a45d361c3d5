"""The recipes for the practice portal fit its pages: every selector in them finds something."""

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import jmespath
import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from tests.practice.visitor import NUMBER, START, Visitor
from watcher.practice import PracticePortal
from watcher.practice.story import ADJUSTMENT_OF_STATUS, Scene, StoryPlayer

RECIPES = Path(__file__).parents[2] / "config" / "recipes"


@pytest.fixture
def late_member(portal: PracticePortal, member: Visitor) -> Visitor:
    """Somebody whose case has been through everything."""
    telling = StoryPlayer(ADJUSTMENT_OF_STATUS, Scene(cases=portal.cases, faults=portal.faults), START)
    telling.catch_up(START + timedelta(days=ADJUSTMENT_OF_STATUS.days))
    return member


def recipe_of(name: str) -> dict[str, Any]:
    return tomllib.loads((RECIPES / name).read_text(encoding="utf-8"))


def selectors_of(table: dict[str, Any]) -> list[str]:
    return [value for value in table.values() if isinstance(value, str) and value.startswith(("css:", "json:"))]


def css_find(node: LexborNode | LexborHTMLParser, selector: str) -> str | None:
    query, _, attribute = selector.removeprefix("css:").partition("@")
    found = node.css_first(query) if query else node
    if found is None or isinstance(found, LexborHTMLParser):
        return None
    return found.attributes.get(attribute) if attribute else found.text(strip=True)


def test_every_selector_of_the_page_recipe_finds_something(late_member: Visitor) -> None:
    recipe = recipe_of("practice.toml")
    cases = LexborHTMLParser(late_member.http.get(recipe["cases"]["get"]).text)
    case = LexborHTMLParser(late_member.http.get(recipe["case"]["get"].format(case_number=NUMBER)).text)
    rows = cases.css(recipe["cases"]["each"].removeprefix("css:"))

    assert [css_find(row, recipe["cases"]["case_number"]) for row in rows] == ["IOE0000000002", NUMBER]
    assert css_find(cases, recipe["cases"]["expect"])
    assert all(
        css_find(case, selector) for selector in [recipe["case"]["expect"], *selectors_of(recipe["case"]["fields"])]
    )
    for part in ("pending", "notices", "history"):
        table = recipe["case"][part][0]
        nodes = case.css(table.pop("each").removeprefix("css:"))
        assert nodes
        for selector in selectors_of(table):
            assert any(css_find(node, selector) for node in nodes), f"{part}: {selector}"


def test_every_selector_of_the_json_recipe_finds_something(late_member: Visitor) -> None:
    recipe = recipe_of("practice-json.toml")
    cases = late_member.http.get(recipe["cases"]["get"]).json()
    case = late_member.http.get(recipe["case"]["get"].format(case_number=NUMBER)).json()

    def find(document: Any, selector: str) -> Any:
        return jmespath.search(selector.removeprefix("json:"), document)

    rows = find(cases, recipe["cases"]["each"])
    assert [find(row, recipe["cases"]["case_number"]) for row in rows] == ["IOE0000000002", NUMBER]
    assert find(cases, recipe["cases"]["expect"])
    assert all(find(case, selector) for selector in [recipe["case"]["expect"], *selectors_of(recipe["case"]["fields"])])
    for part in ("pending", "notices", "history"):
        table = recipe["case"][part][0]
        entries = find(case, table.pop("each"))
        assert entries
        for selector in selectors_of(table):
            assert any(find(entry, selector) for entry in entries), f"{part}: {selector}"


@pytest.mark.usefixtures("late_member")
@pytest.mark.parametrize("name", ["practice.toml", "practice-json.toml"])
def test_every_kind_of_item_on_the_page_is_one_the_recipe_knows(portal: PracticePortal, name: str) -> None:
    kinds = {item.kind for record in portal.cases.records() for item in record.items}

    assert kinds == set(recipe_of(name)["case"]["pending"][0]["kinds"])


@pytest.mark.parametrize(("step", "page"), [(0, "login"), (2, "second-step")])
def test_sign_in_steps_fit_the_forms(visitor: Visitor, step: int, page: str) -> None:
    steps = recipe_of("practice.toml")["sign_in"]
    form = LexborHTMLParser((visitor.http.get("/login") if step == 0 else visitor.password()).text)
    post = steps[max(step, 1)]

    node = form.css_first(f"form#{page}")
    assert node is not None
    assert node.attributes["action"] == post["post"]
    assert {str(field.attributes["name"]) for field in node.css("input")} == set(post["form"])
    assert css_find(form, steps[0]["take"]["csrf"])
    assert steps[2]["when"] == "css:input[name=otp]"
    assert (css_find(form, "css:input[name=otp]@name") == "otp") is (step == 2)
