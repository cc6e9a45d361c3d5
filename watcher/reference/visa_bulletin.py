"""The visa bulletin: the cutoff dates of its two charts, month by month, and which chart USCIS accepts. Pure.

Months are texts such as `2026-09`, so that they can be compared.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from watcher.errors import UnexpectedAnswer
from watcher.messages import _
from watcher.model.priority import LISTED_COUNTRIES, REST_OF_WORLD, Priority
from watcher.reference.rows import Origin, Row, day_of, read_rows
from watcher.text.json import read_json

REQUIRED, OPTIONAL = ("bulletin", "chart", "category", "country", "date"), ("status",)
"""The columns of the bulletin's list."""

_FILING_COLUMNS = ("bulletin", "kind", "chart")
_KINDS = ("family", "employment")
_MONTH = re.compile("[0-9]{4}-(?:0[1-9]|1[0-2])")
_NAME = re.compile("[A-Z0-9_]{1,45}")


class Chart(StrEnum):
    """The two charts of a bulletin."""

    FINAL_ACTION = "final_action"
    DATES_FOR_FILING = "dates_for_filing"


class CutoffKind(StrEnum):
    """What a bulletin says in one cell. `current` and `unavailable` hold for every priority date."""

    DATE = "date"
    CURRENT = "current"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cutoff:
    """One cell of a bulletin; `day` only for a date."""

    kind: CutoffKind
    day: date | None = None

    def is_current(self, priority_day: date) -> bool | None:
        """Return whether this priority date is current, so strictly earlier than the cutoff; None if unknown."""
        if self.kind is CutoffKind.UNKNOWN:
            return None
        if self.day is None:
            return self.kind is CutoffKind.CURRENT
        return priority_day < self.day


UNKNOWN = Cutoff(CutoffKind.UNKNOWN)

_Cell: TypeAlias = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulletins:
    """The newest bulletins of a list: the cell of each month, chart, category, and column."""

    cells: Mapping[_Cell, Cutoff]
    newest: str
    origin: Origin

    def cutoff(self, month: str, chart: Chart, priority: Priority) -> Cutoff:
        """Return the cutoff for a case in the bulletin of a month."""
        column = self.column(month, chart, priority)
        return self.cells.get((month, chart.value, priority.category, column), UNKNOWN)

    def column(self, month: str, chart: Chart, priority: Priority) -> str:
        """Return the column of a case's country. A country that is not listed is in the column of all others."""
        country = priority.country
        if country in LISTED_COUNTRIES:
            return country
        columns = (
            key[3] for key in self.cells if key[:3] == (month, chart.value, priority.category) if key[3] != country
        )
        if (month, chart.value, priority.category, country) in self.cells:
            return country
        return next((column for column in columns if country in column.split("_")), REST_OF_WORLD)

    def is_old(self, today: date) -> bool:
        """Return whether the bulletin of this month is missing. It is published in the month before."""
        return self.newest < month_of(today)


FilingCharts: TypeAlias = Mapping[tuple[str, str], Chart]
"""Which chart USCIS accepts, by month and kind (`family`, `employment`)."""


def month_of(day: date) -> str:
    """Return the month of a day."""
    return f"{day:%Y-%m}"


def year_before(month: str) -> str:
    """Return the same month of the year before."""
    return f"{int(month[:4]) - 1:04d}{month[4:]}"


def month_after(month: str) -> str:
    """Return the next month."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"


def parse_bulletins(body: bytes, origin: Origin) -> Bulletins:
    """Return the newest bulletin and those of the year before it. Raises `UnexpectedAnswer` for another shape.

    Months that cannot have been published yet are left out.
    """
    rows = _recent(read_rows(body, required=REQUIRED, optional=OPTIONAL), origin.saved_on)
    if not rows:
        raise UnexpectedAnswer(_("it has no bulletin with a month such as 2026-09, a chart, a category, and a country"))
    cells: dict[_Cell, Cutoff] = {}
    for row in rows:
        key = row["bulletin"], row["chart"], row["category"].upper(), row["country"].upper()
        cutoff = _cutoff(row)
        cells[key] = cutoff if cells.get(key, cutoff) == cutoff else UNKNOWN
    return Bulletins(cells=cells, newest=max(key[0] for key in cells), origin=origin)


def recent_bulletins(body: bytes, saved_on: date) -> bytes:
    """Return the part of a list that `parse_bulletins` reads, as JSON. Raises `UnexpectedAnswer`."""
    rows = _recent(read_rows(body, required=REQUIRED, optional=OPTIONAL), saved_on)
    return json.dumps(rows, separators=(",", ":")).encode()


def _recent(rows: Iterable[Row], saved_on: date) -> list[Row]:
    last = month_after(month_of(saved_on))
    usable = [row for row in rows if _has_place(row) and row["bulletin"] <= last]
    first = year_before(max((row["bulletin"] for row in usable), default=last))
    return [row for row in usable if row["bulletin"] >= first]


def _has_place(row: Row) -> bool:
    return bool(
        _MONTH.fullmatch(row["bulletin"])
        and row["chart"] in set(Chart)
        and _NAME.fullmatch(row["category"].upper())
        and _NAME.fullmatch(row["country"].upper())
    )


def _cutoff(row: Row) -> Cutoff:
    """Return what a row says. Contradictions, and a cutoff after the bulletin's own month, are unknown."""
    kind, text = row["status"].lower(), row["date"]
    if not kind:
        kind = {"C": "current", "U": "unavailable", "": "unknown"}.get(text.upper(), "date")
        text = text if kind == "date" else ""
    if kind in {CutoffKind.CURRENT, CutoffKind.UNAVAILABLE} and text.upper() in {"", kind[0].upper()}:
        return Cutoff(CutoffKind(kind))
    day = day_of(text) if kind == CutoffKind.DATE else None
    return UNKNOWN if day is None or month_of(day) > row["bulletin"] else Cutoff(CutoffKind.DATE, day)


def parse_filing_charts(body: bytes) -> FilingCharts:
    """Return which chart USCIS accepts. Raises `UnexpectedAnswer` for another shape.

    The list is a JSON object `{"2026-09": {"family": "dates_for_filing", …}}`, or rows of bulletin, kind, and chart.
    """
    charts: dict[tuple[str, str], Chart | None] = {}
    for row in _filing_rows(body):
        month, kind, name = (row[column] for column in _FILING_COLUMNS)
        if not _MONTH.fullmatch(month) or kind not in _KINDS:
            continue
        chart = Chart(name) if name in set(Chart) else None
        charts[month, kind] = chart if charts.get((month, kind), chart) is chart else None
    if not charts:
        raise UnexpectedAnswer(_("it does not say for any month which chart USCIS accepts"))
    return {key: chart for key, chart in charts.items() if chart is not None}


def _filing_rows(body: bytes) -> list[Row]:
    content = read_json(body) if body.lstrip()[:1] == b"{" else None
    if not isinstance(content, dict) or "rows" in content:
        return read_rows(body, required=_FILING_COLUMNS)
    return [
        {"bulletin": month, "kind": kind, "chart": chart if isinstance(chart, str) else ""}
        for month, charts in content.items()
        if isinstance(charts, dict)
        for kind, chart in charts.items()
    ]
