"""`row:LABEL` finds the value beside a label; `split:` the parts of a coded text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.recipe.page.page import Page
from watcher.recipe.page.selectors import parse_selector

TABLE = """<html><table>
<tr><th>Status</th><th>Date</th></tr>
<tr><td>Visa number:</td><td>1234</td></tr>
<tr><td><b>Décision&nbsp;:</b></td> <!-- here --> <td>ACCORD</td></tr>
<tr><th scope="row">Date
  of decision</th><td>Oct 05 2026</td></tr>
<tr><td>Extra</td><td></td></tr>
<tr><td>Last</td></tr>
</table>
<table><tr><td>Visa number</td><td>5678</td></tr></table>
<dl><dt>Office</dt><dd>Brussels</dd></dl>
<div class="r"><span>Percent</span><span>70</span></div>
<div><div>Agent</div></div><p>7</p></html>"""


def page(text: str) -> Page:
    return Page(status=200, url="https://x.example/", headers={"content-type": "text/html"}, body=text.encode())


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("row:Visa number", "1234"),
        ("row:VISA  NUMBER:", "1234"),
        ("row:décision", "ACCORD"),
        ("row:Date of decision", "Oct 05 2026"),
        ("row:Date of decision | regex:([0-9]{4})", "2026"),
        ("row:Office", "Brussels"),
        ("row:Percent", "70"),
        ("row:Agent", "7"),
        ("css:table + table | row:Visa number", "5678"),
        ("row:Extra", None),
        ("row:Last", None),
        ("row:Status", None),
        ("row:Visa", None),
        ("row:number: 1234", None),
    ],
)
def test_value_is_beside_its_label(selector: str, found: str | None) -> None:
    assert parse_selector(selector).text_at(page(TABLE)) == found


def test_all_rows_with_the_label_are_found() -> None:
    cells = parse_selector("row:Visa number").all(page(TABLE))

    assert [cell.plain_text() for cell in cells] == ["1234", "5678"]


def test_row_in_html_that_json_contains() -> None:
    answer = Page(
        status=200,
        url="https://x.example/",
        headers={"content-type": "application/json"},
        body=b'{"html": "<table><tr><td>Status</td><td>Open</td></tr></table>"}',
    )

    assert parse_selector("json:html | row:Status").text_at(answer) == "Open"
    assert parse_selector("row:Status").text_at(answer) is None


@given(st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=20), st.integers(0, 9999))
def test_any_label_finds_its_value(label: str, value: int) -> None:
    text = f"<table><tr><td>Other</td><td>x</td></tr><tr><td> {label}: </td><td>{value}</td></tr></table>"

    expected = "x" if label.casefold() == "other" else str(value)
    assert parse_selector(f"row:{label}").text_at(page(text)) == expected


@pytest.mark.parametrize("text", ["row:", "row: :", "split:", "split:; #0"])
def test_incomplete_selector_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="needs"):
        parse_selector(text)


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("json:s | split:|", "MACRO"),
        ("json:s | split:| #2", "FLAG"),
        ("json:s | split:| #3", "B"),
        ("json:s | split:| #4", None),
        ("json:s | split:|FLAG", "MACRO"),
        ("json:s | split:| | regex:^(.)", "M"),
        ("json:s | split:,", "MACRO|FLAG | B"),
    ],
)
def test_coded_text_is_split(selector: str, found: str | None) -> None:
    answer = Page(status=200, url="https://x.example/", headers={}, body=b'{"s": "MACRO|FLAG | B"}')

    assert parse_selector(selector).text_at(answer) == found
