"""Where a priority date stands in the visa bulletin: the cutoff, the distance, and the pace of the last year. Pure.

The months that the pace would take are arithmetic, not a forecast: the cutoff stops, jumps, and goes back.
"""

from dataclasses import dataclass, field
from datetime import date
from math import ceil

from watcher.model.priority import Priority
from watcher.reference.rows import Origin
from watcher.reference.visa_bulletin import Bulletins, Chart, Cutoff, FilingCharts, month_of, year_before

_BULLETINS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartPlace:
    """Where a priority date stands in one chart.

    `is_current` is None if the bulletin does not say. `days_behind` is how many days the date is after the cutoff, None
    if it is current or there is no cutoff. `moved_days` is the net movement of the last twelve bulletins, and
    `months_at_this_pace` what the distance would take at it; both None unless the cutoff moved forward.
    """

    chart: Chart
    cutoff: Cutoff
    column: str
    is_current: bool | None
    days_behind: int | None = None
    moved_days: int | None = None
    months_at_this_pace: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceInLine:
    """Where a priority date stands in the newest bulletin.

    `accepted` is the chart that USCIS accepts for filing in that month, by `filing_source`; None if it is not known.
    `is_old`: the bulletin of this month is missing.
    """

    priority: Priority
    bulletin: str
    charts: tuple[ChartPlace, ...]
    accepted: Chart | None
    source: str
    filing_source: str
    is_old: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BulletinList:
    """The visa bulletin, with the charts that USCIS accepts, and where and when these were saved."""

    bulletins: Bulletins
    filing_charts: FilingCharts = field(default_factory=dict[tuple[str, str], Chart])
    filing_origin: Origin | None = None

    def has_old_charts(self, today: date) -> bool:
        """Return whether the list of accepted charts ends before this month."""
        newest = max((month for month, _kind in self.filing_charts), default=None)
        return newest is not None and newest < month_of(today)

    def place(self, priority: Priority, today: date) -> PlaceInLine:
        """Return where a priority date stands. `today` is the user's."""
        bulletins = self.bulletins
        return PlaceInLine(
            priority=priority,
            bulletin=bulletins.newest,
            charts=tuple(_chart_place(bulletins, chart, priority) for chart in Chart),
            accepted=self.filing_charts.get((bulletins.newest, priority.kind)),
            source=bulletins.origin.name,
            filing_source=self.filing_origin.name if self.filing_origin else "",
            is_old=bulletins.is_old(today),
        )


def months_for(days_behind: int, moved_days: int) -> int:
    """Return the months until the cutoff has passed a date `days_behind` it, at the pace of twelve bulletins."""
    return ceil((days_behind + 1) * _BULLETINS / moved_days)


def _chart_place(bulletins: Bulletins, chart: Chart, priority: Priority) -> ChartPlace:
    cutoff = bulletins.cutoff(bulletins.newest, chart, priority)
    column = bulletins.column(bulletins.newest, chart, priority)
    is_current = cutoff.is_current(priority.day)
    if is_current is not False or cutoff.day is None:
        return ChartPlace(chart=chart, cutoff=cutoff, column=column, is_current=is_current)
    days_behind = (priority.day - cutoff.day).days
    before = bulletins.cutoff(year_before(bulletins.newest), chart, priority).day
    moved = (cutoff.day - before).days if before is not None else 0
    return ChartPlace(
        chart=chart,
        cutoff=cutoff,
        column=column,
        is_current=False,
        days_behind=days_behind,
        moved_days=moved if moved > 0 else None,
        months_at_this_pace=months_for(days_behind, moved) if moved > 0 else None,
    )
