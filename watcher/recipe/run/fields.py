"""The fields at one location of an answer, with errors that name the key and its selector. Pure."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final

from watcher.errors import UnexpectedAnswer
from watcher.messages import _
from watcher.recipe.model import Recipe
from watcher.recipe.page.page import PageLocation, Value
from watcher.recipe.page.selectors import Selector

VOCABULARY: Final = "general"


class Fields:
    """The fields at one location. Errors never show the content."""

    def __init__(
        self,
        recipe: Recipe,
        location: PageLocation,
        fields: Mapping[str, Selector] | None = None,
        key_path: str = "case.fields",
    ) -> None:
        """`fields` are those of the case by default."""
        self._recipe, self._location, self._key_path = recipe, location, key_path
        self._fields = recipe.case.fields if fields is None else fields

    def key_path(self, key: str) -> str:
        """Return the key with its selector."""
        return f"{self._key_path}.{key} {self._fields[key].text!r}"

    def text(self, key: str) -> str | None:
        """Return a text; None if the recipe lacks the key or its selector finds nothing."""
        selector = self._fields.get(key)
        try:
            if selector is None or (key != "answered" and _is_boolean(selector.first(self._location))):
                return None
            return selector.text_at(self._location)
        except UnexpectedAnswer as error:
            raise UnexpectedAnswer(f"{self._recipe.name}: {self._key_path}.{key} {error}") from None

    def needed(self, key: str) -> str | None:
        """Return a text that must exist if the recipe has the key."""
        text = self.text(key)
        if text is None and key in self._fields:
            raise UnexpectedAnswer(_("{recipe}: {key} finds nothing", recipe=self._recipe.name, key=self.key_path(key)))
        return text

    def moment(self, key: str) -> datetime | date | None:
        """Return a day or a time."""
        return self._date(key, self._recipe.case.dates.parse)

    def day(self, key: str) -> date | None:
        """Return a day."""
        return self._date(key, self._recipe.case.dates.parse_day)

    def _date(self, key: str, read_date: Callable[[str], date | None]) -> date | None:
        text = self.text(key)
        try:
            return None if text is None else read_date(text)
        except ValueError as error:
            fields = {"recipe": self._recipe.name, "key": self.key_path(key), "reason": error}
            raise UnexpectedAnswer(_("{recipe}: {key} is not a date: {reason}", **fields)) from None


def _is_boolean(location: PageLocation | None) -> bool:
    """Return whether JSON has true or false here, which says nothing where a text belongs."""
    return isinstance(location, Value) and isinstance(location.json, bool)
