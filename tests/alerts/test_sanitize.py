"""A portal's text is never more than text in an alert."""

import re
import unicodedata
from dataclasses import asdict, replace
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.alerts.alert_contexts import LINKS, LIST_PAGES, alert_context, change, item
from watcher.alerts.digest import render_batch, render_digest
from watcher.alerts.rendering import render, summarize
from watcher.alerts.sanitize import sanitize
from watcher.alerts.style import Privacy
from watcher.language.catalogue import load_catalogue
from watcher.messages import LANGUAGES
from watcher.model.alert import AlertText
from watcher.model.case import Stage
from watcher.model.change import Change, ChangeKind, Json, Severity
from watcher.text.gsm import gsm_length, is_gsm
from watcher.text.item_marks import with_item_numbers

EN = load_catalogue("en")
ZONE = ZoneInfo("America/New_York")
# fmt: off
FRAGMENTS = [
    "https://evil.example/x", "HTTP://", "www.evil.example", "evil.example/login", "javascript:alert(1)",
    "mailto:a@b.co", "tel:+15550100", "<script>", "</b>", "<a href=x>", "&lt;img src=x&gt;", "&#x6a;avascript:",
    "[text](http://x.co)", "@everyone", "#general", "*bold*", "_it_", "`code`", "{title}", "{about}", "[{x}]",
    "\u202e", "\u200b", "\x00", "\x1b[31m", "\r\n", "\u2028", "\ud800", "\U000e0041",
    "a\u0301\u0301\u0301\u0301\u0301", "http\u200b://evil.example", "1.2.3.4:80/x", "evil\u3002example",
    "IOE0000000001", "Request", "/start",
]
# fmt: on
HOSTILE = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=20)), max_size=8).map("".join)
FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
LINKED = re.compile(
    r"[a-z][a-z0-9+.-]*://|\bwww\.|\b(?:javascript|mailto|data|tel|vbscript):\S|[\w-]\.(?:com|example|gov|co|org)\b",
    re.IGNORECASE,
)


EMPHASIS = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""An underscore that is not between letters and digits, which some programs read as markup."""


def invisible_characters(text: str) -> set[str]:
    return {char for char in text if unicodedata.category(char) in FORBIDDEN}


OWN_LINKS = (LINKS.sign_in, LINKS.help, LINKS.reset, *LIST_PAGES)


def without_own_links(text: str) -> str:
    """Remove the addresses that the program inserted."""
    for address in OWN_LINKS:
        text = text.replace(address or "", "")
    return text


class Tags(HTMLParser):
    """Collects tags and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(attrs)


@given(HOSTILE, st.integers(20, 400))
@example("http\u200b://evil.example/a", 100)
@example("&amp;lt;a href='https://evil.example'&gt;", 100)
def test_sanitized_text_is_one_visible_line_without_links_or_markup(text: str, max_length: int) -> None:
    output = sanitize(text, EN, max_length=max_length)
    assert not invisible_characters(output)
    assert not LINKED.search(output)
    assert not set(output) & set("<>[]{}`*~|\\@#")
    assert not EMPHASIS.search(output)
    assert output == " ".join(output.split())
    assert len(output) <= max_length + len("… (1000000 characters left out)")


@given(st.text(alphabet=st.characters(categories=["Lu", "Ll", "Nd"]), max_size=60))
def test_ordinary_text_is_unchanged(text: str) -> None:
    assert sanitize(text, EN, max_length=100) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Response To USCIS' Request", "Response To USCIS' Request"),
        ("Case Was Sent To The U.S. Consulate", "Case Was Sent To The U.S. Consulate"),
        ("go to www.uscis.gov/addresschange to give us", "go to (link left out) to give us"),
        ('see <a href="https://x.example/y">this page</a> now', "see this page now"),
        ("call 1-800-375-5283 by 5:30 PM", "call 1-800-375-5283 by 5:30 PM"),
        ("Solicitud de evidencia: número 3", "Solicitud de evidencia: número 3"),
        ("portal.example.gov", "portal. example. gov"),
        ("Petition/Application", "Petition/Application"),
        ("Waiting: <see letter> for file_A_12", "Waiting: \u2039see letter\u203a for file_A_12"),
        ("_now_ or __never__", "\uff3fnow\uff3f or \uff3f\uff3fnever\uff3f\uff3f"),
        ("a\u202eb\u200bc\x07d", "abcd"),
    ],
)  # fmt: skip
def test_only_links_markup_and_invisible_characters_are_removed(text: str, expected: str) -> None:
    assert sanitize(text, EN, max_length=200) == expected


