"""The alert after the first check that read a case: to each channel, which of its cases are watched from now on."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from watcher.alerts.first_contact import FirstContact, WatchedCase, compose_first_contact
from watcher.context.context import Context
from watcher.context.reference_lists import load_lists
from watcher.model.change import ChangeKind
from watcher.model.reminder import DueReminder
from watcher.model.writes import WriteSet
from watcher.portal import Portal
from watcher.remind.stalls import stall_reminder
from watcher.settings import AccountSettings


def without_case_added(writes: WriteSet) -> WriteSet:
    """Return the writes without the alert that only says that the case is watched now: the first contact does."""
    kinds = {index: change.kind for index, change in enumerate(writes.changes)}
    drafts = [
        draft for draft in writes.drafts if {kinds[index] for index in draft.routed.changes} != {ChangeKind.CASE_ADDED}
    ]
    return replace(writes, drafts=tuple(drafts))


def first_contact(
    account: AccountSettings, portal: Portal, context: Context, numbers: Collection[str], *, now: datetime
) -> list[WriteSet]:
    """Return the alerts about the account's cases, with the reminders that they make unnecessary. Does not write.

    A case that has already been in its stage for longer than its threshold says so here, so that no `stalled` follows
    until `repeat` has passed. The alerts are about the changes `case_added` that the store has.
    """
    settings, reminders, watched = context.settings, list[DueReminder](), list[WatchedCase]()
    added: dict[str | None, list[int]] = defaultdict(list)
    lists, today = load_lists(context.store, settings, now), now.astimezone(settings.timezone).date()
    for entry in context.store.history(accounts=[account.name], kinds={ChangeKind.CASE_ADDED}):
        added[entry.change.case_number].append(entry.id)
    for case in context.store.tracked_cases(account.name):
        if case.snapshot is None or case.case_number not in numbers:
            continue
        stall = stall_reminder(
            case,
            stall=settings.stall,
            published=settings.stall.published,
            zone=settings.timezone,
            now=now,
            marks=(),
            inquiry=lists.inquiry_standing(case, today),
        )
        reminders += [stall] if stall else []
        watched.append(
            WatchedCase(
                snapshot=case.snapshot,
                days_without_change=_days(stall),
                label=case.label,
                person=case.person,
                plain_status=portal.plain_status_of(account, case.snapshot),
                added=tuple(added[case.case_number]),
            )
        )
    contact = FirstContact(
        account=account.name,
        portal_title=portal.agency_of(account),
        link=portal.links(account).sign_in,
        cases=watched,
        caution=portal.caution(account),
    )
    sent = WriteSet(account=account.name, reminders=tuple(reminder.sent_reminder for reminder in reminders))
    alerts = compose_first_contact(contact, settings, now=now)
    return [sent, *(context.marked_if_uncertain(account, writes) for writes in alerts)]


def _days(stall: DueReminder | None) -> int | None:
    new = stall.change.new if stall else None
    days = new.get("days") if isinstance(new, dict) else None
    return days if isinstance(days, int) else None
