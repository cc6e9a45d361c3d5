"""The state of every item of a case after a check: what is open, answered, or closed, and what a title ends. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from watcher.model.case import (
    RECORD_SOURCES,
    STATUS_SOURCE,
    TASK_COUNT_SOURCE,
    UNLISTED_SOURCE,
    ItemKind,
    ItemState,
    PendingItem,
)
from watcher.reading.item_identity import (
    StatusContext,
    by_key,
    days_agree,
    days_contradict,
    is_bare_count,
    is_from_title,
    pair_items,
)

_DETAILS = ("description", "due_on", "starts_at", "place")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusEffect:
    """What the present status does to items: kinds it answers and cancels, and whether it ends the case.

    `nothing_outstanding`: its text says that nothing is outstanding. `since` is its day.
    """

    context: StatusContext
    answers: frozenset[ItemKind]
    cancels: frozenset[ItemKind]
    ends: bool
    nothing_outstanding: bool
    since: date | None

    def ended_state(self, item: PendingItem) -> ItemState | None:
        """Return the state that the status gives an open item; None if it says nothing about it.

        What was asked for after the day of the status is not meant by it, nor is what the status asks for.
        """
        if item.kind is self.context.asks or self._is_older_than(item):
            return None
        if item.kind in self.answers:
            return ItemState.ANSWERED
        is_moot = self.ends or (self.nothing_outstanding and not item.kind.is_appointment)
        return ItemState.CLOSED if is_moot else None

    def newly_ended_state(self, item: PendingItem) -> ItemState | None:
        """Return the same for a status that is new. An item that was open beside this status stays open."""
        return None if self.context.same_status else self.ended_state(item)

    def _is_older_than(self, item: PendingItem) -> bool:
        return self.since is not None and item.asked_on is not None and item.asked_on > self.since

    def keeps_over(self, item: PendingItem) -> bool:
        """Return whether the status still says that an item which is over stays so."""
        return item.kind in self.cancels or self.ended_state(item) is not None


def follow_items(
    known: Sequence[PendingItem], fresh: Iterable[PendingItem], effect: StatusEffect, silent: frozenset[str] | None
) -> tuple[PendingItem, ...]:
    """Return every item of the case by key: the known ones as they are now, and the new ones.

    `silent` are the sources that did not answer this time, None if no source lists items.
    """
    items = _absorb_title(list(fresh), known, effect.context)
    pairs = pair_items(known, items, effect.context)
    unheard = silent or frozenset()
    current = [_updated(old, new, effect, unheard) for old, new in pairs.matched]
    listed_anew = frozenset(item.kind for item in pairs.new if item.is_open and not is_from_title(item))
    current += [_missing(item, effect, silent, listed_anew) for item in pairs.missing]
    has_names = _has_names(current)
    current += [_first_seen(item, effect) for item in pairs.new if not (has_names and is_bare_count(item))]
    return by_key(_cancelled(current, known, effect))


def _first_seen(item: PendingItem, effect: StatusEffect) -> PendingItem:
    """Return a new item. One that only records show is over if the status says so."""
    if not item.is_open or STATUS_SOURCE in item.sources or _lists(item):
        return item
    return replace(item, state=effect.ended_state(item) or ItemState.OPEN)


def _has_names(items: Iterable[PendingItem]) -> bool:
    """Return whether open actions are known by name, so that a mere number of tasks adds nothing."""
    return any(item.is_open and not is_bare_count(item) and not is_from_title(item) for item in items)


# --- the item of the title ----------------------------------------------------------------------------------------


def _absorb_title(items: list[PendingItem], known: Sequence[PendingItem], context: StatusContext) -> list[PendingItem]:
    """Merge an item that the title asks for into the one that the portal lists for it, if any."""
    listed = [item for item in items if not is_from_title(item)]
    for title in [item for item in items if is_from_title(item)]:
        same = next((item for item in listed if _shows_title(item, title, known, context)), None)
        if same is None:
            listed.append(title)
        else:
            listed[listed.index(same)] = _with_title(same, title)
    return listed


def _shows_title(item: PendingItem, title: PendingItem, known: Sequence[PendingItem], context: StatusContext) -> bool:
    if item.kind is not title.kind:
        return False
    if STATUS_SOURCE in item.sources:
        return True
    if item.is_open:
        return not days_contradict(item, title)
    if item.asked_on is not None and title.asked_on is not None and not title.kind.is_appointment:
        return days_agree(item, title)
    return context.same_status and any(_is_of_title(one, item) for one in known)


def _is_of_title(known: PendingItem, item: PendingItem) -> bool:
    """Return whether this is the listed item that the title was about when it was open."""
    same_id = known.portal_id is not None and known.portal_id == item.portal_id
    return STATUS_SOURCE in known.sources and (same_id or known.key == item.key)


def _with_title(item: PendingItem, title: PendingItem) -> PendingItem:
    estimate = item.due_by_estimate or (title.due_by_estimate if item.is_open else None)
    return replace(
        item,
        asked_on=item.asked_on or title.asked_on,
        due_by_estimate=estimate,
        sources=item.sources | title.sources,
    )


# --- a known item that is shown again -----------------------------------------------------------------------------


def _updated(old: PendingItem, new: PendingItem, effect: StatusEffect, silent: frozenset[str]) -> PendingItem:
    """Return a known item as the fresh one shows it, under its key and, unless it becomes more exact, with its kind."""
    item = _described(old, new, silent)
    item = replace(item, state=_state(old, new, effect, silent))
    was_unlisted = UNLISTED_SOURCE in old.sources or (old.is_open and _was_dropped(old, new, effect, silent))
    return _unlisted(item) if was_unlisted and not _lists(new) else item


def _described(old: PendingItem, new: PendingItem, silent: frozenset[str]) -> PendingItem:
    if is_bare_count(new):
        return old
    sources = new.sources if is_bare_count(old) else (old.sources | new.sources) - {UNLISTED_SOURCE}
    if is_from_title(new) and not is_from_title(old):
        return replace(old, sources=sources, asked_on=old.asked_on or new.asked_on)
    same_title = is_from_title(old) and is_from_title(new)
    first, second = (old, new) if same_title else (new, old)
    details = {name: getattr(old, name) for name in _DETAILS if getattr(new, name) is None and old.sources & silent}
    return replace(
        new,
        key=old.key,
        kind=new.kind if old.kind is ItemKind.APPOINTMENT or is_bare_count(old) else old.kind,
        asked_on=first.asked_on or second.asked_on,
        due_by_estimate=first.due_by_estimate or second.due_by_estimate,
        portal_id=new.portal_id or old.portal_id,
        list_key=_list_key(old, new),
        sources=sources,
        **details,
    )


def _list_key(old: PendingItem, new: PendingItem) -> str | None:
    if is_from_title(new):
        return old.list_key
    return None if new.key == old.key else new.key


def _state(old: PendingItem, new: PendingItem, effect: StatusEffect, silent: frozenset[str]) -> ItemState:
    if not old.is_open:
        return ItemState.OPEN if new.is_open and _opens_again(old, new, effect, silent) else old.state
    if not new.is_open:
        listed = _lists(old) & silent and not _lists(new)  # the list showed it as open, and it does not answer
        return old.state if listed or _is_about_another_kind(old, new, effect) else new.state
    if _was_dropped(old, new, effect, silent):
        return effect.ended_state(old) or ItemState.CLOSED
    ended = effect.newly_ended_state(old)
    if _lists(new) and (old.kind.is_appointment or ended is not ItemState.CLOSED):
        return ItemState.OPEN  # what a list shows as open is not answered by a title
    return ended or ItemState.OPEN


def _is_about_another_kind(old: PendingItem, new: PendingItem, effect: StatusEffect) -> bool:
    """Return whether the portal cancelled a letter that it now takes for another appointment than it was."""
    is_other = old.kind is not new.kind and old.kind is not ItemKind.APPOINTMENT
    return is_other and new.kind in effect.cancels and old.kind not in effect.cancels


def _lists(item: PendingItem) -> frozenset[str]:
    """Return the lists of what is open in which the item stands or has stood."""
    return item.sources - RECORD_SOURCES - {STATUS_SOURCE, UNLISTED_SOURCE}


def _unlisted(item: PendingItem) -> PendingItem:
    """Mark an appointment that is over, so that it is open again when a list shows it again, unchanged or not."""
    is_over = item.kind.is_appointment and not item.is_open
    return replace(item, sources=item.sources | {UNLISTED_SOURCE}) if is_over else item


def _was_dropped(old: PendingItem, new: PendingItem, effect: StatusEffect, silent: frozenset[str]) -> bool:
    """Return whether a list in which the item stood answered without it. A status that still asks outweighs that."""
    lists = _lists(old) - {TASK_COUNT_SOURCE}
    if not lists or lists & silent or effect.context.asks is old.kind:
        return False
    return not lists & new.sources and not is_bare_count(new)


def _opens_again(old: PendingItem, new: PendingItem, effect: StatusEffect, silent: frozenset[str]) -> bool:
    """Return whether a list or a new title asks for an item which was over. A mere record does not."""
    if old.sources & silent or effect.keeps_over(old):
        return False
    is_unchanged = (old.starts_at, old.place) == (new.starts_at, new.place)
    if old.kind.is_appointment and is_unchanged and UNLISTED_SOURCE not in old.sources:
        return False
    return bool(_lists(new)) or (STATUS_SOURCE in new.sources and not effect.context.same_status)


# --- a known item that is not shown -------------------------------------------------------------------------------


def _missing(
    item: PendingItem, effect: StatusEffect, silent: frozenset[str] | None, listed_anew: frozenset[ItemKind]
) -> PendingItem:
    has_left = _left_its_list(item, effect, silent, listed_anew)
    is_unlisted = has_left and bool(_lists(item))
    if item.is_open:
        state = ItemState.CLOSED if has_left or _is_replaced(item, effect) else ItemState.OPEN
        item = replace(item, state=effect.newly_ended_state(item) or state)
    return _unlisted(item) if is_unlisted else item


def _left_its_list(
    item: PendingItem, effect: StatusEffect, silent: frozenset[str] | None, listed_anew: frozenset[ItemKind]
) -> bool:
    """Return whether a list answered without the item. What the title still asks for may be what is listed instead."""
    if silent is None or item.sources & silent or (silent and not item.sources):
        return False
    is_asked_for = effect.context.asks is item.kind and item.kind not in listed_anew
    return not is_from_title(item) and not is_asked_for


def _is_replaced(item: PendingItem, effect: StatusEffect) -> bool:
    """Return whether only a title announced this appointment, and another one now announces one of its kind."""
    return is_from_title(item) and not effect.context.same_status and effect.context.replaces(item)


def _cancelled(items: list[PendingItem], known: Sequence[PendingItem], effect: StatusEffect) -> list[PendingItem]:
    """Close, once for each new cancelling title, the item of its kind that was announced last before it.

    Where several are open and it is not known when they were announced, none is closed: the title itself is news.
    """
    if effect.context.same_status:
        return items
    was_open = {item.key for item in known if item.is_open}
    result = list(items)
    for kind in effect.cancels:
        of_kind = [item for item in items if item.kind is kind and item.key in was_open]
        fitting = [item for item in of_kind if effect.since is None or (item.asked_on or date.min) <= effect.since]
        last = max(fitting, key=lambda item: (item.asked_on or date.min, item.key), default=None)
        is_clear = len(of_kind) == 1 or all(item.asked_on is not None for item in of_kind)
        if last is not None and is_clear and all(item.is_open for item in of_kind):
            result[result.index(last)] = replace(last, state=ItemState.CLOSED)
    return result
