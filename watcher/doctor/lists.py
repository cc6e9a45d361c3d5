"""Checks of the published lists that cases are compared with."""

from collections.abc import Iterator
from pathlib import Path

from watcher.app import App
from watcher.context.reference_lists import load_lists, sources_of
from watcher.doctor.finding import Finding, ok, warning
from watcher.messages import _, plural
from watcher.reference.lists import ListName, ReferenceLists
from watcher.views.published_lists import problem_sentence


def check_lists(app: App) -> Iterator[Finding]:
    """Report each list: how new it is, or why it cannot be used. Fetches nothing."""
    now = app.clock.now()
    lists = load_lists(app.store, app.settings, now)
    problems = {problem.name: problem for problem in lists.problems(now.astimezone(app.settings.timezone).date())}
    for name, source in sources_of(app.settings).items():
        about = f"[reference] {name.value}"
        if name in problems:
            remedy = (
                _("correct the file, or name another one")
                if isinstance(source, Path)
                else _("wait for the next day's attempt, or name another address or a file")
            )
            yield warning(about, problem_sentence(problems[name]), remedy)
        else:
            yield ok(about, _state(name, source, lists))


def _state(name: ListName, source: Path | str, lists: ReferenceLists) -> str:
    if name is ListName.INQUIRY_DATES and lists.inquiry is not None:
        rows = lists.inquiry.rows
        newest = max(row.as_of for row in rows)
        unusable = sum(row.day is None for row in rows)
        return plural(
            "{source}: {n} line, {unusable} without a usable date, as of {day}",
            "{source}: {n} lines, {unusable} without a usable date, as of {day}",
            len(rows),
            source=source,
            unusable=unusable,
            day=newest,
        )
    if name is ListName.VISA_BULLETIN and lists.bulletin is not None:
        return _(
            "{source}: the newest bulletin is that for {month}", source=source, month=lists.bulletin.bulletins.newest
        )
    if name is ListName.FILING_CHART and lists.bulletin is not None and lists.bulletin.filing_charts:
        newest_month = max(month for month, _kind in lists.bulletin.filing_charts)
        return _("{source}: the newest month is {month}", source=source, month=newest_month)
    return _("{source}: not fetched yet", source=source)
