"""XML as portals send it: bare `&`, CDATA, entities; and what it must not be able to do."""

import html
import time
from contextlib import suppress
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.errors import UnexpectedAnswer
from watcher.recipe.page.page import Page
from watcher.recipe.page.selectors import parse_selector
from watcher.recipe.page.xml_tree import XmlNode, find, parse_xml

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
<title>Office &amp; Police</title>
<link>https://x.example/?lang=it&pratica=26XX000001&mime=4</link>
<item id='7'><title>Number : 26XX000001</title>
<description><![CDATA[The permit &egrave; <b>ready</b><br/>at <a href="/o">the office</a>]]></description>
<dc:date>2026-06-11</dc:date><empty/></item>
<item><title>Second</title></item>
</channel></rss>"""


def page(text: str, kind: str = "application/rss+xml") -> Page:
    return Page(status=200, url="https://x.example/", headers={"content-type": kind}, body=text.encode())


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("xml:channel/title", "Office & Police"),
        ("xml:item/title", "Number : 26XX000001"),
        ("xml:item@id", "7"),
        ("xml:link | regex:pratica=(\\w+)", "26XX000001"),
        ("xml:item/description", "The permit è ready at the office"),
        ("xml:item/description | css:b", "ready"),
        ("xml:item/description | css:a@href", "https://x.example/o"),
        ("xml:date", "2026-06-11"),
        ("xml:dc:date", "2026-06-11"),
        ("xml:rss/*/item/title", "Number : 26XX000001"),
        ("xml:item | xml:description | regex:permit (.)", "è"),
        ("xml:empty", None),
        ("xml:nothing", None),
        ("xml:rss/item", None),
    ],
)
def test_selector_finds(selector: str, found: str | None) -> None:
    assert parse_selector(selector).text_at(page(RSS)) == found


def test_items_are_locations() -> None:
    items = parse_selector("xml:item").all(page(RSS))

    titles = [parse_selector("xml:title").text_at(item) for item in items]
    assert titles == ["Number : 26XX000001", "Second"]
    assert parse_selector("xml:@id").text_at(items[0]) == "7"


@pytest.mark.parametrize("text", ["xml:", "xml:a//b", "xml:/a", "xml:a/", "xml:a b", "xml:a@", "xml:a@b c", "xml:a[1]"])
def test_other_paths_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="xml: needs names"):
        parse_selector(text)


@pytest.mark.parametrize("cut", range(len(RSS) // 2, len(RSS) - len("</rss>"), 17))
def test_incomplete_document_is_unreadable(cut: int) -> None:
    with pytest.raises(UnexpectedAnswer):
        parse_selector("xml:rss").text_at(page(RSS[:cut]))


@pytest.mark.parametrize("text", ["", "plain", "{}", "<a></b>", "<a>", "</a>", "<a><b></a></b>", "<!-- <a></a>"])
def test_what_is_not_xml_is_unreadable(text: str) -> None:
    with pytest.raises(UnexpectedAnswer):
        parse_xml(text)


ENTITIES = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
DOCTYPE = f'<!DOCTYPE x [<!ENTITY a0 "ha"><!ENTITY file SYSTEM "file:///etc/passwd">{ENTITIES}]>'


def test_document_defines_no_entities() -> None:
    root = parse_xml(f"{DOCTYPE}<x>&a9;&file;&lt;</x>")

    assert root.text() == "&a9;&file;<"


@pytest.mark.parametrize("text", ["<a>" * 300 + "</a>" * 300, "<r>" + "<a/>" * 100_001 + "</r>"])
def test_depth_and_number_of_elements_are_limited(text: str) -> None:
    with pytest.raises(UnexpectedAnswer, match="too many elements"):
        parse_xml(text)


@pytest.mark.parametrize(
    "text", ["<a " * 200_000, "<a b='" * 100_000, "<!DOCTYPE [" * 30_000, "&" * 1_000_000, "<a" + " b='c'" * 100_000]
)
def test_hostile_text_takes_no_long_time(text: str) -> None:
    started = time.monotonic()
    with pytest.raises(UnexpectedAnswer):
        parse_xml(text)
    assert time.monotonic() - started < 5


def test_encoding_of_the_declaration_counts() -> None:
    body = '<?xml version="1.0" encoding="ISO-8859-1"?><a>Décision</a>'.encode("latin-1")
    answer = Page(status=200, url="https://x.example/", headers={"content-type": "text/xml"}, body=body)

    assert parse_selector("xml:a").text_at(answer) == "Décision"


names = st.sampled_from(["a", "b", "ns:c", "Élan"])
texts = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=20)
trees = st.recursive(texts, lambda parts: st.tuples(names, st.lists(parts, max_size=4)), max_leaves=12)


Part: TypeAlias = "str | tuple[str, list[Part]]"


def written(part: Part) -> str:
    if isinstance(part, str):
        return html.escape(part) if "]]>" in part or len(part) % 2 else f"<![CDATA[{part}]]>"
    name, parts = part
    return f"<{name}>{''.join(map(written, parts))}</{name}>"


def said(part: Part) -> str:
    return part if isinstance(part, str) else "".join(map(said, part[1]))


@given(st.tuples(names, st.lists(trees, max_size=4)))
def test_written_tree_is_read_as_it_is(tree: tuple[str, list[Part]]) -> None:
    root = parse_xml(written(tree))

    assert root.text() == said(tree)
    assert find(root, tree[0])[0].name == tree[0]


@given(st.text(max_size=200) | st.text("<>/&;!-[]ab\"'= ", max_size=200))
def test_any_text_is_read_or_unreadable(text: str) -> None:
    with suppress(UnexpectedAnswer):
        assert isinstance(parse_xml(text), XmlNode)
