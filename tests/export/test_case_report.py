"""The report of a case as Markdown and HTML: complete, and without markup from a portal's or the user's texts."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from watcher.alerts.style import TextStyle
from watcher.export.case_report import CaseReport, case_report
from watcher.export.report_formats import as_html, as_markdown, markdown
from watcher.language.catalogue import load_catalogue
from watcher.text.printable import clean

few = settings(max_examples=40, deadline=None)
STYLE = TextStyle(catalogue=load_catalogue("en"), zone=ZoneInfo("America/New_York"), privacy="full")
NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></table><a href='https://evil.example'>x</a>",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "https://evil.example www.evil.example me@evil.example",
    "a | b | c\n| --- | --- |",
    "# heading\n- item\n1. item\n> quote\n```\ncode\n```",
    "**bold** _italic_ ~~struck~~ `code` $math$ &lt;b&gt; \\",
    "<!-- --> ]]> &#60;script&#62;",
    "x\u202ey\u0000z\x1b[31m",
)
texts = st.sampled_from(HOSTILE) | st.text(max_size=60)


def a_report(text: str = "Plain") -> CaseReport:
    case: dict[str, Any] = {
        "account": text, "case_number": "IOE0900000001", "label": text, "person": text, "finished": True,
        "form": text, "title": text, "stage": "evidence_requested", "status": text, "description": text,
        "status_since": "2026-07-11", "stage_since": "2026-07-11", "submitted_on": "2026-01-02",
        "last_read_at": "2026-10-01T12:00:00Z", "parts": [{"key": "a", "title": text, "status": text}],
        "pending": [
            {
                "id": "3", "kind": "rfe", "title": text, "due_on": None, "due_by_estimate": "2026-10-03",
                "due_from": "estimate", "estimate_runs_until": "2026-10-05", "starts_at": None, "starts_on": None,
                "place": text, "state": "open",
            }
        ],
        "notices": [{"id": "1", "title": text, "dated": "2026-07-11", "saved_as": f"notices/{text}"}],
    }  # fmt: skip
    changes = [
        {"id": 2, "at": "2026-09-02T12:00:00Z", "kind": "note", "summary": f"Note: {text}", "new": {"text": text}},
        {"id": 1, "at": "2026-09-01T12:00:00Z", "kind": "stage_changed", "summary": text, "new": None},
    ]
    return case_report(case, changes, style=STYLE, now=NOW)


@dataclass
class Page(HTMLParser):
    """The tags, attributes, and texts of a page."""

    tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def parsed(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    return page


def test_report_names_everything_in_order() -> None:
    text = as_markdown(a_report())
    order = (
        "# Plain", "**Number:** IOE0900000001", "**Status:** Plain, since July 11, 2026", "## In the agency's words",
        "## Items", "| 3 | Request for evidence \\(Plain\\) | October 3, 2026 \\(estimate\\); by 8 CFR 1.2 the period",
        "until Monday, October 5, 2026 |", "## Letters", "## Notes", "## Timeline", "Created Thursday,",
    )  # fmt: skip
    places = [text.index(part) for part in order]
    assert places == sorted(places)


@few
@given(texts)
@pytest.mark.parametrize("hostile", [None, *HOSTILE])
def test_html_has_the_same_tags_whatever_the_texts_say(hostile: str | None, text: str) -> None:
    text = text if hostile is None else hostile
    page = parsed(as_html(a_report(text)))
    if not clean(text):
        return
    assert page.tags == parsed(as_html(a_report())).tags
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "a", "img", "link", "iframe", "form", "svg"})
    assert clean(text) in page.texts


@few
@given(texts)
@example("1. item")
@example("12) item")
@example("- item")
def test_markdown_has_the_same_lines_and_escapes_what_has_a_meaning(text: str) -> None:
    plain, hostile = as_markdown(a_report()).splitlines(), as_markdown(a_report(text)).splitlines()
    if clean(text):
        assert len(hostile) == len(plain)
    escaped = markdown(text)
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_{}\[\]<>()#|~&$!@]", escaped)
    assert not re.search(r"\w://|www\.", escaped, re.IGNORECASE)
    assert re.sub(r"\\(.)", r"\1", escaped) == clean(text).replace("@", "(at)")
    for line in hostile:
        assert re.match(r"# |## |- \*\*|> |\| |---$|Recorded|$", line)
        assert not re.match(r"> (?:[-+=]|[0-9]+[.)] )", line)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_markdown_program_finds_no_link_image_or_html(text: str) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    html = markdown_it.MarkdownIt("commonmark").enable("table").render(as_markdown(a_report(text)))
    page, plain = parsed(html), markdown_it.MarkdownIt("commonmark").enable("table").render(as_markdown(a_report()))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in parsed(plain).tags]
