"""The entries on a page of the list of cases, and the case numbers in them. Pure."""

from collections.abc import Collection, Iterator

from watcher.errors import UnexpectedAnswer
from watcher.messages import _, mark
from watcher.recipe.model import Recipe
from watcher.recipe.page.page import Page, PageLocation, contents_of
from watcher.recipe.page.selectors import Selector
from watcher.text.printable import composed

_MAX_LENGTH = 64
_LONG_PAGE = 500
_FIRST_ROWS = 20
"""Rows of a long page that show whether the recipe still fits it, whichever numbers are sought."""


def rows(recipe: Recipe, page: Page, *, only: Collection[str] = frozenset()) -> Iterator[tuple[str, PageLocation]]:
    """Yield case number and row of each case on a page of the list; rows without a number are headings.

    Rows whose number is odd are left out; see `odd_rows`. On a long page, of rows that contain none of the numbers in
    `only`, which are as `comparable_number` returns them, the first ones are enough. Raises `UnexpectedAnswer` if no
    row has a case number.
    """
    entries = _numbered(recipe, page, only)
    valid = [(number, entry) for number, entry in entries if number is not None and is_case_number(number)]
    if entries and not valid:
        text = mark("{recipe}: cases.case_number {selector!r} finds nothing in all rows")
        if any(number for number, _entry in entries):
            text = mark("{recipe}: cases.case_number {selector!r} finds text that is not a case number in all rows")
        selector = recipe.cases.case_number.text if recipe.cases else ""
        raise UnexpectedAnswer(_(text, recipe=recipe.name, selector=selector))
    yield from valid


def odd_rows(recipe: Recipe, page: Page, *, only: Collection[str] = frozenset()) -> list[int]:
    """Return the positions, from 1, of the rows whose number is no case number; `only` is as for `rows`."""
    entries = enumerate(_numbered(recipe, page, only), start=1)
    return [position for position, (number, _) in entries if number is not None and not is_case_number(number)]


def _numbered(recipe: Recipe, page: Page, only: Collection[str]) -> list[tuple[str | None, PageLocation]]:
    if recipe.cases is None:
        return []
    entries = locations(recipe.cases.each, page)
    if only and len(entries) > _LONG_PAGE:
        entries = [*entries[:_FIRST_ROWS], *_naming(entries[_FIRST_ROWS:], only)]
    return [(recipe.cases.case_number.text_at(entry), entry) for entry in entries]


def _naming(entries: list[PageLocation], numbers: Collection[str]) -> list[PageLocation]:
    """Return the rows that may have one of these numbers, without a search in each row."""
    contents = map(comparable_number, contents_of(entries))
    return [entry for entry, text in zip(entries, contents, strict=True) if any(number in text for number in numbers)]


def locations(each: Selector, location: PageLocation) -> list[PageLocation]:
    """Return the results of `each`. A single result that is a JSON list is split into its items."""
    results = each.all(location)
    return results[0].items() if len(results) == 1 else results


def comparable_number(number: str) -> str:
    """Return a case number as it is compared: without spaces and dashes, and without regard to letter case."""
    return "".join(char for char in composed(number) if char.isalnum()).casefold()


def is_case_number(number: str) -> bool:
    """Return whether a case number is short, has a digit, and consists of letters, digits, and separators."""
    is_plain = all(char.isalnum() or char in " -_./:#()" for char in number)
    return is_plain and len(number) <= _MAX_LENGTH and any(char.isdigit() for char in number)
