"""No answer and no recipe keeps the program from its other work."""

import json
import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from watcher.errors import UnexpectedAnswer
from watcher.recipe.page import budget
from watcher.recipe.page.budget import OutOfTime
from watcher.recipe.page.page import Page
from watcher.recipe.page.selectors import parse_selector
from watcher.text.html import plain_text

NESTED = "<div>" * 1_000 + "<p>x</p>" * 5_000
FLAT = "<p>x</p>" * 50_000


def page(text: str, kind: str = "text/html") -> Page:
    return Page(status=200, url="https://x.example/", headers={"content-type": kind}, body=text.encode())


@pytest.fixture
def one_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget.Budget.__init__, "__defaults__", (1.0,))


def longest_pause(action: Callable[[], None]) -> float:
    """Return the longest time that another thread could not run during the action."""
    ticks, done = [time.monotonic()], threading.Event()

    def tick() -> None:
        while not done.wait(0.01):
            ticks.append(time.monotonic())

    ticker = threading.Thread(target=tick)
    ticker.start()
    try:
        action()
    finally:
        done.set()
        ticker.join()
    return max(later - earlier for earlier, later in pairwise([*ticks, time.monotonic()]))


@pytest.mark.usefixtures("one_second")
@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ("css:x div div p", NESTED),
        ("css:div:has(div:has(div:has(x)))", NESTED),
        ("css:x ~ p ~ p", FLAT),
        ("css:p", "<p " + " ".join(f"a{number}" for number in range(200_000)) + ">"),
        ("text:x", "<p " + " ".join(f"a{number}" for number in range(200_000)) + ">"),
    ],
    ids=["descendants", "has", "siblings", "attributes", "text"],
)
def test_search_of_a_hostile_page_is_given_up_and_lets_other_threads_run(selector: str, text: str) -> None:
    def search() -> None:
        with pytest.raises(OutOfTime, match=r"office\.toml:7: .*longer than"):
            parse_selector(selector, "office.toml:7").is_true(page(text))

    started = time.monotonic()
    assert longest_pause(search) < 2
    assert time.monotonic() - started < 10


def test_long_evaluation_of_json_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget.Budget.__init__, "__defaults__", (0.05,))
    document = page(json.dumps([{"a": {"b": [1]}}] * 100_000), "application/json")
    started = time.monotonic()
    with pytest.raises(OutOfTime):
        parse_selector("json:[*].a.b[0] | sort(@) | length(@)").all(document)
    assert time.monotonic() - started < 5


@pytest.mark.usefixtures("one_second")
def test_page_whose_time_is_used_up_is_not_searched_again() -> None:
    nested = page(NESTED)
    for _ in range(2):
        with pytest.raises(OutOfTime):
            parse_selector("css:x div div p").all(nested)
    started = time.monotonic()
    with pytest.raises(OutOfTime):
        parse_selector("css:p").all(nested)
    assert time.monotonic() - started < 0.5


def test_one_page_does_not_cost_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    good = page("<ul><li>a<li>b</ul>")
    rows = parse_selector("css:li").all(good)
    monkeypatch.setattr(budget.Budget.__init__, "__defaults__", (1.0,))
    with pytest.raises(OutOfTime):
        parse_selector("css:x div div p").all(page(NESTED))
    assert [parse_selector("css:li").text_at(row) for row in rows] == ["a", "b"]


def test_elements_stay_the_same_however_many_pages_there_are() -> None:
    pages = [page(f"<ul><li>a{number}<li>b{number}</ul>") for number in range(10)]
    rows = [row for one in pages for row in parse_selector("css:li").all(one)]
    assert [row.plain_text() for row in rows] == [f"{letter}{number}" for number in range(10) for letter in "ab"]


def test_value_that_repeats_a_large_part_is_not_written_out() -> None:
    document = page(json.dumps({"a": "x" * 400_000}), "application/json")
    with pytest.raises(UnexpectedAnswer, match="smaller part"):
        parse_selector("json:[@, @, @] | regex:x").first(document)
    with pytest.raises(UnexpectedAnswer):
        parse_selector("json:to_string([@, @, @])").first(document)
    assert parse_selector("json:to_string(`7`)").text_at(document) == "7"


MULTIPLYING = "".join(f"<b a={number}><table>" for number in range(3_000))
"""Each table repeats all the elements before it: 4.5 million elements."""


def test_page_whose_tree_would_fill_the_memory_is_given_up() -> None:
    with pytest.raises(UnexpectedAnswer, match=r"memory|longer than"):
        parse_selector("css:p").all(page(MULTIPLYING))
    assert parse_selector("css:p").text_at(page("<p>x</p>" * 100_000)) == "x"


def test_text_whose_tree_would_fill_the_memory_is_read_without_a_tree() -> None:
    started = time.monotonic()
    assert plain_text(f"approved {MULTIPLYING}").startswith("approved")
    assert time.monotonic() - started < 2


def test_long_markup_is_a_text_soon() -> None:
    started = time.monotonic()
    assert plain_text("<b>approved</b> " * 100_000).startswith("approved approved")
    plain_text("<p " + " ".join(f"a{number}" for number in range(200_000)) + ">")
    plain_text("<span>" * 9_000 + "</p>" * 200_000)
    plain_text("<label>" * 100_000)
    assert time.monotonic() - started < 10
