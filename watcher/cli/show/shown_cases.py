"""Which cases a command shows, in which order, and what they are called."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

import click

from watcher.cli.names import unknown_account, unknown_name
from watcher.context.read_only import ReadOnlyContext
from watcher.language.due_estimates import runs_until
from watcher.messages import _, mark
from watcher.model.case import ItemKind, ItemState, Stage
from watcher.model.ledger import DueSource, TrackedCase, TrackedItem
from watcher.portals import find
from watcher.remind.stalls import is_stalled
from watcher.settings import Settings
from watcher.text.person_names import normalized_name

_SOON = timedelta(days=30)
"""A reminder of the user's own needs nobody before this time."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which cases to show. None: any."""

    account: str | None = None
    person: str | None = None
    stage: str | None = None
    needs_me: bool = False

    def check(self, context: ReadOnlyContext) -> None:
        """Exit with status 2 if the account or the person does not exist."""
        accounts = list(context.settings.accounts)
        if self.account is not None and self.account not in accounts:
            raise unknown_account(self.account, accounts, param_hint="--account")
        people = sorted({case.person for case in context.store.user_cases().values() if case.person})
        if self.person is not None and not any(_is_same(self.person, person) for person in people):
            raise unknown_name(
                self.person,
                people,
                problem=mark("No case belongs to '{name}'."),
                others=mark("People: {names}."),
                if_none=mark("`watcher label CASE --person NAME` says whose a case is."),
                param_hint="--person",
            )

    def apply(self, cases: Iterable[TrackedCase], context: ReadOnlyContext) -> list[TrackedCase]:
        """Return the cases to show."""
        return [case for case in cases if self._shows(case, context)]

    def _shows(self, case: TrackedCase, context: ReadOnlyContext) -> bool:
        stage = case.snapshot.stage if case.snapshot else Stage.UNKNOWN
        return (
            self.account in {None, case.account}
            and (self.person is None or _is_same(self.person, case.person or ""))
            and self.stage in {None, stage.value}
            and (not self.needs_me or needs_user(case, today_at(case.account, context)))
        )


def of_account_and_person(command: _Command) -> _Command:
    """Add the options --account and --person to a command."""
    for option in (
        click.option("--person", metavar="NAME", help="Show only the cases of this person."),
        click.option("--account", metavar="NAME", help="Show only the cases of this account."),
    ):
        command = option(command)
    return command


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
    return is_stalled(case, stall=settings.stall, zone=settings.timezone, now=context.clock.now())


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


def _is_same(one: str, other: str) -> bool:
    return normalized_name(one) == normalized_name(other)
