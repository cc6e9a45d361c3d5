"""HTML becomes the same text on the path of every portal."""

import json
from collections.abc import Callable
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles import case_status_api, uscis_answers
from tests.doubles.uscis_answers import RECEIPT
from watcher.language.title_pattern import normalize_title
from watcher.portals.ircc.wording import text_in
from watcher.portals.uscis.snapshot import snapshot
from watcher.portals.uscis_api.snapshot import ENDPOINT, read
from watcher.recipe.page.page import Page
from watcher.recipe.page.selectors import parse_selector
from watcher.sign_in.code_mail import visible_texts
from watcher.text.html import plain_text
from watcher.text.printable import clean

SAME_EVERYWHERE = [
    ("A\x1b[31mB", "A[31mB"),
    ("A\u202eB", "AB"),
    ("A &lt;b&gt;x&lt;/b&gt; B", "A <b>x</b> B"),
    ("A<script>x()</script>B", "AB"),
    ("A<b>B</b>C", "ABC"),
    ("fee < 5 and > 3", "fee < 5 and > 3"),
    ("A &amp;amp; B", "A & B"),
    ("A<br>B<p>C</p>D", "A B C D"),
    ("A<!-- x -->B", "AB"),
    ("A\x00&#7;&#x202e;\u200cB", "A\u200cB"),
]


def uscis(markup: str) -> str | None:
    answers = uscis_answers.answers(status_answer=uscis_answers.status(text=markup))
    return snapshot(answers, "en").description


def uscis_api(markup: str) -> str | None:
    answer = case_status_api.case_status(RECEIPT, current_case_status_desc_en=markup)
    return read({ENDPOINT: json.dumps(answer).encode()}, "en").description


def ircc(markup: str) -> str | None:
    return text_in("en", markup)


def recipe(markup: str) -> str | None:
    body = f"<html><body><div>{markup}</div></body></html>".encode()
    page = Page(status=200, url="https://x.example/", headers={"content-type": "text/html"}, body=body)
    return parse_selector("css:div").text_at(page)


def code_mail(markup: str) -> str | None:
    message = EmailMessage()
    message.set_content(markup, subtype="html", cte="base64")
    return "".join(visible_texts(message))


@pytest.mark.parametrize(("markup", "text"), SAME_EVERYWHERE)
@pytest.mark.parametrize("path", [plain_text, uscis, uscis_api, ircc, recipe, code_mail])
def test_every_portal_gives_markup_the_same_text(path: Callable[[str], str | None], markup: str, text: str) -> None:
    assert path(markup) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("", ""),
        ("<", "<"),
        ("x<y and z", "x<y and z"),
        (
            "write to <help@example.gov> or <https://example.gov/>",
            "write to <help@example.gov> or <https://example.gov/>",
        ),
        ("<td>A</td><td>B</td>", "A B"),
        ("A</div>B", "A B"),
        ('<a title="x > y < z">A</a>B', "AB"),
        ("<p title=it's>A", "A"),
        ("<title>T</title>A<noscript>N</noscript><style>S", "A"),
        ("A &lt; B &amp;lt; C", "A < B < C"),
        ("/file?a=1&amp;copy=2", "/file?a=1&copy=2"),
        ("<img alt=z>\ud800A", "A"),
        ("&amp;lt;b&amp;gt;", "<b>"),
        ("Waiting: <see letter> for file_A_12", "Waiting: <see letter> for file_A_12"),
        ("Waiting: &lt;see letter&gt;", "Waiting: <see letter>"),
        ("Dear <name>, at <address> by <time>", "Dear <name>, at <address> by <time>"),
        ("A <a letter> came in <file_A>", "A <a letter> came in <file_A>"),
        ("<address>Street</address><o:p>1</o:p><input disabled>", "Street 1"),
        ("<uscis-link to=x>A</uscis-link>", "A"),
        ("<div>" * 20_000 + "deep", "deep"),
    ],
    ids=lambda value: value[:20].encode("unicode_escape").decode(),
)
def test_only_what_a_person_sees_is_text(markup: str, text: str) -> None:
    assert plain_text(markup) == text


_MARKUP = st.lists(
    st.sampled_from(
        [
            "word",
            " ",
            "\n",
            "&#039;",
            "&amp;lt;",
            "&nbsp;",
            "<br/>",
            "<p>",
            "</p>",
            "<b>",
            "</b>",
            "<script>",
            "x > y",
            "</a>",
            "<a href=\"https://x.example/?a=1&b=2\" target='_blank'>",
            '<a title="a > b">',
            "<!-- c -->",
            "<img alt=z>",
            "<",
        ]
    )
).map("".join)


@given(_MARKUP)
def test_fast_path_gives_the_same_text_as_the_parser(markup: str) -> None:
    assert plain_text(markup) == plain_text(f"<!---->{markup}")


@given(st.text())
def test_result_is_printable(markup: str) -> None:
    text = plain_text(markup)
    assert clean(text) == text


def test_titles_are_compared_without_tags_even_escaped_ones() -> None:
    title = normalize_title("Case Was Approved")
    assert normalize_title("<p>Case Was\x07 <b>Approved</b></p>") == title
    assert normalize_title("&lt;p&gt;Case Was Approved&lt;/p&gt;") == title
