"""Reading is a function of the answers, and never fails in any way but ours."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recipe.account import RECIPES
from watcher.errors import CaseNotFound, ReadFailed, UnexpectedAnswer
from watcher.model.case import ItemKind, ItemState, Snapshot, Stage
from watcher.recipe.model import Recipe
from watcher.recipe.page.page import Page
from watcher.recipe.parse.check import load_recipe, parse_recipe
from watcher.recipe.run.kept_answers import CASE, LIST, dump_pages
from watcher.recipe.run.snapshot import read, read_case
from watcher.text.printable import clean

NUMBER = "IOE0000000001"
PAGES, API = load_recipe(RECIPES / "practice.toml"), load_recipe(RECIPES / "practice-json.toml")
BY_ROW = parse_recipe(
    """
name = "Rows"
base_url = "https://x.example"
[links]
sign_in = "https://x.example/"
help = "https://x.example/"
[cases]
get = "/cases"
each = "css:li"
case_number = "css:b"
[case.fields]
status = "css:i"
submitted_on = "css:u"
[case.stages]
"Please come" = "interview"
"Send us more" = "evidence_requested"
[[case.pending]]
each = "css:p"
title = "css:p"
due_on = "css:@due"
answered = "css:@done"
""",
    "rows.toml",
)


def page(body: str, *, status: int = 200, kind: str = "text/html") -> Page:
    return Page(status=status, url="https://x.example/cases", headers={"content-type": kind}, body=body.encode())


def listed(items: str) -> Page:
    return page(f"<html><body><ul>{items}</ul></body></html>")


def read_row(items: str, recipe: Recipe = BY_ROW) -> Snapshot:
    pages = {LIST: listed(items)}
    snapshot = read_case(recipe, pages, NUMBER)
    assert read(dump_pages(recipe, pages, NUMBER), "en") == snapshot, "kept answers read the same"
    return snapshot


def test_a_list_that_says_all_needs_no_page_of_the_case() -> None:
    row = "<li>Number: <b>IOE0000000002</b><i>Denied</i></li><li><b>IOE0000000001</b><i>Case Was Received</i></li>"

    snapshot = read_row(row)

    assert (snapshot.case_number, snapshot.status, snapshot.stage) == (NUMBER, "Case Was Received", Stage.RECEIVED)
    assert snapshot.pending == ()
    assert snapshot.history is None, "the recipe says nothing of a history"


def test_rows_without_a_number_are_headings_but_not_all_of_them() -> None:
    assert read_row("<li>Number</li><li><b>IOE0000000001</b><i>Received</i></li>").stage is Stage.RECEIVED

    with pytest.raises(UnexpectedAnswer, match="in any row"):
        read_row("<li>Number</li><li>Text</li>")


@pytest.mark.parametrize("number", ["no digits", "IOE1<x", "9" * 65, "\N{SNOWMAN}1"])
def test_what_is_no_case_number_is_unexpected(number: str) -> None:
    with pytest.raises(UnexpectedAnswer, match="no case number"):
        read_row(f"<li><b>{number.replace('<', '&lt;')}</b><i>Received</i></li>")


def test_a_case_that_is_not_in_the_list_is_not_found() -> None:
    with pytest.raises(CaseNotFound):
        read_row("<li><b>IOE0000000002</b><i>Received</i></li>")


def test_a_case_without_a_status_is_unexpected_and_the_selector_is_named() -> None:
    with pytest.raises(UnexpectedAnswer, match=r"case\.fields\.status 'css:i' finds nothing"):
        read_row("<li><b>IOE0000000001</b><i> </i></li>")


def test_a_date_that_is_none_is_unexpected_and_not_quoted() -> None:
    with pytest.raises(UnexpectedAnswer, match=r"case\.fields\.submitted_on 'css:u' finds no date") as raised:
        read_row("<li><b>IOE0000000001</b><i>Received</i><u>31.12.26</u></li>")

    assert "31.12.26" not in str(raised.value)


def test_words_that_no_rule_knows_stay_word_for_word_and_unknown() -> None:
    snapshot = read_row("<li><b>IOE0000000001</b><i>Gone  to <s>the</s>\narchive\x1b</i></li>")

    assert (snapshot.status, snapshot.stage) == ("Gone to the archive", Stage.UNKNOWN)


def test_the_recipes_own_words_come_before_the_rules() -> None:
    assert read_row("<li><b>IOE0000000001</b><i> PLEASE\ncome </i></li>").stage is Stage.INTERVIEW


def test_items_without_an_id_are_told_apart_by_their_words() -> None:
    row = (
        "<li><b>IOE0000000001</b><i>Received</i><p due=2026-12-01>Pay the fee</p><p>Interview</p>"
        "<p due=2026-12-02>Pay  the fee</p><p>Interview</p><p done=1>Pay</p><p done=false>Old</p></li>"
    )

    items = {item.key: item for item in read_row(row).pending or ()}

    assert sorted(items) == [
        "interview:interview",
        "task:old",
        "task:pay",
        "task:pay the fee",
        "task:pay the fee#2",
    ]
    assert items["interview:interview"].kind is ItemKind.INTERVIEW
    assert items["task:pay"].state is ItemState.ANSWERED
    assert items["task:old"].state is ItemState.OPEN


def test_the_order_of_items_is_no_news() -> None:
    items = ["<p due=2026-12-01>Pay</p>", "<p due=2026-12-02>Pay</p>", "<p>Go</p>"]
    begin = "<li><b>IOE0000000001</b><i>Received</i>"

    assert read_row(begin + "".join(items)) == read_row(begin + "".join(reversed(items)))


def test_a_status_of_the_recipes_own_that_asks_is_an_item_until_it_has_moved_on() -> None:
    without_items = parse_recipe(BY_ROW.text.partition("[[case.pending]]")[0], "rows.toml")

    def pending(status: str) -> Any:
        return read_row(f"<li><b>IOE0000000001</b><i>{status}</i></li>", without_items).pending

    (item,) = pending("Send us more")
    assert (item.kind, item.title) == (ItemKind.RFE, "Send us more")
    assert pending("Received") == ()


def test_half_a_page_is_unexpected() -> None:
    whole = listed("<li><b>IOE0000000001</b><i>Received</i></li>")
    half = page(whole.body.decode().partition("</ul>")[0])

    with pytest.raises(UnexpectedAnswer, match="cut off"):
        read_case(BY_ROW, {LIST: half}, NUMBER)


@pytest.mark.parametrize("status", [404, 410])
def test_a_case_that_is_gone_is_not_found(status: int) -> None:
    with pytest.raises(CaseNotFound):
        read_case(PAGES, {CASE: page("<html></html>", status=status)}, NUMBER)


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"recipe": b"{}"},
        {"recipe": b"null"},
        {"recipe": b'{"recipe": "name = 1", "case_number": "1"}'},
        {**dump_pages(PAGES, {}, NUMBER), "case": b"{"},
        {**dump_pages(PAGES, {}, NUMBER), "case": b'{"status": "x"}'},
        dump_pages(PAGES, {}, NUMBER),
    ],
)
def test_answers_that_were_not_kept_whole_are_unexpected(answers: dict[str, bytes]) -> None:
    with pytest.raises(UnexpectedAnswer):
        read(answers, "en")


def test_no_cookie_is_kept() -> None:
    headers = {"set-cookie": "session=made-up-7", "content-type": "text/html", "x-other": "made-up-7"}
    answers = dump_pages(PAGES, {CASE: Page(status=200, url="https://x.example/", headers=headers, body=b"")}, NUMBER)

    assert b"made-up-7" not in b"".join(answers.values())


@pytest.mark.parametrize(
    "body",
    [
        '<html><input type="hidden" name="csrf_token" value="made-up-7"></html>',
        "<html><input value='made-up-7' name=authenticity_token></html>",
        '<html><meta name="csrf-token" content="made-up-7"></html>',
        '{"accessToken" : "made-up-7 \\" made-up-7", "x": 1}',
        "<html>made-up-7</html>",
    ],
)
def test_no_token_is_kept(body: str) -> None:
    answers = dump_pages(PAGES, {CASE: page(body)}, NUMBER, secrets=["made-up-7", "", "made"])

    assert b"made-up-7" not in answers[CASE]
    assert b"blanked" in answers[CASE]


def test_what_is_no_token_is_kept() -> None:
    body = '<html><input name="number" value="IOE0000000001"><meta charset="utf-8">{"title": "a"}</html>'

    assert json.loads(dump_pages(PAGES, {CASE: page(body)}, NUMBER, secrets=["IOE", ""])[CASE])["body"] == body


tags = st.sampled_from(["div", "p", "h1", "span", "a", "li", "table", "td", "script", "b", "time"])
classes = st.sampled_from(
    ["status", "form-type", "filed", "updated", "status-date", "action-item", "kind", "title", "due", "when", "event"]
)
texts = st.one_of(
    st.text(max_size=20), st.sampled_from(["2026-05-29", "May 29, 2026", "Case Was Received", "RFE", "{"])
)


@st.composite
def fragments(draw: st.DrawFn) -> str:
    pieces = draw(
        st.lists(
            st.one_of(
                st.builds('<{0} class="{1}" data-id="{2}" datetime="{2}">'.format, tags, classes, texts),
                st.builds("</{0}>".format, tags),
                texts,
            ),
            max_size=25,
        )
    )
    return "".join(pieces)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["status", "title", "text", "id", "kind", "pending", "notices", "history", "form", "at"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


def reads_or_fails_in_our_way(recipe: Recipe, case: Page) -> None:
    try:
        snapshot = read_case(recipe, {CASE: case}, NUMBER)
    except ReadFailed:
        return
    assert read_case(recipe, {CASE: case}, NUMBER) == snapshot
    assert read(dump_pages(recipe, {CASE: case}, NUMBER), "en") == snapshot
    assert snapshot.status
    assert clean(snapshot.status) == snapshot.status
    str(snapshot).encode()


@given(inner=fragments(), raw=st.binary(max_size=30))
@settings(max_examples=150, deadline=None)
def test_arbitrary_pages_read_or_fail_in_our_way(inner: str, raw: bytes) -> None:
    reads_or_fails_in_our_way(PAGES, page(f'<html><body><div id="case-detail">{inner}</div></body></html>'))
    reads_or_fails_in_our_way(PAGES, Page(status=200, url="https://x.example/", headers={}, body=raw))


@given(content=json_values, headers=st.dictionaries(st.just("content-type"), texts))
@settings(max_examples=150, deadline=None)
def test_arbitrary_json_reads_or_fails_in_our_way(content: Any, headers: dict[str, str]) -> None:
    body = json.dumps(content).encode()
    reads_or_fails_in_our_way(API, Page(status=200, url="https://x.example/", headers=headers, body=body))
    reads_or_fails_in_our_way(PAGES, Page(status=200, url="https://x.example/", headers=headers, body=body))


@given(content=json_values)
@settings(max_examples=50)
def test_kept_answers_of_any_shape_are_refused(content: Any) -> None:
    with pytest.raises(ReadFailed):
        read({"recipe": json.dumps(content).encode(), "case": json.dumps(content).encode()}, "en")
