"""Parsing depends only on the answers, and raises nothing but errors of the check."""

import json
import unicodedata
from typing import Any, Literal

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
ROWS = """
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
"""
BY_ROW = parse_recipe(ROWS, "rows.toml")


def page(body: str, *, status: int = 200, kind: str = "text/html") -> Page:
    return Page(status=status, url="https://x.example/cases", headers={"content-type": kind}, body=body.encode())


def list_page(items: str) -> Page:
    return page(f"<html><body><ul>{items}</ul></body></html>")


def read_row(items: str, recipe: Recipe = BY_ROW) -> Snapshot:
    pages = {LIST: list_page(items)}
    snapshot = read_case(recipe, pages, NUMBER)
    assert read(dump_pages(recipe, pages, NUMBER), "en") == snapshot, "stored answers give the same snapshot"
    return snapshot


def test_letters_history_and_items_name_the_list_that_shows_them() -> None:
    lists = (
        ROWS
        + """
[[case.notices]]
each = "css:em"
title = "css:em"
[[case.notices]]
each = "css:s"
title = "css:s"
[[case.history]]
each = "css:q"
title = "css:q"
"""
    )
    content = f"<li><b>{NUMBER}</b><i>Open</i><p>Pay</p><em>One</em><s>Two</s><q>Three</q></li>"
    case = read_row(content, parse_recipe(lists, "rows.toml"))
    sources = {notice.title: notice.source for notice in case.notices or ()}
    sources |= {entry.title: entry.source for entry in case.history or ()}
    assert len(set(sources.values())) == len(sources) == 3
    listed = {source for item in case.pending or () for source in item.sources}
    assert case.answered_sources == {*sources.values(), *listed}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_words_in_either_unicode_form_are_equal_and_match_the_recipes_stages(form: Literal["NFC", "NFD"]) -> None:
    in_recipe, on_page = "Dossi\xea em an\xe1lise", unicodedata.normalize(form, "Dossi\xea em an\xe1lise")
    other_form = unicodedata.normalize("NFD" if form == "NFC" else "NFC", in_recipe)
    recipe = parse_recipe(ROWS.replace("Please come", other_form), "rows.toml")
    snapshot = read_row(f"<li><b>{NUMBER}</b><i>{on_page}</i></li>", recipe)
    assert (snapshot.status, snapshot.stage) == (in_recipe, Stage.INTERVIEW)


def test_case_can_be_read_from_its_row() -> None:
    row = "<li>Number: <b>IOE0000000002</b><i>Denied</i></li><li><b>IOE0000000001</b><i>Case Was Received</i></li>"

    snapshot = read_row(row)

    assert (snapshot.case_number, snapshot.status, snapshot.stage) == (NUMBER, "Case Was Received", Stage.RECEIVED)
    assert snapshot.pending == ()
    assert snapshot.history is None, "the recipe has no history"


def test_rows_without_a_number_are_headings_unless_all_lack_one() -> None:
    assert read_row("<li>Number</li><li><b>IOE0000000001</b><i>Received</i></li>").stage is Stage.RECEIVED

    with pytest.raises(UnexpectedAnswer, match="in all rows"):
        read_row("<li>Number</li><li>Text</li>")


@pytest.mark.parametrize("number", ["no digits", "IOE1<x", "9" * 65, "\N{SNOWMAN}1"])
def test_invalid_case_number_is_unexpected(number: str) -> None:
    with pytest.raises(UnexpectedAnswer, match="not a case number"):
        read_row(f"<li><b>{number.replace('<', '&lt;')}</b><i>Received</i></li>")


def test_row_with_an_odd_number_leaves_the_others_readable() -> None:
    page = "<li><b>IOE0000000001</b><i>Received</i></li><li><b>=1+1</b><i>x</i></li>"

    assert read_row(page).stage is Stage.RECEIVED


def test_case_missing_in_the_list_is_not_found() -> None:
    with pytest.raises(CaseNotFound):
        read_row("<li><b>IOE0000000002</b><i>Received</i></li>")


def test_missing_status_is_unexpected_and_names_the_selector() -> None:
    with pytest.raises(UnexpectedAnswer, match=r"case\.fields\.status 'css:i' finds nothing"):
        read_row("<li><b>IOE0000000001</b><i> </i></li>")


