"""A portal that rewords every status on one day: the check, the flood message, and a digest of as many held alerts."""

import resource
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from tests.benchmarks.gauge import Result, measured, progress
from tests.benchmarks.household import ACCOUNT, account, channel, folder, receipts, watching
from tests.benchmarks.office import Office, open_office
from tests.benchmarks.scale import Scale
from watcher.app import App
from watcher.model.alert import AlertDraft, AlertText, HoldReason, RoutedAlert
from watcher.model.case import Snapshot, Stage
from watcher.model.change import Change, ChangeKind, Severity
from watcher.model.writes import WriteSet
from watcher.portal import CaseRead
from watcher.portals import find
from watcher.reading.poll import record_results

_GROWTH = 1.2
_BATCH = 64


def flood(scale: Scale) -> Iterator[Result]:
    """Measure the CPU time for each case and alert with many of them, and with a tenth as many."""
    for what, take in (("changed case", _changed), ("alert in a flood message", _flooded), ("held alert", _digested)):
        few, many = (_each(take, size) for size in (max(1, scale.flood // 10), scale.flood))
        yield Result(
            what=f"flood: one {what} of {scale.flood:,}",
            ours=f"{many[0] * 1e3:.2f} ms CPU; {many[1]:.0f} MiB more at the peak",
            floor=f"one of a tenth as many: {few[0] * 1e3:.2f} ms",
            ratio=many[0] / few[0],
            goal=_GROWTH,
            figures={"cpu_ms": many[0] * 1e3, "cpu_ms_of_a_tenth": few[0] * 1e3, "peak_mib": many[1]},
        )


def _each(take: Callable[[App, int], Callable[[], object]], size: int) -> tuple[float, float]:
    """Return the CPU seconds for each, and by how many MiB the peak of this process's memory rose."""
    progress(f"a flood of {size}")
    with open_office() as office, folder() as home, watching(home, _household(office)) as app:
        work, before = take(app, size), _peak()
        return measured(work).cpu / size, _peak() - before


def _household(office: Office) -> str:
    return account(office, receipts(1)) + channel("phone", office.phone, "max_per_hour = 5")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _changed(app: App, size: int) -> Callable[[], object]:
    def check(status: str) -> None:
        snapshots = (Snapshot(case_number=number, status=status, stage=Stage.RECEIVED) for number in receipts(size))
        results = (CaseRead(snapshot=snapshot) for snapshot in snapshots)
        record_results(results, app.settings.accounts[ACCOUNT], find("uscis-api"), app.context)

    check("Case Was Received")
    return lambda: check("Case Is Being Actively Reviewed By USCIS")


def _flooded(app: App, size: int) -> Callable[[], object]:
    return _delivery(app, size, hold=None)


def _digested(app: App, size: int) -> Callable[[], object]:
    return _delivery(app, size, hold=HoldReason.DIGEST)


def _delivery(app: App, size: int, *, hold: HoldReason | None) -> Callable[[], object]:
    """Queue so many alerts; the delivery of all of them must be one message."""
    now = datetime.now(UTC)
    app.store.accounts.health(ACCOUNT, now)
    routed = RoutedAlert(channel="phone", changes=(0,), severity=Severity.IMPORTANT, not_before=now, hold_reason=hold)
    writes = [_queued(number, routed) for number in receipts(size)]
    for start in range(0, size, _BATCH):
        app.store.record(writes[start : start + _BATCH], now=now)

    def deliver() -> None:
        if app.outbox_worker().deliver_due() != size:
            raise RuntimeError("the alerts were not delivered as one message")

    return deliver


def _queued(number: str, routed: RoutedAlert) -> WriteSet:
    change = Change(kind=ChangeKind.STATUS_CHANGED, severity=Severity.IMPORTANT, case_number=number)
    words = "What an alert says, at about its usual length. " * 8
    text = AlertText(title=f"{number}: Case Was Reworded", body=words, html=words, short=number)
    draft = AlertDraft(routed=routed, text=text)
    return WriteSet(account=ACCOUNT, case_number=number, changes=(change,), summaries=("New words",), drafts=(draft,))
