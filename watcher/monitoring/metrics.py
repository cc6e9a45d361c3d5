"""Metrics for Prometheus. The only module that uses prometheus_client, which takes 7 MiB and is imported on request.

Labels are portals, outcomes, and kinds, never an account's name or a case number.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from watcher.model.alert import AlertState
from watcher.model.change import Json, RecordedChange
from watcher.monitoring.reported_status import ReportedAccount
from watcher.monitoring.service_status import ServiceStatus

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"
"""The media type of prometheus_client's text format (CONTENT_TYPE_LATEST)."""

_PENDING = (AlertState.QUEUED, AlertState.HELD)


class Counters:
    """Checks and changes, counted. Thread-safe.

    A worker counts, and sends the increments with each of its reports: `counters.take()`. The supervisor sums them
    since its start, `counters.add(increments)`, for the process that answers `/metrics`.
    """

    def __init__(self) -> None:
        """Start at zero."""
        self._lock = Lock()
        self._checks: Counter[tuple[str, str]] = Counter()
        self._changes: Counter[str] = Counter()

    def count_check(self, portal: str, outcome: str) -> None:
        """Count one check of an account at this portal."""
        with self._lock:
            self._checks[portal, outcome] += 1

    def count_changes(self, changes: Iterable[RecordedChange]) -> None:
        """Count recorded changes."""
        with self._lock:
            self._changes.update(change.change.kind.value for change in changes)

    def take(self) -> dict[str, Json]:
        """Return the numbers as a message, and start again at zero."""
        with self._lock:
            checks, self._checks = self._checks, Counter()
            changes, self._changes = self._changes, Counter()
        return _message(checks, changes)

    def to_json(self) -> dict[str, Json]:
        """Return the numbers as a message."""
        return _message(self.checks(), self.changes())

    def add(self, increments: Mapping[str, Any]) -> None:
        """Add what `take` or `to_json` returned elsewhere. Raises `KeyError` or `ValueError` for anything else."""
        checks = {(portal, outcome): number for portal, outcome, number in increments["checks"]}
        changes = increments["changes"]
        with self._lock:
            self._checks.update(checks)
            self._changes.update(changes)

    def checks(self) -> Mapping[tuple[str, str], int]:
        """Return the number of checks by portal and outcome."""
        with self._lock:
            return dict(self._checks)

    def changes(self) -> Mapping[str, int]:
        """Return the number of changes by kind."""
        with self._lock:
            return dict(self._changes)


def _message(checks: Mapping[tuple[str, str], int], changes: Mapping[str, int]) -> dict[str, Json]:
    return {"checks": [[*labels, number] for labels, number in checks.items()], "changes": dict(changes)}


def exposition(status: ServiceStatus, counters: Counters, process: int) -> bytes:
    """Return all metrics in Prometheus' text format, also the memory and CPU time of the daemon's `process`."""
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest  # noqa: PLC0415 - 7 MiB
    from prometheus_client.registry import Collector  # noqa: PLC0415

    class Current(Collector):
        def collect(self) -> "Iterator[Metric]":
            yield from _families(status, counters)

    registry = CollectorRegistry()
    registry.register(Current())
    ProcessCollector(pid=lambda: process, registry=registry)
    return generate_latest(registry)


def _families(status: ServiceStatus, counters: Counters) -> "Iterator[Metric]":
    from prometheus_client.metrics_core import CounterMetricFamily as Count  # noqa: PLC0415
    from prometheus_client.metrics_core import GaugeMetricFamily as Gauge  # noqa: PLC0415

    yield Gauge("watcher_well", "1 while /healthz answers 200.", value=status.healthy)
    checks = Count("watcher_reads", "Checks of accounts since the start, by outcome.", labels=["portal", "outcome"])
    for labels, number in counters.checks().items():
        checks.add_metric(labels, number)
    yield checks
    changes = Count("watcher_changes", "Recorded changes since the start, by kind.", labels=["kind"])
    for kind, number in counters.changes().items():
        changes.add_metric([kind], number)
    yield changes
    alerts = Count("watcher_alerts", "Alerts that were sent, failed, or dropped, by result.", labels=["outcome"])
    queue = Gauge("watcher_alerts_waiting", "Alerts that are waiting.", labels=["state"])
    for state in AlertState:
        family = queue if state in _PENDING else alerts
        family.add_metric([state.value], status.reported.alerts.get(state, 0))
    yield alerts
    yield queue
    accounts = Gauge("watcher_accounts", "Accounts by their state.", labels=["portal", "state"])
    for labels, number in Counter(
        (account.portal, account.state.value) for account in status.reported.accounts
    ).items():
        accounts.add_metric(labels, number)
    yield accounts
    age = Gauge(
        "watcher_last_good_read_age_seconds",
        "Time since the last successful check of the account at this portal that has waited longest.",
        labels=["portal"],
    )
    for portal, since in _oldest_checks(status.reported.accounts).items():
        age.add_metric([portal], (status.at - since).total_seconds())
    yield age


def _oldest_checks(accounts: Iterable[ReportedAccount]) -> Mapping[str, datetime]:
    """Return the oldest last successful check of each portal's accounts. Accounts without one are left out."""
    oldest: dict[str, datetime] = {}
    for account in accounts:
        if account.last_read_at is not None:
            oldest[account.portal] = min(account.last_read_at, oldest.get(account.portal, account.last_read_at))
    return oldest
