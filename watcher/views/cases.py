"""Which cases are shown, in which order, and what they are called."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from watcher.context.read_only import ReadOnlyContext
from watcher.language.catalogue import load_catalogue
from watcher.language.due_estimates import runs_until
from watcher.messages import _, current_language, mark
from watcher.model.case import ItemKind, ItemState, Stage
from watcher.model.ledger import DueSource, TrackedCase, TrackedItem
from watcher.portals import find
from watcher.remind.stalls import is_stalled
from watcher.settings import Settings
from watcher.text.person_names import normalized_name

_NOT_KNOWN = mark("{case}: {agency} does not know this number. Check it for a typo.")
_NOT_SHOWN = mark("{case}: no longer shown by {agency}. Look on the official site.")
_SOON = timedelta(days=30)
"""A reminder of the user's own needs nobody before this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which cases to show. None: any."""

    account: str | None = None
    person: str | None = None
    stage: str | None = None
    needs_me: bool = False

    def apply(self, cases: Iterable[TrackedCase], context: ReadOnlyContext) -> list[TrackedCase]:
        """Return the cases to show."""
        return [case for case in cases if self._shows(case, context)]

    def _shows(self, case: TrackedCase, context: ReadOnlyContext) -> bool:
        stage = case.snapshot.stage if case.snapshot else Stage.UNKNOWN
        return (
            self.account in {None, case.account}
            and (self.person is None or is_same_person(self.person, case.person or ""))
            and self.stage in {None, stage.value}
            and (not self.needs_me or needs_user(case, today_at(case.account, context)))
        )


def name_of(case: TrackedCase) -> str:
    """Return the case as its user calls it: its label, else person and form, else the number."""
    form = case.snapshot.form if case.snapshot else None
    return case.label or (f"{case.person}: {form}" if case.person and form else case.person or case.case_number)


def open_items(case: TrackedCase, today: date) -> Iterator[TrackedItem]:
    """Yield what the user has to do for the case. A reminder of the user's own counts from 30 days before its day."""
    for item in pending_items(case):
        is_far = item.item.kind is ItemKind.REMINDER and item.due is not None and item.due[0] - today > _SOON
        if not is_far:
            yield item


def pending_items(case: TrackedCase) -> Iterator[TrackedItem]:
    """Yield the open items. In a finished case, only reminders of the user's own have alerts, so only they count."""
    for item in case.items:
        if item.state is ItemState.OPEN and (not case.finished or item.item.kind is ItemKind.REMINDER):
            yield item


def needs_user(case: TrackedCase, today: date) -> bool:
    """Return whether something is open, or the agency does not show the case."""
    return any(open_items(case, today)) or (case.is_missing and not case.finished)


def day_of(item: TrackedItem, settings: Settings) -> date:
    """Return the day of an item's appointment or its due date, whichever comes first; `date.max` if it has neither."""
    days = [item.item.starts_at.day_in(settings.office_zone(item.account))] if item.item.starts_at else []
    days += [item.due[0]] if item.due else []
    return min(days, default=date.max)


def has_passed(item: TrackedItem, context: ReadOnlyContext) -> bool:
    """Return whether an open item's appointment, or else its due date, has passed.

    An estimate has not passed before the next business day is over.
    """
    if item.state is not ItemState.OPEN:
        return False
    if item.item.starts_at is not None:
        return item.item.starts_at.is_over(context.clock.now(), context.settings.office_zone(item.account))
    if item.due is None:
        return False
    day, source = item.due
    return (runs_until(item.item.kind, day) if source is DueSource.ESTIMATE else day) < today_at(item.account, context)


def today_at(account: str, context: ReadOnlyContext) -> date:
    """Return the day at the office of an account."""
    return context.clock.now().astimezone(context.settings.office_zone(account)).date()


def agency_of(account: str, context: ReadOnlyContext) -> str:
    """Return the name of the agency that an account's cases are at."""
    configured = context.settings.accounts.get(account)
    return find(configured.portal).agency_of(configured) if configured else _("The agency")


def case_stalls(case: TrackedCase, context: ReadOnlyContext) -> bool:
    """Return whether the case has stood still for longer than its threshold."""
    settings = context.settings
    inquiry = context.lists.inquiry_standing(case, context.today)
    return is_stalled(case, stall=settings.stall, zone=settings.timezone, now=context.clock.now(), inquiry=inquiry)


def urgency(case: TrackedCase, context: ReadOnlyContext) -> tuple[int, int, str]:
    """Return a key that sorts cases: what needs the user soonest, what is missing, what stalls, the newest status."""
    items = list(open_items(case, today_at(case.account, context)))
    if items:
        return 0, min(day_of(item, context.settings) for item in items).toordinal(), case.case_number
    if case.is_missing:
        return 1, 0, case.case_number
    since = case.snapshot.status_since if case.snapshot else None
    newest_first = -(since or case.stage_since or date.min).toordinal()
    return 2 if case_stalls(case, context) else 3, newest_first, case.case_number


def is_same_person(one: str, other: str) -> bool:
    """Return whether two spellings name the same person."""
    return normalized_name(one) == normalized_name(other)


def needed_items(cases: Iterable[TrackedCase], context: ReadOnlyContext) -> list[tuple[TrackedCase, TrackedItem]]:
    """Return what the user has to do in these cases, soonest first."""
    todo = [(case, item) for case in cases for item in open_items(case, today_at(case.account, context))]
    return sorted(todo, key=lambda entry: (day_of(entry[1], context.settings), entry[1].id))


def missing_cases(cases: Iterable[TrackedCase]) -> list[TrackedCase]:
    """Return the cases that the agency does not know, or no longer shows."""
    return [case for case in cases if case.is_missing and not case.finished]


def missing_text(case: TrackedCase, context: ReadOnlyContext) -> str:
    """Return what is wrong with a missing case, and what to do."""
    sentence = _NOT_KNOWN if case.snapshot is None else _NOT_SHOWN
    name = name_of(case)
    numbered = name if name == case.case_number else f"{name} ({case.case_number})"
    return _(sentence, case=numbered, agency=agency_of(case.account, context))


def groups_of(cases: Iterable[TrackedCase], context: ReadOnlyContext) -> list[tuple[str, list[TrackedCase]]]:
    """Return the cases by person, those without a person last, and the finished ones at the end.

    Each group has a heading, except if no case has a person.
    """
    by_person: dict[tuple[bool, str], list[TrackedCase]] = defaultdict(list)
    for case in sorted(cases, key=lambda case: urgency(case, context)):
        by_person[case.finished, "" if case.finished else normalized_name(case.person or "")].append(case)
    ordered = sorted(by_person.items(), key=lambda entry: (entry[0][0], not entry[0][1]))
    if all(not finished and not person for finished, person in by_person):
        return [("", group) for _key, group in ordered]
    return [(_heading(group), group) for _key, group in ordered]


def _heading(group: Sequence[TrackedCase]) -> str:
    case = group[0]
    return _("Finished") if case.finished else case.person or _("Without a person")


def status_of(case: TrackedCase) -> str:
    """Return the agency's own words for the status of a case, or else its stage."""
    if case.snapshot is None:
        return _("not checked yet")
    return case.snapshot.status or stage_name(case.snapshot.stage)


def stage_name(stage: Stage) -> str:
    """Return the name of a stage."""
    return load_catalogue(current_language()).message("stage", stage, "name")


def status_day(case: TrackedCase) -> date | None:
    """Return since when a case has its status, or else its stage."""
    return (case.snapshot.status_since if case.snapshot else None) or case.stage_since
