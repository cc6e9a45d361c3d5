"""One table of a recipe, parsed key by key.

Each fault is added with its line and parsing continues, so that a person who repairs a recipe sees all faults at once.
Pydantic would stop at the first stage that fails (types before combinations), and does not know lines.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar

from watcher.clock.durations import parse_duration
from watcher.messages import _
from watcher.recipe.page.number_in_selector import CASE_NUMBER
from watcher.recipe.page.selectors import Selector, parse_selector
from watcher.recipe.parse.toml_lines import Lines
from watcher.recipe.placeholders import NAME
from watcher.settings.faults import did_you_mean
from watcher.settings.key_names import KeyPath, toml_key

_T = TypeVar("_T")
_E = TypeVar("_E", bound=StrEnum)

_MAX_TEXT_LENGTH: Final = 2000
_MAX_TABLES: Final = 30


class Faults:
    """The faults of one recipe, a line for each, in the order of the file."""

    def __init__(self, file: str, lines: Lines) -> None:
        """Each line begins with `file`."""
        self._file, self._lines = file, lines
        self._entries: list[tuple[int, str]] = []

    def add(self, path: KeyPath, message: str) -> None:
        """Add what to correct at a key."""
        line = self._lines.line_of(path)
        entry = (line, f"{self._file}:{line}: {toml_key(path) or _('the recipe')}: {message}")
        if entry not in self._entries:
            self._entries.append(entry)

    def place(self, path: KeyPath) -> str:
        """Return file and line of a key."""
        return f"{self._file}:{self._lines.line_of(path)}"

    @property
    def lines(self) -> tuple[str, ...]:
        """One line for each fault, with file, line number, and key."""
        return tuple(text for _, text in sorted(self._entries, key=lambda entry: entry[0]))


class Table:
    """A table at `path`. Each method returns one key, as None or an empty collection if it is absent or has a fault."""

    def __init__(self, content: Mapping[str, Any], path: KeyPath, faults: Faults) -> None:
        """Does not parse anything yet."""
        self.path, self.faults = path, faults
        self._content, self._requested = content, set[str]()

    def __contains__(self, key: str) -> bool:
        return key in self._content

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that the table has."""
        return tuple(self._content)

    def add_fault(self, key: str, message: str) -> None:
        """Add a fault at one key of this table."""
        self.faults.add((*self.path, key), message)

    def check_unknown_keys(self) -> None:
        """Add a fault for every key that was not requested."""
        for key in self._content:
            if key not in self._requested:
                self.add_fault(key, _("unknown key; {hint}", hint=did_you_mean(key, self._requested)))

    def text(self, key: str, *, required: bool = False) -> str | None:
        """Return a text that is not empty."""
        value = self._get(key, required=required)
        return None if value is None else self._text((key,), value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the texts of a list, or a single text."""
        return tuple(text for _, text in self._list(key))

    def boolean(self, key: str) -> bool:
        """Return true or false; false if absent."""
        value = self._get(key)
        if value is not None and not isinstance(value, bool):
            self.add_fault(key, _("must be true or false, without quotes"))
        return value is True

    def integer(self, key: str, *, default: int, least: int, most: int) -> int:
        """Return an integer within bounds."""
        value = self._get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.add_fault(key, _("must be a whole number from {least} to {most}", least=least, most=most))
            return default
        return value

    def duration(self, key: str, *, default: timedelta) -> timedelta:
        """Return a duration such as "30m"."""
        return self.parse(key, parse_duration) or default

    def parse(self, key: str, parse: Callable[[str], _T], *, required: bool = False) -> _T | None:
        """Return a text as parsed by `parse`; the message of its ValueError is the fault."""
        text = self.text(key, required=required)
        return None if text is None else self._parsed((key,), text, parse)

    def selector(self, key: str, *, required: bool = False) -> Selector | None:
        """Return a selector."""
        text = self.text(key, required=required)
        return None if text is None else self._selector((key,), text)

    def selectors(self, key: str) -> tuple[Selector, ...]:
        """Return the selectors of a list, or a single selector."""
        selectors = [self._selector(path, text) for path, text in self._list(key)]
        return tuple(selector for selector in selectors if selector is not None)

    def named_selectors(self, key: str) -> dict[str, Selector]:
        """Return a table of selectors by placeholder name, such as `take`."""
        selectors: dict[str, Selector] = {}
        for name, value in self._mapping(key).items():
            text = self._text((key, name), value)
            selector = None if text is None else self._selector((key, name), text)
            if not NAME.fullmatch(name):
                self.faults.add((*self.path, key, name), _("a name consists of lowercase letters, digits, and _"))
            elif selector is not None:
                selectors[name] = selector
        return selectors

    def enum_values(self, key: str, kinds: Iterable[_E]) -> dict[str, _E]:
        """Return a table from the portal's words to values of `kinds`."""
        values: dict[str, _E] = {}
        by_name = {kind.value: kind for kind in kinds}
        for word, value in self._mapping(key).items():
            if isinstance(value, str) and value in by_name:
                values[word] = by_name[value]
            else:
                hint = did_you_mean(value, by_name) if isinstance(value, str) else _("must be text in quotes")
                self.faults.add((*self.path, key, word), _("{value!r} is not known; {hint}", value=value, hint=hint))
        return values

    def mapping(self, key: str) -> dict[str, str] | None:
        """Return a table of texts (which may be empty), such as `form`; None if absent."""
        if key not in self:
            self._requested.add(key)
            return None
        texts = {}
        for name, value in self._mapping(key).items():
            if isinstance(value, str):
                texts[name] = value
            else:
                self.faults.add((*self.path, key, name), _("must be text in quotes"))
        return texts

    def value(self, key: str) -> Any:
        """Return the value, of any type."""
        return self._get(key)

    def table(self, key: str, *, required: bool = False) -> "Table | None":
        """Return a nested table."""
        content = self._get(key, required=required, header=True)
        if content is None or isinstance(content, dict):
            return None if content is None else Table(content, (*self.path, key), self.faults)
        self.add_fault(key, _("must be a section: [{key}]", key=toml_key((*self.path, key))))
        return None

    def tables(self, key: str) -> list["Table"]:
        """Return the tables of an array."""
        contents = self._get(key)
        if contents is None:
            return []
        if not isinstance(contents, list) or not all(isinstance(content, dict) for content in contents):
            self.add_fault(key, _("must be a section [[{key}]], one for each", key=toml_key((*self.path, key))))
            return []
        if len(contents) > _MAX_TABLES:
            self.add_fault(key, _("there are more than {limit} of them", limit=_MAX_TABLES))
        return [Table(content, (*self.path, key, index), self.faults) for index, content in enumerate(contents)]

    def _get(self, key: str, *, required: bool = False, header: bool = False) -> Any:
        self._requested.add(key)
        if required and key not in self._content:
            name = f"[{toml_key((*self.path, key))}]" if header else key
            self.faults.add(self.path, _("{name} is missing", name=name))
        return self._content.get(key)

    def _list(self, key: str) -> list[tuple[KeyPath, str]]:
        value = self._get(key)
        pairs: list[tuple[KeyPath, object]]
        if isinstance(value, list):
            pairs = [((key, index), item) for index, item in enumerate(value)]
        else:
            pairs = [] if value is None else [((key,), value)]
        texts = [(path, self._text(path, item)) for path, item in pairs]
        return [(path, text) for path, text in texts if text is not None]

    def _mapping(self, key: str) -> dict[str, Any]:
        value = self._get(key)
        if value is not None and not isinstance(value, dict):
            self.add_fault(key, _('must be a table, such as { name = "…" }'))
        return value if isinstance(value, dict) else {}

    def _text(self, key_path: KeyPath, value: object) -> str | None:
        if not isinstance(value, str) or not value.strip():
            self.faults.add((*self.path, *key_path), _('must be text in quotes, such as "text"'))
            return None
        if len(value) > _MAX_TEXT_LENGTH:
            self.faults.add((*self.path, *key_path), _("is longer than {limit} characters", limit=_MAX_TEXT_LENGTH))
            return None
        return value

    def _selector(self, key_path: KeyPath, text: str) -> Selector | None:
        place = self.faults.place((*self.path, *key_path))
        if CASE_NUMBER in text and self.path[:1] != ("case",):
            self.faults.add((*self.path, *key_path), _("{case_number} is available only in [case]"))
            return None
        return self._parsed(key_path, text, lambda selector: parse_selector(selector, place))

    def _parsed(self, key_path: KeyPath, text: str, parse: Callable[[str], _T]) -> _T | None:
        try:
            return parse(text)
        except ValueError as error:
            self.faults.add((*self.path, *key_path), str(error))
            return None
