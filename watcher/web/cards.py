"""A case as a card, and an account as a line: what the overview shows of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from watcher.context.read_only import ReadOnlyContext
from watcher.model.account_health import AccountState
from watcher.model.case import ItemState, Stage
from watcher.model.change import ChangeKind, RecordedChange
from watcher.model.ledger import TrackedCase, TrackedItem
from watcher.portals import find
from watcher.store.database.locks import FileLocks
from watcher.views.accounts import ShownAccount
from watcher.views.cases import (
    agency_of,
    case_stalls,
    name_of,
    needs_user,
    open_items,
    stage_name,
    status_day,
    status_of,
    today_at,
)
from watcher.views.items import task_text
from watcher.views.stage_line import ShownStep, stage_line
from watcher.views.words import account_text
from watcher.web.case_ids import case_id
from watcher.web.dates import Dates, ShownDate, nearest_day


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownItem:
    """An item as it is shown: what to do, by when, for which case."""

    id: int
    task: str
    title: str
    when: ShownDate | None
    case: str
    case_id: str
    state: ItemState
    tracked: TrackedItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A case as a card."""

    id: str
    name: str
    number: str
    person: str | None
    form: str | None
    agency: str
    status: str
    since: ShownDate | None
    steps: Sequence[ShownStep]
    stage: str
    next: ShownItem | None
    needs_me: bool
    missing: bool
    stalls: bool
    finished: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """An account in one line. `checked_by_person`: the program does not visit the portal."""

    name: str
    agency: str
    state: str
    well: bool
    paused: bool
    awaits_code: bool
    checked_by_person: bool
    handed_over: bool
    checking: bool
    last: ShownDate | None
    next: ShownDate | None
    error: str | None

    @property
    def waits(self) -> bool:
        """Whether the account is not checked, or a sign-in cannot go on, until a person acts."""
        return self.paused or self.awaits_code


def shown_item(case: TrackedCase, item: TrackedItem, dates: Dates) -> ShownItem:
    """Return an item as it is shown."""
    return ShownItem(
        id=item.id,
        task=task_text(item),
        title=item.item.title,
        when=dates.item(item),
        case=name_of(case),
        case_id=case_id(case.case_number),
        state=item.state,
        tracked=item,
    )


def card(case: TrackedCase, stages: Collection[Stage], opened: ReadOnlyContext, dates: Dates) -> Card:
    """Return a case as a card."""
    snapshot, today = case.snapshot, today_at(case.account, opened)
    following = nearest_day(list(open_items(case, today)), opened.settings)
    since = status_day(case)
    return Card(
        id=case_id(case.case_number),
        name=name_of(case),
        number=case.case_number,
        person=case.person,
        form=snapshot.form if snapshot else None,
        agency=agency_of(case.account, opened),
        status=status_of(case),
        since=dates.day(since) if since else None,
        steps=stage_line(case, stages),
        stage=stage_name(snapshot.stage) if snapshot else "",
        next=shown_item(case, following, dates) if following else None,
        needs_me=needs_user(case, today),
        missing=case.is_missing and not case.finished,
        stalls=case_stalls(case, opened) and not case.finished,
        finished=case.finished,
    )


def recorded_stages(cases: Sequence[TrackedCase], opened: ReadOnlyContext) -> Mapping[tuple[str, str], set[Stage]]:
    """Return the stages that the history of each of these cases names, by account and number."""
    numbers = sorted({case.case_number for case in cases})
    found: dict[tuple[str, str], set[Stage]] = defaultdict(set)
    if numbers:
        for change in opened.store.history(case_numbers=numbers, kinds=[ChangeKind.STAGE_CHANGED]):
            found[change.account, change.change.case_number or ""] |= _stages_in(change)
    return found


def _stages_in(recorded: RecordedChange) -> set[Stage]:
    """Return the stages before and after a change of the stage."""
    change = recorded.change
    values = (value.get("stage") if isinstance(value, dict) else value for value in (change.old, change.new))
    return {Stage(value) for value in values if isinstance(value, str) and value in set(Stage)}


def account_lines(accounts: Iterable[ShownAccount], opened: ReadOnlyContext, dates: Dates) -> list[AccountLine]:
    """Return accounts as lines."""
    return [account_line(account, opened, dates) for account in accounts]


def account_line(account: ShownAccount, opened: ReadOnlyContext, dates: Dates) -> AccountLine:
    """Return an account as a line."""
    name, health, now = account.settings.name, account.health, opened.clock.now()
    awaits_code = ChangeKind.MFA_NEEDED in health.notified if health else False
    checked_by_person = account.settings.is_handed_over or find(account.settings.portal).is_manual
    upcoming = account.next_read_at if account.next_read_at and account.next_read_at > now else None
    return AccountLine(
        name=name,
        agency=agency_of(name, opened),
        state=account_text(AccountState.MFA_NEEDED if awaits_code else account.state),
        well=account.is_well and not awaits_code,
        paused=account.state.waits_for_person,
        awaits_code=awaits_code,
        checked_by_person=checked_by_person,
        handed_over=account.settings.is_handed_over,
        checking=is_checking(name, opened),
        last=_moment(health.last_read_at if health else None, dates),
        next=_moment(None if account.state.waits_for_person or checked_by_person else upcoming, dates),
        error=health.last_error if health else None,
    )


def is_checking(account: str, opened: ReadOnlyContext) -> bool:
    """Return whether a process is checking an account now, as far as this machine shows it."""
    locks = opened.store.locks
    return isinstance(locks, FileLocks) and locks.holder(f"account {account}") is not None


def _moment(moment: datetime | None, dates: Dates) -> ShownDate | None:
    return dates.moment(moment) if moment else None
