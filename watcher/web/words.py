"""Words of the page about things that no command shows."""

from collections.abc import Iterable

from watcher.messages import _, mark
from watcher.views.cases import stage_name
from watcher.views.stage_line import ShownStep, Step, StepTime
from watcher.web.visitor import Visitor

_STEPS = {
    Step.RECEIVED: mark("Received"),
    Step.BIOMETRICS: mark("Biometrics"),
    Step.REVIEW: mark("Review"),
    Step.INTERVIEW: mark("Interview"),
    Step.DECISION: mark("Decision"),
    Step.CARD: mark("Card"),
}
_TIMES = {StepTime.PAST: mark("done"), StepTime.PRESENT: mark("now"), StepTime.UNKNOWN: mark("not known")}


def step_name(step: ShownStep) -> str:
    """Return the name of a step; at the present one, that of the stage, which says more."""
    return stage_name(step.stage) if step.stage else _(_STEPS[step.step])


def time_name(time: StepTime) -> str:
    """Return when a step is, in a word or two."""
    return _(_TIMES[time])


def line_words(steps: Iterable[ShownStep]) -> str:
    """Return the stage line in words, for those who do not see it."""
    return ", ".join(_("{step}: {time}", step=step_name(step), time=time_name(step.time)) for step in steps)


def navigation(visitor: Visitor | None) -> list[tuple[str, str]]:
    """Return the names of the main pages' routes for a visitor, with what they are called."""
    if visitor is None or visitor.kind != "device":
        return []
    pages = [("overview", _("Overview")), ("letters", _("Letters")), ("calendar", _("Calendar"))]
    if visitor.sees_all:
        pages.append(("alerts", _("Alerts")))
    return [*pages, ("settings", _("Settings"))]
