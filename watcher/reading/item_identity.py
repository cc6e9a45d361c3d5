"""Decide which item of a fresh snapshot is which known one. Pure, for every portal.

The same request can be known by a status title, an event code, a letter, and an entry of a list, in any order; a second
request can look like the first. So the known items, also those that were answered or closed, are paired with the
fresh ones rule by rule, the surest rule first. A fresh item without a partner is a new one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from watcher.model.case import STATUS_SOURCE, TASK_COUNT_SOURCE, ItemKind, ItemState, PendingItem

_UTC = ZoneInfo("UTC")  # any zone: two days of one portal are compared
SAME_DAY = timedelta(days=3)
"""Two sources may date one request slightly apart: local days, UTC, the day of ordering and that of mailing."""
_SAME_REQUEST = timedelta(days=30)
"""Ordering, mailing, and listing one request takes days, at most weeks."""
_SAME_APPOINTMENT = timedelta(days=45)
"""The longest time between a title that announces an appointment and the letter that states its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusContext:
    """What the two statuses say about each other.

    `same_status`: the same title with the same text or the same day. `asked_before` and `asks` are the kinds that the
    earlier and the present title ask for. `same_language`: the titles of items can be compared. `reschedules`: the
    present title says that the appointment it asks for replaces an earlier one.
    """

    same_status: bool
    asked_before: ItemKind | None
    asks: ItemKind | None
    same_language: bool = True
    reschedules: bool = False

    def asks_again(self, kind: ItemKind) -> bool:
        """Return whether another title than before asks for the same kind: a second request."""
        return not self.same_status and self.asked_before is kind and self.asks is kind

    def replaces(self, item: PendingItem) -> bool:
        """Return whether the present title announces another appointment instead of this one."""
        is_announced_again = is_from_title(item) and not self.same_status
        return item.kind.is_appointment and self.asks is item.kind and (self.reschedules or is_announced_again)


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs of known and fresh items, and those without a partner, in the order of their keys."""

    matched: Sequence[tuple[PendingItem, PendingItem]]
    missing: Sequence[PendingItem]
    new: Sequence[PendingItem]


def pair_items(known: Iterable[PendingItem], fresh: Iterable[PendingItem], context: StatusContext) -> Pairs:
    """Pair the items; each is in at most one pair. New items get a key that no known item has."""
    missing = sorted(known, key=_order)
    new = sorted(fresh, key=_order)
    matched: list[tuple[PendingItem, PendingItem]] = []
    for rule in (_same_id, _same_title, _same_days, _title_and_list, _same_otherwise):
        for item in tuple(new):
            partner = _partner(item, missing, rule, context)
            if partner is not None:
                matched.append((partner, item))
                missing.remove(partner)
                new.remove(item)
    taken = {item.key for item in missing} | {item.key for item, _ in matched}
    return Pairs(matched, missing, _with_new_keys(new, taken))


def is_from_title(item: PendingItem) -> bool:
    """Return whether only a status title shows the item."""
    return item.sources == {STATUS_SOURCE}


def days_contradict(one: PendingItem, other: PendingItem) -> bool:
    """Return whether both are dated, and too far apart to be one request or one appointment."""
    if one.asked_on is None or other.asked_on is None:
        return False
    limit = _SAME_APPOINTMENT if one.kind.is_appointment else _SAME_REQUEST
    return abs(one.asked_on - other.asked_on) > limit


def days_agree(one: PendingItem, other: PendingItem, tolerance: timedelta = SAME_DAY) -> bool:
    """Return whether both were asked for on about the same day or, undated, have the same date to keep."""
    if one.asked_on is not None and other.asked_on is not None:
        return abs(one.asked_on - other.asked_on) <= tolerance
    return _kept_date(one) is not None and _kept_date(one) == _kept_date(other)


def is_bare_count(item: PendingItem) -> bool:
    """Return whether the portal gives only a number of tasks and no name."""
    return item.sources == {TASK_COUNT_SOURCE}


def _order(item: PendingItem) -> tuple[bool, date, str]:
    """Open items first, then the oldest."""
    return (item.state is not ItemState.OPEN, item.asked_on or date.max, item.key)


_Rule = Callable[[PendingItem, PendingItem, StatusContext], bool]


def _partner(
    item: PendingItem, known: Sequence[PendingItem], rule: _Rule, context: StatusContext
) -> PendingItem | None:
    fitting = [other for other in known if _compatible(other, item) and rule(other, item, context)]
    return min(fitting, key=lambda other: _distance(other, item), default=None)


def _distance(known: PendingItem, fresh: PendingItem) -> tuple[bool, bool, timedelta, bool]:
    days = abs(known.asked_on - fresh.asked_on) if known.asked_on and fresh.asked_on else timedelta.max
    return (not _has_key_of(known, fresh), known.is_open is not fresh.is_open, days, known.kind is not fresh.kind)


def _compatible(known: PendingItem, fresh: PendingItem) -> bool:
    """Return whether the kinds fit and the portal's own ids, if both have one, are the same."""
    if known.portal_id is not None and fresh.portal_id is not None and known.portal_id != fresh.portal_id:
        return False
    if known.kind is fresh.kind or is_bare_count(known) or is_bare_count(fresh):
        return True
    are_appointments = known.kind.is_appointment and fresh.kind.is_appointment
    is_refined = ItemKind.APPOINTMENT in (known.kind, fresh.kind)
    return are_appointments and (is_refined or _has_same_id(known, fresh))


