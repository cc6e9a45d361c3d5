"""The order in which a channel gets its messages. Pure.

Urgent messages go first. Messages about one case, or about one account, go in the order in which their alerts were
written, so that what arrives last is what is true now. An urgent message therefore takes older ones about its case
along, but it does not wait for a digest or a flood message.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TypeAlias

from watcher.model.alert import HoldReason
from watcher.model.change import Severity
from watcher.store import QueuedAlert

Message: TypeAlias = Sequence[QueuedAlert]
"""Alerts that are sent as one message."""

Subject: TypeAlias = tuple[str, str | None]
"""The account and case that an alert is about; None for the account itself."""

COMBINED_REASONS = (HoldReason.DIGEST, HoldReason.MAYBE_SENT)
"""Why alerts that are not urgent are sent as one digest."""

_BLOCKING_ATTEMPTS = 3
_BLOCKING_ATTEMPTS_URGENT = 2


def subjects_of(message: Message) -> set[Subject]:
    """Return what the alerts of the message are about. One about an account may be about several of its cases, too."""
    return {
        (queued.account, number)
        for queued in message
        for number in (queued.case_number, *(change.change.case_number for change in queued.changes))
    }


def attempts_of(message: Message) -> int:
    """Return how often the message has failed."""
    return max(queued.alert.attempts for queued in message)


def is_urgent(message: Message) -> bool:
    """Return whether an alert of the message is urgent."""
    return any(queued.alert.severity is Severity.URGENT for queued in message)


def following(due: Iterable[QueuedAlert], earlier: Iterable[QueuedAlert]) -> set[int]:
    """Return the numbers of due alerts that wait for an earlier one about the same case which cannot be sent yet.

    An urgent one waits only for its like. Every alert waits for one that another delivery is sending at this moment.
    """
    oldest: dict[Subject, int] = {}
    oldest_for_urgent: dict[Subject, int] = {}
    for queued in earlier:
        holds_back_urgent = queued.is_claimed or is_urgent([queued])
        for subject in subjects_of([queued]):
            for found in (oldest, oldest_for_urgent) if holds_back_urgent else (oldest,):
                found[subject] = min(queued.alert.id, found.get(subject, queued.alert.id))
    return {
        queued.alert.id
        for queued in due
        for found in [oldest_for_urgent if is_urgent([queued]) else oldest]
        if any(found.get(subject, queued.alert.id) < queued.alert.id for subject in subjects_of([queued]))
    }


def in_order(messages: Sequence[Message]) -> list[Message]:
    """Return the messages in the order in which to send them; of equal rank, those that failed least often first."""
    ranked = sorted(messages, key=lambda message: (not is_urgent(message), attempts_of(message)))
    placement = _Placement(ranked)
    for message in ranked:
        placement.place(message)
    return placement.placed


def ready(waiting: Sequence[Message], failed: Collection[Message]) -> Iterator[Message]:
    """Return the messages that may be sent now: no earlier one about the same case waits, or has just failed."""
    taken: set[Subject] = set()
    for message in waiting:
        subjects = subjects_of(message)
        if not subjects & taken and not any(_holds_back(earlier, message) for earlier in failed):
            yield message
        taken |= subjects


def _holds_back(failed: Message, later: Message) -> bool:
    """Return whether a message that has just failed holds back a later one about the same case.

    After a few failures it does not: it may be the message that the service refuses. Its attempts are counted as before
    the failure.
    """
    limit = _BLOCKING_ATTEMPTS_URGENT if is_urgent(later) else _BLOCKING_ATTEMPTS
    return attempts_of(failed) + 1 < limit and bool(subjects_of(failed) & subjects_of(later))


def _oldest(message: Message) -> dict[Subject, int]:
    """Return the number of the oldest alert about each subject."""
    oldest: dict[Subject, int] = {}
    for queued in sorted(message, key=lambda queued: queued.alert.id):
        for subject in subjects_of([queued]):
            oldest.setdefault(subject, queued.alert.id)
    return oldest


def _is_combined(message: Message) -> bool:
    """Return whether the message is a digest, even of one alert, or a flood message."""
    return len(message) > 1 or message[0].hold_reason in COMBINED_REASONS


class _Placement:
    """Places messages one after the other, each after those that precede it.

    Two that precede each other (a digest and a flood message about the same cases) keep the order of their rank.
    """

    def __init__(self, ranked: Sequence[Message]) -> None:
        self.placed: list[Message] = []
        self._begun: set[int] = set()
        self._by_subject: dict[Subject, list[tuple[int, Message]]] = defaultdict(list)
        for message in ranked:
            for subject, number in _oldest(message).items():
                self._by_subject[subject].append((number, message))
        for entries in self._by_subject.values():
            entries.sort(key=lambda entry: entry[0])

    def place(self, message: Message) -> None:
        """Place the message, and before it those that precede it and have no place yet."""
        if id(message) in self._begun:
            return
        self._begun.add(id(message))
        for earlier in self._preceding(message):
            self.place(earlier)
        self.placed.append(message)

    def _preceding(self, message: Message) -> Iterator[Message]:
        for subject, number in _oldest(message).items():
            for earlier_number, earlier in self._by_subject[subject]:
                if earlier_number >= number:
                    break
                if not is_urgent(message) or is_urgent(earlier) or not _is_combined(earlier):
                    yield earlier
