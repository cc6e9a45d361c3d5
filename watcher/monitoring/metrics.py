"""What Prometheus is told: the only door to prometheus_client, which is imported when somebody asks (it takes 14 MiB).

Labels are portals, outcomes and kinds; never an account's name, never a case number.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING

from watcher.model.alert import AlertState
from watcher.model.change import RecordedChange
from watcher.monitoring.service_status import AccountStatus, ServiceStatus

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"
"""The text format's media type, as prometheus_client writes it (CONTENT_TYPE_LATEST)."""

_STILL_TO_GO = (AlertState.QUEUED, AlertState.HELD)


class Counters:
    """Reads and changes since this process began. Safe to share between threads."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self._lock = Lock()
        self._reads: Counter[tuple[str, str]] = Counter()
        self._changes: Counter[str] = Counter()

    def read(self, portal: str, outcome: str) -> None:
        """Counts one read of an account at this portal."""
        with self._lock:
            self._reads[portal, outcome] += 1

    def changed(self, changes: Iterable[RecordedChange]) -> None:
        """Counts recorded changes."""
        with self._lock:
            self._changes.update(change.change.kind.value for change in changes)

    def reads(self) -> Mapping[tuple[str, str], int]:
        """How many reads, by portal and outcome."""
        with self._lock:
            return dict(self._reads)

    def changes(self) -> Mapping[str, int]:
        """How many changes, by kind."""
        with self._lock:
            return dict(self._changes)


def exposition(condition: ServiceStatus, tally: Counters) -> bytes:
    """Everything there is to meter, in Prometheus' text format."""
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest  # noqa: PLC0415 - 14 MiB
    from prometheus_client.registry import Collector  # noqa: PLC0415

    class Present(Collector):
        def collect(self) -> "Iterator[Metric]":
            yield from _families(condition, tally)

    registry = CollectorRegistry()
    registry.register(Present())
    ProcessCollector(registry=registry)
    return generate_latest(registry)


def _families(condition: ServiceStatus, tally: Counters) -> "Iterator[Metric]":
    from prometheus_client.metrics_core import CounterMetricFamily as Count  # noqa: PLC0415
    from prometheus_client.metrics_core import GaugeMetricFamily as Gauge  # noqa: PLC0415

    yield Gauge("watcher_well", "1 while /healthz answers 200.", value=condition.healthy)
    reads = Count("watcher_reads", "Reads of accounts since the start, by outcome.", labels=["portal", "outcome"])
    for labels, number in tally.reads().items():
        reads.add_metric(labels, number)
    yield reads
    changes = Count("watcher_changes", "Recorded changes since the start, by kind.", labels=["kind"])
    for kind, number in tally.changes().items():
        changes.add_metric([kind], number)
    yield changes
    alerts = Count("watcher_alerts", "Alerts that are done with, by what became of them.", labels=["outcome"])
    queue = Gauge("watcher_alerts_waiting", "Alerts that are still to go out.", labels=["state"])
    for state in AlertState:
        family = queue if state in _STILL_TO_GO else alerts
        family.add_metric([state.value], condition.alerts.get(state, 0))
    yield alerts
    yield queue
    accounts = Gauge("watcher_accounts", "Accounts by their state.", labels=["portal", "state"])
    for labels, number in Counter((one.portal, one.state.value) for one in condition.accounts).items():
        accounts.add_metric(labels, number)
    yield accounts
    age = Gauge(
        "watcher_last_good_read_age_seconds",
        "Time since the last good read, of the account at this portal that has waited longest.",
        labels=["portal"],
    )
    for portal, since in _longest_unread(condition.accounts).items():
        age.add_metric([portal], (condition.at - since).total_seconds())
    yield age


def _longest_unread(accounts: Iterable[AccountStatus]) -> Mapping[str, datetime]:
    """Portal by portal the oldest of the last good reads; an account that was never read well has none."""
    oldest: dict[str, datetime] = {}
    for account in accounts:
        if account.last_read_at is not None:
            oldest[account.portal] = min(account.last_read_at, oldest.get(account.portal, account.last_read_at))
    return oldest
