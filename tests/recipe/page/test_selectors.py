"""What each kind of selector finds, and the messages for invalid ones."""

import json

import pytest

from watcher.errors import UnexpectedAnswer
from watcher.recipe.page.page import Page
from watcher.recipe.page.patterns import MAX_TEXT_LENGTH
from watcher.recipe.page.selectors import parse_selector
from watcher.text.printable import clean

HTML = """<!DOCTYPE html><html><head><title>Cases</title><style>p { }</style></head><body>
<form id="login" action="../sign-in?x=1"><input name="csrf" value="t0ken"><input name="otp" disabled></form>
<script id="state">{"cases": [{"n": "A1"}, {"n": "A2"}], "text": "we're down"}</script>
<table><tr data-id="7"><td class="n">IOE<b>0001</b></td><td class="when">on Monday<br>at 10:30 AM</td></tr>
<tr data-id="8"><td class="n">IOE0002</td></tr></table>
<p class="error"></p><p class="status">Case  Was
<i>Approved</i>\u202e!</p><a class="next" href="/cases?page=2">more</a></body></html>"""
CASES = {
    "cases": [{"n": "A1", "ok": False}, {"n": None}],
    "none": None,
    "zero": 0,
    "empty": [],
    "html": "<p>Hi <b>x</b></p>",
}


def html(text: str = HTML, **headers: str) -> Page:
    kinds = {"content-type": "text/html", **headers}
    return Page(status=200, url="https://x.example/a/b?page=1", headers=kinds, body=text.encode())


def as_json(content: object = CASES) -> Page:
    return Page(
        status=200,
        url="https://x.example/",
        headers={"content-type": "application/json"},
        body=json.dumps(content).encode(),
    )


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ("css:p.status", "Case Was Approved!"),
        ("css:td.n", "IOE0001"),
        ("css:td.when", "on Monday at 10:30 AM"),
        ("css:td.when | regex:at (.+)$", "10:30 AM"),
        ("css:td.when | regex:at .+ [AP]M", "at 10:30 AM"),
        ("css:input[name=csrf]@value", "t0ken"),
        ("css:form@action", "https://x.example/sign-in?x=1"),
        ("css:a.next@href", "https://x.example/cases?page=2"),
        ("css:table | css:tr:nth-child(2) td", "IOE0002"),
        ("css:#state | json:cases[1].n", "A2"),
        ("css:.nothing", None),
        ("css:p.error", None),
        ("css:input@missing", None),
        ("css:title", "Cases"),
        ('regex:name="(\\w+)"', "csrf"),
        ("url:", "https://x.example/a/b?page=1"),
        ("url:page= | regex:page=([0-9]+)", "1"),
        ("header:X-Token", "abc"),
        ("header:x-missing", None),
    ],
)
def test_selectors_find_text_on_a_page(selector: str, text: str | None) -> None:
    assert parse_selector(selector).text_at(html(**{"x-token": "abc"})) == text


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ("json:cases[0].n", "A1"),
        ("json:cases[*].n", "A1"),
        ("json:cases[?n=='A1'].ok", "false"),
        ("json:cases[].n | [0]", "A1"),
        ("json:zero", "0"),
        ("json:none", None),
        ("json:missing.too", None),
        ("json:html | css:p", "Hi x"),
        ("json:html | css:b", "x"),
        ("css:p", None),
    ],
)
def test_selectors_find_values_in_json(selector: str, text: str | None) -> None:
    assert parse_selector(selector).text_at(as_json()) == text


def test_attribute_of_the_current_element() -> None:
    rows = parse_selector("css:tr").all(html())

    assert [parse_selector("css:@data-id").text_at(row) for row in rows] == ["7", "8"]
    assert parse_selector("css:@data-id").text_at(html()) is None, "a whole answer is not an element"


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("text:case was APPROVED", True),
        ("text:we're down", False),
        ("text:Cases", True),
        ("css:p.error", True),
        ("css:input[name=otp]", True),
        ("css:input[name=otp]@disabled", True),
        ("css:#captcha", False),
        ("css:p.status | text:approved", True),
        ("css:p.error | text:approved", False),
        ("status:200", True),
        ("status:2xx", True),
        ("status:4xx", False),
        ("url:/a/b", True),
        ("url:/login", False),
        ("json:cases", False),
    ],
)
def test_condition_on_a_page(selector: str, expected: bool) -> None:  # noqa: FBT001 - a table of facts
    assert parse_selector(selector).is_true(html()) is expected