def test_invalid_date_is_unexpected_and_not_quoted() -> None:
    with pytest.raises(UnexpectedAnswer, match=r"case\.fields\.submitted_on 'css:u' is not a date") as raised:
        read_row("<li><b>IOE0000000001</b><i>Received</i><u>31.12.26</u></li>")

    assert "31.12.26" not in str(raised.value)


def test_unrecognized_status_is_kept_verbatim() -> None:
    snapshot = read_row("<li><b>IOE0000000001</b><i>Gone  to <s>the</s>\narchive\x1b</i></li>")

    assert (snapshot.status, snapshot.stage) == ("Gone to the archive", Stage.UNKNOWN)


def test_stages_of_the_recipe_take_precedence() -> None:
    assert read_row("<li><b>IOE0000000001</b><i> PLEASE\ncome </i></li>").stage is Stage.INTERVIEW


def test_items_without_an_id_are_identified_by_their_titles() -> None:
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


def test_order_of_items_is_not_a_change() -> None:
    items = ["<p due=2026-12-01>Pay</p>", "<p due=2026-12-02>Pay</p>", "<p>Go</p>"]
    start = "<li><b>IOE0000000001</b><i>Received</i>"

    assert read_row(start + "".join(items)) == read_row(start + "".join(reversed(items)))


def test_status_that_asks_is_an_item_until_the_next_status() -> None:
    without_items = parse_recipe(BY_ROW.text.partition("[[case.pending]]")[0], "rows.toml")

    def pending(status: str) -> Any:
        return read_row(f"<li><b>IOE0000000001</b><i>{status}</i></li>", without_items).pending

    (item,) = pending("Send us more")
    assert (item.kind, item.title) == (ItemKind.RFE, "Send us more")
    assert pending("Received") == ()


def test_truncated_page_is_unexpected() -> None:
    complete = list_page("<li><b>IOE0000000001</b><i>Received</i></li>")
    truncated = page(complete.body.decode().partition("</ul>")[0])

    with pytest.raises(UnexpectedAnswer, match="incomplete"):
        read_case(BY_ROW, {LIST: truncated}, NUMBER)


@pytest.mark.parametrize("status", [404, 410])
def test_removed_case_is_not_found(status: int) -> None:
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
def test_damaged_raw_answers_are_unexpected(answers: dict[str, bytes]) -> None:
    with pytest.raises(UnexpectedAnswer):
        read(answers, "en")


def test_cookies_are_not_stored() -> None:
    headers = {"set-cookie": "session=made-up-7", "content-type": "text/html", "x-other": "made-up-7"}
    answers = dump_pages(PAGES, {CASE: Page(status=200, url="https://x.example/", headers=headers, body=b"")}, NUMBER)

    assert b"made-up-7" not in b"".join(answers.values())


def test_other_values_are_stored() -> None:
    body = '<html><input name="number" value="IOE0000000001"><meta charset="utf-8">{"title": "a"}</html>'

    assert json.loads(dump_pages(PAGES, {CASE: page(body)}, NUMBER)[CASE])["body"] == body


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


def check_parses_or_raises_read_error(recipe: Recipe, case: Page) -> None:
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
def test_any_page_is_parsed_or_raises_a_read_error(inner: str, raw: bytes) -> None:
    check_parses_or_raises_read_error(PAGES, page(f'<html><body><div id="case-detail">{inner}</div></body></html>'))
    check_parses_or_raises_read_error(PAGES, Page(status=200, url="https://x.example/", headers={}, body=raw))


@given(content=json_values, headers=st.dictionaries(st.just("content-type"), texts))
@settings(max_examples=150, deadline=None)
def test_any_json_is_parsed_or_raises_a_read_error(content: Any, headers: dict[str, str]) -> None:
    body = json.dumps(content).encode()
    check_parses_or_raises_read_error(API, Page(status=200, url="https://x.example/", headers=headers, body=body))
    check_parses_or_raises_read_error(PAGES, Page(status=200, url="https://x.example/", headers=headers, body=body))


@given(content=json_values)
@settings(max_examples=50)
def test_raw_answers_of_any_other_shape_are_refused(content: Any) -> None:
    with pytest.raises(ReadFailed):
        read({"recipe": json.dumps(content).encode(), "case": json.dumps(content).encode()}, "en")


@pytest.mark.parametrize("status", ["please come", "Please  come", "Pleasecome", "PLEASE\u3000COME"])
def test_spaces_of_a_status_do_not_matter_to_its_stage(status: str) -> None:
    assert read_row(f"<li><b>{NUMBER}</b><i>{status}</i></li>").stage is Stage.INTERVIEW
