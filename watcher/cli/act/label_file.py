"""The file of `watcher label --file`: a table with the columns receipt, label, and person, as spreadsheets save it."""

import csv
import io
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from watcher.actions.cases import MAX_LABEL_LENGTH as MAX_LENGTH
from watcher.messages import _, plural
from watcher.text.printable import clean

_COLUMNS = {"receipt": "receipt", "case": "receipt", "case_number": "receipt", "label": "label", "person": "person"}
_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFile:
    """What a file says: the values of each case by its number, and the faults, one line each."""

    cases: Mapping[str, Mapping[str, str | None]]
    faults: Sequence[str]


def read_labels(content: bytes, find_number: Callable[[str], str | None]) -> LabelFile:
    """Read the file. An empty cell leaves the case as it is.

    `find_number` returns the number of a case, however it was written; None if it is no case number.
    """
    try:
        rows = [(line, cells) for line, cells in _rows(_decoded(content)) if any(cells)]
    except csv.Error as error:
        return LabelFile(cases={}, faults=[_("The file is not a table: {reason}.", reason=error)])
    if not rows:
        return LabelFile(cases={}, faults=[_("The file is empty.")])
    (line, head), *body = rows
    names = [_COLUMNS.get(cell.lower().replace(" ", "_"), "") for cell in head]
    if "receipt" not in names or "" in names or len(set(names)) < len(names) or len(names) == 1:
        fault = _("line {line}: the columns must be receipt, label, person. The first line names them.", line=line)
        return LabelFile(cases={}, faults=[fault])
    return _read_body(body, names, find_number)


def _read_body(
    body: Sequence[tuple[int, list[str]]], names: Sequence[str], find_number: Callable[[str], str | None]
) -> LabelFile:
    cases: dict[str, dict[str, str | None]] = {}
    lines: dict[str, int] = {}
    faults: list[str] = []
    for line, cells in body:
        values = dict(zip(names, cells, strict=False))
        number, fault = find_number(values["receipt"]), _fault_of(cells, names)
        if number is None:
            fault = _("'{typed}' is not a case number", typed=_cut(values["receipt"]))
        elif number in lines:
            fault = _("{case} is on line {other} already", case=number, other=lines[number])
        if fault or number is None:
            faults.append(_("line {line}: {fault}.", line=line, fault=fault))
            continue
        lines[number] = line
        cases[number] = {name: values[name] for name in ("label", "person") if values.get(name)}
    return LabelFile(cases=cases, faults=faults)


def _fault_of(cells: Sequence[str], names: Sequence[str]) -> str:
    if len(cells) > len(names):
        count = len(cells)
        return plural(
            "{n} column instead of {expected}", "{n} columns instead of {expected}", count, expected=len(names)
        )
    too_long = next((cell for cell in cells if len(cell) > MAX_LENGTH), None)
    return _("'{text}' is longer than {max} characters", text=_cut(too_long), max=MAX_LENGTH) if too_long else ""


def _cut(text: str) -> str:
    return text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]}…"


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """Return the rows with their line numbers. The first line shows what separates the columns."""
    first = text.lstrip().partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(_DELIMITERS, key=first.count))
    rows = [(reader.line_num, [clean(cell) for cell in row]) for row in reader]
    return [(line, _without_empty_end(cells)) for line, cells in rows]


def _without_empty_end(cells: list[str]) -> list[str]:
    """Return the cells without the empty ones at the end, which some programs add."""
    while cells and not cells[-1]:
        cells = cells[:-1]
    return cells


def _decoded(content: bytes) -> str:
    """Return the text: UTF-8 or UTF-16 with its mark, otherwise what Windows programs write."""
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")
