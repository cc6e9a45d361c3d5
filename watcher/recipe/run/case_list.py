"""The entries on a page of the list of cases, and the case numbers in them. Pure."""

from collections.abc import Iterator

from watcher.errors import UnexpectedAnswer
from watcher.messages import _, mark
from watcher.recipe.model import Recipe
from watcher.recipe.page.page import Page, PageLocation
from watcher.recipe.page.selectors import Selector
from watcher.text.printable import composed

_MAX_LENGTH = 64


def rows(recipe: Recipe, page: Page) -> Iterator[tuple[str, PageLocation]]:
    """Yield case number and row of each case on a page of the list; rows without a number are headings.

    Rows whose number is odd are left out; see `odd_rows`. Raises `UnexpectedAnswer` if no row has a case number.
    """
    entries = _numbered(recipe, page)
    valid = [(number, entry) for number, entry in entries if number is not None and is_case_number(number)]
    if entries and not valid:
        text = mark("{recipe}: cases.case_number {selector!r} finds nothing in all rows")
        if any(number for number, _entry in entries):
            text = mark("{recipe}: cases.case_number {selector!r} finds text that is not a case number in all rows")
        selector = recipe.cases.case_number.text if recipe.cases else ""
        raise UnexpectedAnswer(_(text, recipe=recipe.name, selector=selector))
    yield from valid


def odd_rows(recipe: Recipe, page: Page) -> list[int]:
    """Return the positions, from 1, of the rows whose number is no case number."""
    entries = enumerate(_numbered(recipe, page), start=1)
    return [position for position, (number, _) in entries if number is not None and not is_case_number(number)]


def _numbered(recipe: Recipe, page: Page) -> list[tuple[str | None, PageLocation]]:
    if recipe.cases is None:
        return []
    return [(recipe.cases.case_number.text_at(entry), entry) for entry in locations(recipe.cases.each, page)]


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
