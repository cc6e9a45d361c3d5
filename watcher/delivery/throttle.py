"""How many alerts a channel gets within an hour, and what becomes of the rest. Pure.

A portal that relabels two hundred cases at once is one piece of news: beyond a channel's limit, alerts are folded into
one that lists and counts. Nothing is dropped, and nothing urgent ever waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from watcher.model.change import Severity


class Queued(Protocol):
    """An alert whose time has come; `watcher.model.alert.Alert` is one."""

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        ...


_A = TypeVar("_A", bound=Queued)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottlePlan(Generic[_A]):
    """What to do with the alerts of one channel, each group in the order given.

    `alone` go one by one, `together` as one that lists and counts them (none, or at least two), `later` when the hour
    has room again.
    """

    separate: tuple[_A, ...] = ()
    combined: tuple[_A, ...] = ()
    postponed: tuple[_A, ...] = ()


def throttle(alerts: Sequence[_A], *, limit: int, sent_last_hour: int) -> ThrottlePlan[_A]:
    """Divides the alerts of one channel that are due, oldest first.

    While the hour has room for all, each goes alone. Else urgent ones go alone as far as there is room beside one
    folded alert for everything else. In a full hour urgent ones still go, folded into one, and the rest waits.
    `limit` 0 is no limit.
    """
    room = limit - sent_last_hour
    if limit == 0 or len(alerts) <= room:
        return ThrottlePlan(separate=tuple(alerts))
    urgent = [alert for alert in alerts if alert.severity is Severity.URGENT]
    if room <= 0:
        later = tuple(alert for alert in alerts if alert.severity is not Severity.URGENT)
        return _together((), tuple(urgent), later)
    alone = tuple(urgent[: room - 1])
    apart = {id(alert) for alert in alone}
    return _together(alone, tuple(alert for alert in alerts if id(alert) not in apart), ())


def _together(alone: tuple[_A, ...], together: tuple[_A, ...], later: tuple[_A, ...]) -> ThrottlePlan[_A]:
    if len(together) == 1:
        return ThrottlePlan(separate=(*alone, *together), postponed=later)
    return ThrottlePlan(separate=alone, combined=together, postponed=later)