@pytest.mark.parametrize(
    ("selector", "present", "expected"),
    [
        ("json:cases", True, True),
        ("json:empty", True, False),
        ("json:zero", True, False),
        ("json:cases[0].ok", True, False),
        ("json:none", False, False),
        ("json:length(none)", False, False),
        ("text:A1", True, True),
        ("css:p", False, False),
    ],
)
def test_empty_false_and_0_in_json_are_present_but_not_true(selector: str, present: bool, expected: bool) -> None:  # noqa: FBT001
    assert parse_selector(selector).is_present(as_json()) is present
    assert parse_selector(selector).is_true(as_json()) is expected


@pytest.mark.parametrize("selector", ["json:cases", "json:cases[0]", "json:length(zero)"])
def test_list_or_object_in_place_of_text_is_unexpected(selector: str) -> None:
    with pytest.raises(UnexpectedAnswer):
        parse_selector(selector).text_at(as_json())


def test_html_in_place_of_json_is_unexpected() -> None:
    with pytest.raises(UnexpectedAnswer, match="not JSON"):
        parse_selector("json:cases").text_at(html())


def test_overlong_text_is_unexpected() -> None:
    with pytest.raises(UnexpectedAnswer, match="smaller part"):
        parse_selector("json:@").text_at(as_json("a" * 30_000))
    with pytest.raises(UnexpectedAnswer, match="select a part"):
        parse_selector("regex:b").text_at(html("a" * (MAX_TEXT_LENGTH + 1)))


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("<p>señal</p>".encode("latin-1"), "text/html; charset=ISO-8859-1", "señal"),
        ('<meta charset="windows-1252"><p>señal</p>'.encode("cp1252"), "text/html", "señal"),
        ("\ufeff<p>señal</p>".encode(), "", "señal"),
        (b"<p>a\xff</p>", "text/html", "aÿ"),
        (b"<p>a</p>", "text/html; charset=hex", "a"),
    ],
)
def test_page_is_decoded_with_its_charset(body: bytes, content_type: str, text: str) -> None:
    page = Page(status=200, url="https://x.example/", headers={"content-type": content_type}, body=body)

    assert parse_selector("css:p").text_at(page) == text


def test_deeply_nested_page_is_parsed_up_to_a_limit() -> None:
    assert parse_selector("css:body").text_at(html("<div>" * 5000 + "deep")) == "deep"
    assert parse_selector("css:body").text_at(html("<br>" * 50_000 + "flat")) == "flat"
    with pytest.raises(UnexpectedAnswer, match="too deeply"):
        parse_selector("css:body").text_at(html("<div>" * 50_000))


def test_element_text_ends_with_the_element() -> None:
    page = html("<div><p>one</p>two<script>x</script></div><p>three</p>")

    assert parse_selector("css:div").text_at(page) == "one two"


@pytest.mark.parametrize("char", ["\x00", "\x1b", "\u202e", "\ud800", "\u200b"])
def test_invisible_characters_are_removed(char: str) -> None:
    assert clean(f" a{char}b \n\t c ") == "ab c"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "a selector starts with css:"),
        (".status", "a selector starts with css:"),
        ("xpath://p", "a selector starts with css:"),
        ("css:", "needs a selector"),
        ("css:p[", "not a supported CSS selector"),
        ("css:p[@x", "not a supported CSS selector"),
        ("json:a[", "not a JMESPath"),
        ("json:", "not a JMESPath"),
        ("json:[@,@,@][] | [@,@,@][] | [@,@,@][] | [@,@,@][]", "more than 10 values"),
        ("json:" + "[" * 900, "JMESPath"),
        ("regex:(", "not a regular expression"),
        ("regex:", "empty"),
        ("text: ", "needs words"),
        ("status:ok", "401"),
        ("status:99", "401"),
        ("header:a b", "name of a header"),
        ("css:p | status:200", "can only come first"),
        ("css:" + "p" * 2000, "at most"),
    ],
)
def test_invalid_selector_is_reported_with_a_correction(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        parse_selector(text)
