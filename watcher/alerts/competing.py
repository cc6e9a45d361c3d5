"""Appointments that compete: the portal shows several letters and does not say which one holds. Pure."""

from zoneinfo import ZoneInfo

from watcher.alerts.change_facts import item_kind_of, names_appointment
from watcher.model.alert import AlertContext
from watcher.model.appointment_time import AppointmentTime
from watcher.model.case import ItemKind, ItemState, PendingItem
from watcher.model.change import Change, ChangeKind

_KINDS = frozenset({ChangeKind.APPOINTMENT_SCHEDULED, ChangeKind.APPOINTMENT_CHANGED, ChangeKind.DEADLINE_NEAR})


def competing_times(context: AlertContext, zone: ZoneInfo) -> list[AppointmentTime]:
    """Return the times of open appointments of one kind that the alert is about, soonest first; [] if there is one.

    `zone` is that of the office. Appointments that are over at `context.now` do not compete.
    """
    for change in context.changes:
        times = {item.starts_at for item in _appointments(context, change, zone) if item.starts_at is not None}
        if len(times) > 1:
            return sorted(times, key=lambda when: (when.day_in(zone), str(when.begins_in(zone) or "")))
    return []


def _appointments(context: AlertContext, change: Change, zone: ZoneInfo) -> list[PendingItem]:
    if context.snapshot is None or change.kind not in _KINDS or not names_appointment(change):
        return []
    kind = item_kind_of(change)
    return [
        item
        for item in context.snapshot.pending or ()
        if _may_be_the_same(item.kind, kind) and item.state is ItemState.OPEN and not _is_over(item, context, zone)
    ]


def _may_be_the_same(one: ItemKind, other: ItemKind) -> bool:
    """Return whether the kinds are equal, or one is an appointment that the portal does not name."""
    return one is other or (one.is_appointment and other.is_appointment and ItemKind.APPOINTMENT in {one, other})


def _is_over(item: PendingItem, context: AlertContext, zone: ZoneInfo) -> bool:
    return context.now is not None and item.starts_at is not None and item.starts_at.is_over(context.now, zone)