def test_shortened_text_gives_the_number_of_omitted_characters() -> None:
    output = sanitize("word " * 100, EN, max_length=50)
    assert output == "word word word word word word word word word word… (450 characters left out)"


def test_enormous_text_is_shortened_and_counted() -> None:
    output = sanitize("x" * 1_000_000, EN, max_length=50)
    assert output == "x" * 50 + "… (999950 characters left out)"


def test_scheme_loses_its_colon_before_the_next_words() -> None:
    assert sanitize("&#x6a;avascript:", EN, max_length=50) == "javascript"
    assert sanitize("Your file: open", EN, max_length=50) == "Your file: open"


def hostile_change(text: str, kind: ChangeKind) -> Change:
    fields = item("rfe", text, place=text, description=text, starts_at=text, due_on=text)
    more: dict[str, Json] = {
        "status": text,
        "stage": "unknown",
        "reason": text,
        "hint": text,
        "since": text,
        "form": text,
    }
    return replace(change(kind), subject=text, old=fields, new=fields | more)


@given(
    HOSTILE,
    st.sampled_from(list(ChangeKind)),
    st.sampled_from(LANGUAGES),
    st.sampled_from(["full", "masked", "minimal"]),
)
@example("\ud800", ChangeKind.RFE_RECEIVED, "en", "full")
def test_hostile_portal_text_is_harmless_in_an_alert(
    text: str, kind: ChangeKind, language: str, privacy: Privacy
) -> None:
    hostile = hostile_change(text, kind)
    context = alert_context(hostile, change(ChangeKind.STAGE_CHANGED))
    assert context.snapshot is not None
    context = replace(
        context,
        account=text,
        portal_title=text,
        snapshot=replace(
            context.snapshot, case_number=text, form=text, status=text, description=text, stage=Stage.UNKNOWN
        ),
    )
    alert = render(context, privacy=privacy, language=language, zone=ZONE)
    stored = {name: with_item_numbers(part, {text: 3}) for name, part in asdict(alert).items()}
    alert = AlertText(**stored)
    check_harmless(alert)
    check_harmless(render_digest([alert, alert], language=language))
    check_harmless(render_batch([alert, alert], language=language))
    line = summarize(hostile, language)
    assert not invisible_characters(line)
    assert not LINKED.search(line)


def check_harmless(alert: AlertText) -> None:
    for text in (alert.title, alert.short, alert.body):
        assert not invisible_characters(text) - {"\n"}
        assert not LINKED.search(without_own_links(text))
        assert not set(text) & set("<>[]{}*~|\\@#")
        assert not EMPHASIS.search(text)
    assert "\n" not in alert.title + alert.short
    assert is_gsm(alert.short)
    assert gsm_length(alert.short) <= 160
    assert len(alert.title) <= 65
    assert len(alert.body) < 20_000
    tags = Tags()
    tags.feed(alert.html)
    assert tags.tags <= {"p", "ul", "li", "strong", "a", "h3"}
    assert tags.attributes <= {("href", address) for address in OWN_LINKS}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = ["stage", "status", "kind", "title", "due_on", "due_by_estimate", "starts_at", "days", "source", "since", "at"]
SHAPES = JSON | st.dictionaries(st.sampled_from(KEYS), JSON)


@given(st.sampled_from(list(ChangeKind)), SHAPES, SHAPES, st.sampled_from(LANGUAGES))
@example(ChangeKind.RFE_RECEIVED, {}, {"": True}, "en")
def test_change_with_any_values_is_rendered_without_error(
    kind: ChangeKind, old: object, new: object, language: str
) -> None:
    malformed = Change(kind=kind, severity=Severity.ROUTINE, case_number="IOE0000000001", old=old, new=new)  # type: ignore[arg-type]  # the database may contain anything
    assert summarize(malformed, language)
    context = replace(alert_context(change(ChangeKind.STAGE_CHANGED)), changes=(malformed,))
    alert = render(context, privacy="full", language=language, zone=ZONE)
    assert alert.title
    assert alert.body
