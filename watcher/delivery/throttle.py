"""The limit of messages per hour on a channel. Pure.

A portal may reword the status of two hundred cases at once. Beyond a channel's limit, alerts that are not urgent are
combined into one that lists and counts them. No alert is dropped. Urgent alerts are sent separately and first, even
beyond the limit, to which they count.
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

    Send the `urgent` and the `separate` ones individually, the `combined` ones (none, or at least two) as one that
    lists and counts them, and the `postponed` ones when the hourly limit permits.
    """

    urgent: tuple[_A, ...] = ()
    separate: tuple[_A, ...] = ()
    combined: tuple[_A, ...] = ()
    postponed: tuple[_A, ...] = ()


def throttle(alerts: Sequence[_A], *, limit: int, sent_last_hour: int) -> ThrottlePlan[_A]:
    """Plan the due alerts of one channel, oldest first. `sent_last_hour` counts messages. `limit` 0 means no limit."""
    urgent = tuple(alert for alert in alerts if alert.severity is Severity.URGENT)
    others = tuple(alert for alert in alerts if alert.severity is not Severity.URGENT)
    remaining = limit - sent_last_hour - len(urgent)
    if limit == 0 or len(others) <= remaining:
        return ThrottlePlan(urgent=urgent, separate=others)
    if remaining <= 0:
        return ThrottlePlan(urgent=urgent, postponed=others)
    return ThrottlePlan(urgent=urgent, combined=others)
