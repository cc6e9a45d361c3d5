"""The rows of a published list, read from JSON or CSV within limits. Pure."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from watcher.errors import UnexpectedAnswer
from watcher.messages import _
from watcher.text.json import read_json

MAX_SIZE = 16 * 1024 * 1024
"""The longest list that is read, in bytes."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

Row: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a list is from. `name` is short: a host or the name of a file. `saved_on` is when it was saved here."""

    name: str
    saved_on: date


def read_rows(body: bytes, *, required: Sequence[str], optional: Sequence[str] = ()) -> list[Row]:
    """Return the rows of a list: a JSON list of objects (also below the key `rows`), or CSV.

    A cell that is missing, or not text, is empty. CSV has a header, or its columns are in the order of `required` and
    `optional`. Raises `UnexpectedAnswer` if the list has another shape.
    """
    names = (*required, *optional)
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"[", b"{"}:
        rows = _json_rows(body.removeprefix(b"\xef\xbb\xbf"), names)
    else:
        rows = list(_csv_rows(body, required, names))
    if not any(all(row[name] for name in required[:1]) for row in rows):
        raise UnexpectedAnswer(_shape(required))
    return rows


def day_of(text: str) -> date | None:
    """Return the day of a text such as 2026-10-01; None for any other text."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _json_rows(body: bytes, names: Sequence[str]) -> list[Row]:
    content = read_json(body)
    entries = content.get("rows") if isinstance(content, dict) else content
    if not isinstance(entries, list):
        raise UnexpectedAnswer(_shape(names))
    return [{name: _cell(entry.get(name)) for name in names} for entry in entries if isinstance(entry, dict)]


def _cell(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _csv_rows(body: bytes, required: Sequence[str], names: Sequence[str]) -> Iterator[Row]:
    try:
        lines = body.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UnexpectedAnswer(_("it is not text in UTF-8")) from None
    header: list[str] | None = None
    for line in lines:
        cells = [cell.strip() for cell in _cells(line)]
        if not any(cells):
            continue
        if header is None:
            header = [cell.lower() for cell in cells]
            if set(required) <= set(header):
                continue
            if not len(required) <= len(cells) <= len(names) or set(header) & set(names):
                raise UnexpectedAnswer(_shape(names))
            header = list(names)
        row = dict(zip(header, cells, strict=False))
        yield {name: row.get(name, "") for name in names}


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:  # a cell is longer than 128 KiB
        return []


def _shape(names: Sequence[str]) -> str:
    return _("it is not a list with the columns {columns}", columns=", ".join(names))
