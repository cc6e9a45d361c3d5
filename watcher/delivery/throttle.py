"""The limit of alerts per hour on a channel. Pure.

A portal may reword the status of two hundred cases at once. Beyond a channel's limit, alerts are combined into one
that lists and counts them. No alert is dropped, and no urgent alert waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from watcher.model.change import Severity


class Queued(Protocol):
    """A due alert, such as `watcher.model.alert.Alert`."""

    @property
    def severity(self) -> Severity:
        """Its severity."""
        ...


_A = TypeVar("_A", bound=Queued)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottlePlan(Generic[_A]):
    """A plan for the alerts of one channel, each group in the original order.

    Send the `separate` ones individually, the `combined` ones (none, or at least two) as one that lists and counts
    them, and the `postponed` ones when the hourly limit permits.
    """

    separate: tuple[_A, ...] = ()
    combined: tuple[_A, ...] = ()
    postponed: tuple[_A, ...] = ()


def throttle(alerts: Sequence[_A], *, limit: int, sent_last_hour: int) -> ThrottlePlan[_A]:
    """Plan the due alerts of one channel, oldest first.

    If the limit permits all of them, each is sent separately. Otherwise urgent ones are sent separately as long as one
    combined alert for everything else still fits. If the limit is reached, urgent ones are combined into one, and the
    rest is postponed. `limit` 0 means no limit.
    """
    remaining = limit - sent_last_hour
    if limit == 0 or len(alerts) <= remaining:
        return ThrottlePlan(separate=tuple(alerts))
    urgent = [alert for alert in alerts if alert.severity is Severity.URGENT]
    if remaining <= 0:
        postponed = tuple(alert for alert in alerts if alert.severity is not Severity.URGENT)
        return _plan((), tuple(urgent), postponed)
    separate = tuple(urgent[: remaining - 1])
    separate_ids = {id(alert) for alert in separate}
    return _plan(separate, tuple(alert for alert in alerts if id(alert) not in separate_ids), ())


def _plan(separate: tuple[_A, ...], combined: tuple[_A, ...], postponed: tuple[_A, ...]) -> ThrottlePlan[_A]:
    if len(combined) == 1:
        return ThrottlePlan(separate=(*separate, *combined), postponed=postponed)
    return ThrottlePlan(separate=separate, combined=combined, postponed=postponed)
