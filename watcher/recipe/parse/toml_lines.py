"""The line numbers of the keys of a TOML text, for messages; the standard library's parser does not return them.

The text has already been parsed by `tomllib`, so this parser can be simple. It supports tables, arrays of tables,
dotted keys, strings of all four kinds, comments, and inline tables and arrays over several lines.
"""

import re
from bisect import bisect_left
from typing import Final

from watcher.settings.key_names import KeyPath

_KEY_PART: Final = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*""")
_STRING: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"""+|\'\'\'.*?\'\'\'+|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'',
    re.DOTALL,
)
_BLANK: Final = re.compile(r"(?:\s|#[^\n]*)+")
_SCALAR: Final = re.compile(r"[^\s,\]}#]+")


class Lines:
    """The line numbers of one TOML text by key path; `("sign_in", 1, "form")` is `form` in the second `[[sign_in]]`."""

    def __init__(self, text: str) -> None:
        """Parses the whole text at once."""
        self._text, self._at, self._lines = text, 0, dict[KeyPath, int]()
        self._ends = [end.start() for end in re.finditer("\n", text)]
        self._counts: dict[KeyPath, int] = {}
        self._parse()

    def line_of(self, path: KeyPath) -> int:
        """Return the line of a key, counted from 1; for a missing key, that of the nearest table around it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _parse(self) -> None:
        table: KeyPath = ()
        while self._skip():
            if self._text.startswith("[[", self._at):
                table = self._header(2, counts=True)
            elif self._text[self._at] == "[":
                table = self._header(1, counts=False)
            else:
                self._pair(table)

    def _skip(self) -> bool:
        blank = _BLANK.match(self._text, self._at)
        self._at = blank.end() if blank else self._at
        return self._at < len(self._text)

    def _line(self) -> int:
        return bisect_left(self._ends, self._at) + 1

    def _note(self, path: KeyPath) -> None:
        for length in range(1, len(path) + 1):
            self._lines.setdefault(path[:length], self._line())

    def _header(self, brackets: int, *, counts: bool) -> KeyPath:
        start = self._at
        self._at += brackets
        names = self._key()
        path: KeyPath = ()
        for index, name in enumerate(names):
            path = (*path, name)
            if counts and index == len(names) - 1:
                path = (*path, self._counts.get(path, 0))
                self._counts[path[:-1]] = self._counts.get(path[:-1], 0) + 1
            elif path in self._counts:
                path = (*path, self._counts[path] - 1)
        end = self._at + brackets
        self._at = start
        self._note(path)
        self._at = end
        return path

    def _key(self) -> list[str]:
        names = []
        while part := _KEY_PART.match(self._text, self._at):
            names.append(next(name for name in part.groups() if name is not None))
            self._at = part.end()
            if not self._text.startswith(".", self._at):
                break
            self._at += 1
        return names

    def _pair(self, table: KeyPath) -> None:
        start, names = self._at, self._key()
        end, path = self._at, (*table, *names)
        self._at = start
        self._note(path)
        if end == start:  # not TOML after all: stop instead of looping forever
            self._at = len(self._text)
            return
        self._at = end + 1  # the equals sign
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        if not self._skip():
            return
        if string := _STRING.match(self._text, self._at):
            self._at = string.end()
        elif self._text[self._at] in "[{":
            self._items(path, "]" if self._text[self._at] == "[" else "}")
        else:
            scalar = _SCALAR.match(self._text, self._at)
            self._at = scalar.end() if scalar else self._at + 1

    def _items(self, path: KeyPath, end: str) -> None:
        self._at += 1
        index = 0
        while self._skip() and self._text[self._at] != end:
            if self._text[self._at] == ",":
                self._at += 1
            elif end == "]":
                self._note((*path, index))
                self._value((*path, index))
                index += 1
            else:
                self._pair(path)
        self._at += 1
