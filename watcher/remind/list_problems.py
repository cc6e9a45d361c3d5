"""Report once that a published list cannot be used, or is too old, and that it can be used again.

Whether that was reported is read from the history, as for channels.
"""

from watcher.alerts import compose
from watcher.clock.timestamps import iso_text
from watcher.context.context import Context
from watcher.context.reference_lists import short_name, sources_of
from watcher.model.alert import AlertContext
from watcher.model.change import Change, ChangeKind, Json, RecordedChange, severity_of
from watcher.reference.lists import ListName, ListProblem, ProblemKind, ReferenceLists

LIST_ACCOUNT = ""
"""The account in changes about a list, which belongs to none."""

_KINDS = (ChangeKind.LIST_FAILING, ChangeKind.RECOVERED)


def list_subject(name: ListName) -> str:
    """Return the subject of changes about a list."""
    return f"list {name.value}"


def record_list_problems(context: Context, lists: ReferenceLists) -> list[RecordedChange]:
    """Record what is wrong with each list, unless it was recorded, and which work again. The caller holds a lock."""
    sources = sources_of(context.settings)
    if not sources:
        return []
    today = context.clock.now().astimezone(context.settings.timezone).date()
    problems = {problem.name: problem for problem in lists.problems(today)}
    history = context.store.history(accounts=[LIST_ACCOUNT], kinds=_KINDS)
    recorded: list[RecordedChange] = []
    for name, source in sources.items():
        reported = next((entry.change for entry in history if entry.change.subject == list_subject(name)), None)
        change = _change(name, problems.get(name), reported, short_name(source))
        if change is not None:
            recorded += _record(context, change)
    return recorded


def _change(name: ListName, problem: ListProblem | None, reported: Change | None, source: str) -> Change | None:
    """Return the change to record about a list now, if any."""
    is_reported = reported is not None and reported.kind is ChangeKind.LIST_FAILING
    values: dict[str, Json] = {"name": name.value, "list": source}
    if problem is None:
        values["after"] = ChangeKind.LIST_FAILING.value
        return _about(name, ChangeKind.RECOVERED, values) if is_reported else None
    is_old = problem.kind is ProblemKind.OLD
    if is_reported and reported is not None and isinstance(reported.new, dict) and reported.new.get("old") is is_old:
        return None
    values |= {"old": is_old, "reason": problem.reason or None, "saved_on": iso_text(problem.saved_on)}
    return _about(name, ChangeKind.LIST_FAILING, values)


def _about(name: ListName, kind: ChangeKind, values: dict[str, Json]) -> Change:
    return Change(kind=kind, severity=severity_of(kind), subject=list_subject(name), new=values)


def _record(context: Context, change: Change) -> list[RecordedChange]:
    now = context.clock.now()
    about = AlertContext(account=LIST_ACCOUNT, portal_title="", links=None, changes=(change,))
    return context.record([compose.compose(about, context.settings, now=now)], now=now)
