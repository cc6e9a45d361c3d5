"""One table of a recipe, read key by key.

Every fault is noted with its line and reading goes on, so that a person who repairs a recipe sees all of them at once.
Pydantic would stop at the first stage that fails (types before what fits together), and knows no lines.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar

from watcher.clock.durations import parse_duration
from watcher.recipe.page.selectors import Selector, parse_selector
from watcher.recipe.parse.toml_lines import Lines
from watcher.recipe.placeholders import NAME
from watcher.settings.faults import did_you_mean
from watcher.settings.key_names import KeyPath, toml_key

_T = TypeVar("_T")
_E = TypeVar("_E", bound=StrEnum)

_LONGEST_TEXT: Final = 2000
_MOST_TABLES: Final = 30


class Faults:
    """What is wrong with one recipe, a line for each fault, in the order of the file."""

    def __init__(self, file: str, lines: Lines) -> None:
        """`file` is what the lines begin with."""
        self._file, self._lines = file, lines
        self._found: list[tuple[int, str]] = []

    def add(self, path: KeyPath, wanted: str) -> None:
        """Notes what would be right at a key."""
        line = self._lines.line_of(path)
        entry = (line, f"{self._file}:{line}: {toml_key(path) or 'the recipe'}: {wanted}")
        if entry not in self._found:
            self._found.append(entry)

    @property
    def lines(self) -> tuple[str, ...]:
        """One line for each fault."""
        return tuple(text for _, text in sorted(self._found, key=lambda entry: entry[0]))


class Table:
    """A table at `path`. Each method reads one key; None, or an empty collection, stands for absent and for faulty."""

    def __init__(self, content: Mapping[str, Any], path: KeyPath, faults: Faults) -> None:
        """Reads nothing yet."""
        self.path, self.faults = path, faults
        self._content, self._asked = content, set[str]()

    def __contains__(self, key: str) -> bool:
        return key in self._content

    def add_fault(self, key: str, wanted: str) -> None:
        """Notes a fault at one key of this table."""
        self.faults.add((*self.path, key), wanted)

    def check_unknown_keys(self) -> None:
        """Notes every key that nobody asked for."""
        for key in self._content:
            if key not in self._asked:
                self.add_fault(key, f"unknown key; {did_you_mean(key, self._asked)}")

    def text(self, key: str, *, required: bool = False) -> str | None:
        """A text that is not empty."""
        found = self._get(key, required=required)
        return None if found is None else self._text((key,), found)

    def texts(self, key: str) -> tuple[str, ...]:
        """A text, or a list of them."""
        return tuple(text for _, text in self._listed(key))

    def boolean(self, key: str) -> bool:
        """True or false; false where absent."""
        found = self._get(key)
        if found is not None and not isinstance(found, bool):
            self.add_fault(key, "must be true or false, without quotes")
        return found is True

    def integer(self, key: str, *, default: int, least: int, most: int) -> int:
        """A whole number within bounds."""
        found = self._get(key)
        if found is None:
            return default
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            self.add_fault(key, f"must be a whole number from {least} to {most}")
            return default
        return found

    def duration(self, key: str, *, default: timedelta) -> timedelta:
        """A span of time such as "30m"."""
        return self.parse(key, parse_duration) or default

    def parse(self, key: str, parse: Callable[[str], _T], *, required: bool = False) -> _T | None:
        """A text, read by `parse`; what its ValueError says is the fault."""
        text = self.text(key, required=required)
        return None if text is None else self._parsed((key,), text, parse)

    def selector(self, key: str, *, required: bool = False) -> Selector | None:
        """One selector."""
        return self.parse(key, parse_selector, required=required)

    def selectors(self, key: str) -> tuple[Selector, ...]:
        """A selector, or a list of them."""
        read = [self._parsed(place, text, parse_selector) for place, text in self._listed(key)]
        return tuple(selector for selector in read if selector is not None)

    def named_selectors(self, key: str) -> dict[str, Selector]:
        """A table of selectors by placeholder name, as `take` is."""
        read: dict[str, Selector] = {}
        for name, value in self._mapping(key).items():
            text = self._text((key, name), value)
            selector = None if text is None else self._parsed((key, name), text, parse_selector)
            if not NAME.fullmatch(name):
                self.faults.add((*self.path, key, name), "a name is of small letters, digits and _")
            elif selector is not None:
                read[name] = selector
        return read

    def enum_values(self, key: str, kinds: type[_E]) -> dict[str, _E]:
        """A table from the portal's words to words of the program."""
        read: dict[str, _E] = {}
        for word, value in self._mapping(key).items():
            try:
                read[word] = kinds(value)
            except ValueError:
                wanted = did_you_mean(value, kinds) if isinstance(value, str) else "a text in quotes is wanted"
                self.faults.add((*self.path, key, word), f"{value!r} is not known; {wanted}")
        return read

    def mapping(self, key: str) -> dict[str, str] | None:
        """A table of texts (which may be empty), as `form` is. None where absent."""
        if key not in self:
            self._asked.add(key)
            return None
        read = {}
        for name, value in self._mapping(key).items():
            if isinstance(value, str):
                read[name] = value
            else:
                self.faults.add((*self.path, key, name), "must be text in quotes")
        return read

    def value(self, key: str) -> Any:
        """Whatever stands there."""
        return self._get(key)

    def table(self, key: str, *, required: bool = False) -> "Table | None":
        """A table within."""
        found = self._get(key, required=required, header=True)
        if found is None or isinstance(found, dict):
            return None if found is None else Table(found, (*self.path, key), self.faults)
        self.add_fault(key, f"must be a table: [{toml_key((*self.path, key))}]")
        return None

    def tables(self, key: str) -> list["Table"]:
        """An array of tables."""
        found = self._get(key)
        if found is None:
            return []
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            self.add_fault(key, f"must be written [[{toml_key((*self.path, key))}]], once for each")
            return []
        if len(found) > _MOST_TABLES:
            self.add_fault(key, f"there are more than {_MOST_TABLES} of them")
        return [Table(one, (*self.path, key, place), self.faults) for place, one in enumerate(found)]

    def _get(self, key: str, *, required: bool = False, header: bool = False) -> Any:
        self._asked.add(key)
        if required and key not in self._content:
            whole = toml_key((*self.path, key))
            self.faults.add(self.path, f"[{whole}] is missing" if header else f"{key} is missing")
        return self._content.get(key)

    def _listed(self, key: str) -> list[tuple[KeyPath, str]]:
        found = self._get(key)
        pairs: list[tuple[KeyPath, object]]
        if isinstance(found, list):
            pairs = [((key, place), one) for place, one in enumerate(found)]
        else:
            pairs = [] if found is None else [((key,), found)]
        read = [(place, self._text(place, one)) for place, one in pairs]
        return [(place, text) for place, text in read if text is not None]

    def _mapping(self, key: str) -> dict[str, Any]:
        found = self._get(key)
        if found is not None and not isinstance(found, dict):
            self.add_fault(key, 'must be a table, such as { name = "…" }')
        return found if isinstance(found, dict) else {}

    def _text(self, key_path: KeyPath, value: object) -> str | None:
        if not isinstance(value, str) or not value.strip():
            self.faults.add((*self.path, *key_path), 'must be text in quotes, such as "text"')
            return None
        if len(value) > _LONGEST_TEXT:
            self.faults.add((*self.path, *key_path), f"is longer than {_LONGEST_TEXT} characters")
            return None
        return value

    def _parsed(self, key_path: KeyPath, text: str, parse: Callable[[str], _T]) -> _T | None:
        try:
            return parse(text)
        except ValueError as error:
            self.faults.add((*self.path, *key_path), str(error))
            return None
