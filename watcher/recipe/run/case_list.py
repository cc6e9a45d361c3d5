"""The entries on a page of the list of cases, and the case numbers in them. Pure."""

from collections.abc import Iterator

from watcher.errors import UnexpectedAnswer
from watcher.recipe.model import Recipe
from watcher.recipe.page.page import Page, PageLocation
from watcher.recipe.page.selectors import Selector
from watcher.text.printable import composed


def rows(recipe: Recipe, page: Page) -> Iterator[tuple[str, PageLocation]]:
    """Yield case number and row of each case on a page of the list; rows without a number are headings.

    Raises `UnexpectedAnswer` if no row has a number, or if one is not a case number.
    """
    if recipe.cases is None:
        return
    entries = locations(recipe.cases.each, page)
    numbers = [recipe.cases.case_number.text_at(entry) for entry in entries]
    if entries and not any(numbers):
        raise UnexpectedAnswer(
            f"{recipe.name}: cases.case_number {recipe.cases.case_number.text!r} finds nothing in any row"
        )
    for number, entry in zip(numbers, entries, strict=True):
        if number is not None:
            yield _checked_number(recipe, number), entry


def locations(each: Selector, location: PageLocation) -> list[PageLocation]:
    """Return the results of `each`. A single result that is a JSON list is split into its items."""
    results = each.all(location)
    return results[0].items() if len(results) == 1 else results


def comparable_number(number: str) -> str:
    """Return a case number as it is compared: without spaces and dashes, and without regard to letter case."""
    return "".join(char for char in composed(number) if char.isalnum()).casefold()


def _checked_number(recipe: Recipe, number: str) -> str:
    """Check that a case number is short, has a digit, and consists of letters, digits, and separators."""
    is_plain = all(char.isalnum() or char in " -_./:#()" for char in number)
    if not is_plain or len(number) > 64 or not any(char.isdigit() for char in number):  # noqa: PLR2004 - see the docstring
        raise UnexpectedAnswer(f"{recipe.name}: what cases.case_number finds is no case number")
    return number
