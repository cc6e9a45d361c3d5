"""Selectors, which find locations in an answer: `css:.when | regex:at (.+)$`.

    css:SELECTOR          an element, as its text
    css:SELECTOR@attr     an attribute of it; css:@attr, of the current element
    row:LABEL             the cell after the one that says this, in any letter case
    xml:PATH              an element of XML: xml:item/title, xml:item@id
    json:EXPR             JMESPath
    regex:PATTERN         the first group, or the whole match if there is no group
    text:WORDS            these words, in any letter case and spacing, if the text contains them
    status:CODE           the answer's status if it is this one; status:5xx for a range
    url:PART              the answer's address if it contains this part
    header:NAME           a header of the answer
    split:SEPARATOR       the parts of a text: the first one, or split:SEPARATOR #2 for the second one

A piped selector continues from the result of the one before it. All searches on one answer share its time budget.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from watcher.errors import UnexpectedAnswer
from watcher.messages import _
from watcher.recipe.page.budget import OutOfTime
from watcher.recipe.page.finders import KINDS, Finder, parse_finder
from watcher.recipe.page.json_query import JsonQueryFailed
from watcher.recipe.page.number_in_selector import CASE_NUMBER, filled
from watcher.recipe.page.page import PageLocation, Value

MAX_LENGTH: Final = 1000
"""Characters in a selector."""
_MAX_TEXT_LENGTH: Final = 20_000
_PIPE: Final = re.compile(r"\s\|\s+(?=(?:" + "|".join(KINDS) + "):)")
_SAMPLE_NUMBER: Final = "A1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """A parsed selector. `text` is as the recipe has it, at `place` (its file and line)."""

    text: str
    place: str
    finders: tuple[Finder, ...]

    @property
    def names_case(self) -> bool:
        """Whether it contains `{case_number}`, and finds something only after `for_case`."""
        return CASE_NUMBER in self.text

    def for_case(self, case_number: str) -> "Selector":
        """Return the selector for one case. Raises `UnexpectedAnswer` for a number that it cannot contain."""
        return _for_case(self.text, self.place, case_number) if self.names_case else self

    def all(self, location: PageLocation) -> list[PageLocation]:
        """Return all results of the last piped selector. Each of those before it passes on only its first result.

        Raises UnexpectedAnswer if the answer is not of the kind that the selector works on.
        """
        results: list[PageLocation] = [location]
        for find in self.finders:
            if not results:
                return []
            results = self._apply(find, results[0])
        return results

    def first(self, location: PageLocation) -> PageLocation | None:
        """Return the first result of `all`, or None."""
        results = self.all(location)
        return results[0] if results else None

    def is_present(self, location: PageLocation) -> bool:
        """Return whether it finds anything, even if empty. False for an answer of another kind."""
        try:
            return bool(self.all(location))
        except OutOfTime:
            raise
        except UnexpectedAnswer:
            return False

    def is_true(self, location: PageLocation) -> bool:
        """Return whether it finds anything but JSON's null, false, 0, and empty values."""
        try:
            results = self.all(location)
        except OutOfTime:
            raise
        except UnexpectedAnswer:
            return False
        return any(bool(result.json) if isinstance(result, Value) else True for result in results)

    def text_at(self, location: PageLocation) -> str | None:
        """Return the first result as plain text; None without a result or if it is empty.

        Raises UnexpectedAnswer if it is too long or not a text.
        """
        result = self.first(location)
        if result is None:
            return None
        try:
            text = result.plain_text()
        except UnexpectedAnswer as error:
            raise self._named(error) from None
        if len(text) > _MAX_TEXT_LENGTH:
            raise UnexpectedAnswer(
                _(
                    "{text!r} finds more than {limit} characters; select a smaller part",
                    text=self.text,
                    limit=_MAX_TEXT_LENGTH,
                )
            )
        return text or None

    def _named(self, error: UnexpectedAnswer) -> UnexpectedAnswer:
        if isinstance(error, OutOfTime):
            place = self.place or _("the recipe")
            return OutOfTime(f"{place}: {self.text!r}: {error}")
        return UnexpectedAnswer(f"{self.text!r}: {error}")

    def _apply(self, find: Finder, location: PageLocation) -> list[PageLocation]:
        try:
            return list(find(location))
        except UnexpectedAnswer as error:
            raise self._named(error) from None
        except (ValueError, ArithmeticError, RecursionError, JsonQueryFailed):
            # The message of the library may quote the portal's answer.
            raise UnexpectedAnswer(_("{text!r} cannot be applied to this answer", text=self.text)) from None


def parse_selector(text: str, place: str = "") -> Selector:
    """Parse a selector; `place` is its file and line. Raises ValueError with what to correct."""
    if len(text) > MAX_LENGTH:
        raise ValueError(_("a selector has at most {limit} characters", limit=MAX_LENGTH))
    finds = _finders(text, _SAMPLE_NUMBER)
    return Selector(text=text.strip(), place=place, finders=(_unfilled,) if CASE_NUMBER in text else finds)


@lru_cache(maxsize=1024)
def _for_case(text: str, place: str, case_number: str) -> Selector:
    try:
        return Selector(text=text, place=place, finders=_finders(text, case_number))
    except ValueError:
        raise UnexpectedAnswer(_("{text!r} cannot search for this case number", text=text)) from None


def _finders(text: str, case_number: str) -> tuple[Finder, ...]:
    parts = [part.strip() for part in _PIPE.split(text.strip())]
    return tuple(parse_finder(filled(part, case_number), index) for index, part in enumerate(parts))


def _unfilled(_location: PageLocation) -> Iterable[PageLocation]:
    raise UnexpectedAnswer(_("the number of the case is not known here"))
