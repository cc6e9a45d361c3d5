"""Every page is accessible, fits a phone, and speaks three languages, in a real Chromium."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.web.in_chromium import DESK, PAGES, PHONE, Home, needs_chromium, open_home
from watcher.sign_in.browser import running_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

pytestmark = [needs_chromium, pytest.mark.xdist_group("chromium")]

Scheme = Literal["light", "dark"]
SHOWN: tuple[tuple[Scheme, "ViewportSize"], ...] = (("light", PHONE), ("dark", DESK))
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
_SMALL = """
() => [...document.querySelectorAll("button, summary, select, input:not([type=hidden]), textarea, nav a, a.button")]
  .filter((each) => each.checkVisibility() && !each.closest("label")?.querySelector("[type=checkbox]"))
  .map((each) => [each, each.getBoundingClientRect()])
  .filter(([each, box]) => box.height < 43.5 || (box.width < 43.5 && box.width > 0))
  .map(([each, box]) => `${each.outerHTML.slice(0, 120)} ${box.width}x${box.height}`)
"""
_TABBED = "() => document.activeElement === document.body ? '' : document.activeElement.outerHTML.slice(0, 150)"
_IN_ORDER = """
() => [...document.querySelectorAll(
  "a[href], button, summary, select, input:not([type=hidden]), textarea")].filter((each) =>
  each.checkVisibility() && !each.disabled).length
"""
_OUTLINE = """
() => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with running_chromium() as chromium, open_home(tmp_path_factory.mktemp("home"), chromium) as home:
        yield home


@pytest.fixture(scope="module")
def tab(home: Home) -> Iterator["Page"]:
    with home.tab() as tab:
        yield tab


def violations(tab: "Page") -> list[str]:
    found = Axe().run(tab, options=WCAG).response["violations"]
    return [f"{each['id']}: {node['html'][:200]} {node['failureSummary']}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_the_page_fits(home: Home, tab: "Page", name: str) -> None:
    for scheme, size in SHOWN:
        tab.emulate_media(color_scheme=scheme)
        tab.set_viewport_size(size)
        tab.goto(home.base + home.path(name))
        assert violations(tab) == [], scheme
        assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"], size
        assert tab.evaluate(_SMALL) == [], size


@pytest.mark.parametrize("language", ["es-ES", "fr-FR"])
def test_every_page_speaks_the_language_and_fits_a_phone(home: Home, language: str) -> None:
    with home.tab(locale=language) as tab:
        for name in PAGES:
            tab.goto(home.base + home.path(name))
            assert tab.get_attribute("html", "lang") == language[:2], name
            assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], name


@pytest.mark.parametrize("name", ["overview", "case with a request", "account", "settings"])
def test_keyboard_reaches_everything_with_a_visible_focus(home: Home, tab: "Page", name: str) -> None:
    tab.set_viewport_size(DESK)
    tab.goto(home.base + home.path(name))
    reached = set()
    for _ in range(tab.evaluate(_IN_ORDER) + 5):
        tab.keyboard.press("Tab")
        where = tab.evaluate(_TABBED)
        if where:
            assert tab.evaluate(_OUTLINE), where
            reached.add(tab.evaluate("() => [...document.querySelectorAll('*')].indexOf(document.activeElement)"))
    assert len(reached) >= tab.evaluate(_IN_ORDER)