def _has_same_id(known: PendingItem, fresh: PendingItem) -> bool:
    if known.portal_id is not None and fresh.portal_id is not None:
        return known.portal_id == fresh.portal_id
    return _has_key_of(known, fresh)


def _has_key_of(known: PendingItem, fresh: PendingItem) -> bool:
    return fresh.key in {known.key, known.list_key}


def _same_id(known: PendingItem, fresh: PendingItem, context: StatusContext) -> bool:
    """The portal's own id or key. A title's key says nothing: every request of that kind and day has it."""
    if is_from_title(fresh) or not _has_same_id(known, fresh):
        return False
    return not _is_asked_again(known, fresh, context)


def _is_asked_again(known: PendingItem, fresh: PendingItem, context: StatusContext) -> bool:
    """Return whether an item that was over is open again as another request: other words, or a later day.

    Without days, a new title that asks for what had been answered asks for something else.
    """
    if known.is_open or not fresh.is_open:
        return False
    if None in (known.asked_on, fresh.asked_on):
        is_later = known.state is ItemState.ANSWERED and context.asks is known.kind and not context.same_status
    else:
        is_later = not days_agree(known, fresh)
    return is_later or (context.same_language and known.title != fresh.title and not is_from_title(known))


def _same_title(known: PendingItem, fresh: PendingItem, context: StatusContext) -> bool:
    """Two items of titles are one if the status is the same, or if both are of the same day."""
    if not (is_from_title(known) and is_from_title(fresh)):
        return False
    if fresh.state is ItemState.ANSWERED and fresh.asked_on is None:
        return True  # an answer alone implies a request; it is the known one
    if known.is_open:
        same_words = context.same_language and known.title == fresh.title
        tolerance = SAME_DAY if same_words else timedelta()
        return context.same_status or (_is_of_last_title(known, context) and days_agree(known, fresh, tolerance))
    if known.asked_on is None or fresh.asked_on is None:
        return context.same_status
    return days_agree(known, fresh, timedelta()) and (not context.same_language or known.title == fresh.title)


def _is_of_last_title(known: PendingItem, context: StatusContext) -> bool:
    return context.asked_before in {None, known.kind}


def _same_days(known: PendingItem, fresh: PendingItem, context: StatusContext) -> bool:
    """The same kind on about the same day, in different sources or under another key of the same source."""
    if is_from_title(known) and is_from_title(fresh):
        return False
    if is_bare_count(known) or is_bare_count(fresh):
        return known.is_open and fresh.is_open
    return days_agree(known, fresh) and not _is_asked_again(known, fresh, context)


def _title_and_list(known: PendingItem, fresh: PendingItem, context: StatusContext) -> bool:
    """An item that a title asks for and one that the portal lists: the list comes late, or is empty for once."""
    if is_from_title(known) is is_from_title(fresh) or days_contradict(known, fresh):
        return False
    if is_from_title(fresh) and not known.is_open:
        return context.same_status
    return known.is_open and fresh.is_open and not context.asks_again(known.kind)


def _same_otherwise(known: PendingItem, fresh: PendingItem, context: StatusContext) -> bool:
    """Items that are both open or both over, and that nothing tells apart."""
    are_alike = known.is_open is fresh.is_open and not fresh.kind.is_appointment
    if not are_alike or is_from_title(fresh) or (is_from_title(known) and known.is_open):
        return False
    if known.portal_id is not None and fresh.portal_id is not None:
        return False
    if known.asked_on is not None and fresh.asked_on is not None:
        return days_agree(known, fresh, _SAME_REQUEST)
    is_same_list = known.sources == fresh.sources and known.asked_on is fresh.asked_on
    return not is_same_list and (known.title == fresh.title or not context.same_language)


def _kept_date(item: PendingItem) -> date | None:
    return item.starts_at.day_in(_UTC) if item.starts_at is not None else item.due_on


def _with_new_keys(items: Sequence[PendingItem], taken: set[str]) -> list[PendingItem]:
    """Return the items, each under its own key or, if that is taken, with a number behind it."""
    keyed: list[PendingItem] = []
    for item in items:
        key, number = item.key, 1
        while key in taken:
            number += 1
            key = f"{item.key}#{number}"
        taken.add(key)
        keyed.append(item if key == item.key else replace(item, key=key, list_key=item.key))
    return keyed


def by_key(items: Iterable[PendingItem]) -> tuple[PendingItem, ...]:
    """Return the items ordered by key."""
    unique: Mapping[str, PendingItem] = {item.key: item for item in items}
    return tuple(unique[key] for key in sorted(unique))
