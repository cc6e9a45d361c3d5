"""From the portal's answer to the alert: the delay of one alert, and the delivery of a large batch."""

import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from threading import Thread

from pydantic import SecretStr
from sqlalchemy import event

from tests.benchmarks.checks import read
from tests.benchmarks.gauge import Result, progress
from tests.benchmarks.household import ACCOUNT, account, channel, folder, receipts, watching
from tests.benchmarks.office import Office, open_office
from tests.benchmarks.scale import Scale
from watcher.app import App
from watcher.daemon.daemon import Daemon
from watcher.delivery.apprise_notifier import AppriseNotifier, Notifier

_LATENCY, _SPEED = 0.05, 1.1
_CHANNELS = ("phone", "mail", "chat")
_PER_HOUR = 30


def answer_to_alert(scale: Scale) -> Iterator[Result]:
    """Measure the delay from a change at the portal to the channel's server, with a daemon that checks every second."""
    times = max(1, scale.repeats * 3)
    progress(f"from answer to alert: {times} times")
    with open_office() as office, folder() as home:
        configuration = (
            account(office, receipts(1)) + 'every = "1s"\n' + channel("phone", office.phone, "max_per_hour = 0")
        )
        with watching(home, configuration) as app:
            read(app)
            app.outbox_worker().deliver_due()
            daemon = Daemon(app)
            daemon.start()
            try:
                took = [_until_heard(office, moves) for moves in range(1, times + 1)]
            finally:
                daemon.stop()
        plain = [_sent_plainly(office) for _ in range(times)]
    ours, floor = statistics.median(took), statistics.median(plain)
    yield Result(
        what="from the answer to the channel's server",
        ours=f"median {ours * 1e3:.0f} ms, longest {max(took) * 1e3:.0f} ms",
        floor=f"Apprise alone: {floor * 1e3:.0f} ms",
        ratio=ours - floor,
        goal=_LATENCY,
        figures={"median_s": ours, "apprise_s": floor},
    )


def _until_heard(office: Office, moves: int) -> float:
    office.move(every=1, times=moves)
    until = time.monotonic() + 30
    while time.monotonic() < until:
        time.sleep(0.2)
        alerts, changed = office.alert_times(), office.change_time()
        if alerts and changed is not None:
            return alerts[0] - changed
    raise RuntimeError("the alert never came")


def _sent_plainly(office: Office) -> float:
    office.move(every=0, times=0)
    began = time.time()
    _send(office, AppriseNotifier())
    return office.alert_times()[0] - began


def _send(office: Office, notifier: Notifier) -> None:
    words = "What an alert says, at about its usual length. " * 10
    notifier.send(SecretStr(office.phone), title="A title", body=words, html=words, short=words)


def storm(scale: Scale) -> Iterator[Result]:
    """Measure a check in which every case changed, alerted to three channels."""
    size = scale.storm
    progress(f"a storm: {size} changed cases, {len(_CHANNELS)} channels")
    with open_office() as office:
        yield from _unlimited(office, size)
        yield _limited(office, size)


def _unlimited(office: Office, size: int) -> Iterator[Result]:
    with folder() as home, watching(home, _household(office, size, "max_per_hour = 0")) as app:
        commits = _queue_all(app, office)
        queued = len(app.store.outbox.due(app.clock.now(), limit=10 * size))
        for notifier in (app.notifier, AppriseNotifier()):
            _send(office, notifier)  # Apprise is imported at the first message only
        took = _deliver(app)
        delivered = len(office.alert_times()) - 2
    yield Result(
        what=f"storm: {size:,} changed cases queued, {len(_CHANNELS)} channels",
        ours=f"{queued:,} alerts in {commits:,} transactions",
        ratio=commits / size,
        goal=1 + 10 / size,
        figures={"alerts": queued, "transactions": commits},
    )
    floor = _delivered_plainly(office, queued // len(_CHANNELS))
    marked = _delivered_plainly(office, queued // len(_CHANNELS), marking=True)
    yield Result(
        what=f"storm: {delivered:,} alerts delivered",
        ours=f"{took / max(1, delivered) * 1e3:.2f} ms each",
        floor=f"Apprise alone, {len(_CHANNELS)} threads: {floor / max(1, queued) * 1e3:.2f} ms each; with one commit of"
        f" plain sqlite3 for each: {marked / max(1, queued) * 1e3:.2f} ms",
        ratio=took / floor,
        goal=_SPEED,
        figures={"seconds": took, "apprise_seconds": floor, "marked_seconds": marked, "delivered": delivered},
    )


def _limited(office: Office, size: int) -> Result:
    with folder() as home, watching(home, _household(office, size, f"max_per_hour = {_PER_HOUR}")) as app:
        _queue_all(app, office)
        _deliver(app)
        delivered = len(office.alert_times())
    return Result(
        what=f"storm: the same with at most {_PER_HOUR} an hour for each channel",
        ours=f"{delivered} messages",
        floor=f"{size * len(_CHANNELS):,} alerts",
        ratio=delivered / len(_CHANNELS),
        goal=_PER_HOUR + 1,
        figures={"messages": delivered},
    )


def _household(office: Office, size: int, extra: str) -> str:
    return account(office, receipts(size)) + "".join(channel(name, office.phone, extra) for name in _CHANNELS)


def _queue_all(app: App, office: Office) -> int:
    """Count the transactions of one check in which every case changed, without the alerts of the first check."""
    office.move(every=0, times=0)
    read(app)
    first = [waiting.alert.id for waiting in app.store.outbox.due(app.clock.now(), limit=1_000_000)]
    app.store.outbox.drop(dict.fromkeys(first), note="no part of this")
    office.move(every=1, times=1)
    commits = count()
    engine = app.store._database.engine
    event.listen(engine, "commit", lambda _: next(commits))
    app.poll(ACCOUNT)
    return next(commits)


def _deliver(app: App) -> float:
    began = time.perf_counter()
    while app.outbox_worker().deliver_due():
        pass
    return time.perf_counter() - began


def _delivered_plainly(office: Office, each: int, *, marking: bool = False) -> float:
    with folder() as home:
        return _took_to_deliver(office, each, home / "marks.sqlite3" if marking else None)


def _took_to_deliver(office: Office, each: int, marks: Path | None) -> float:
    """Send all messages; `marks` records durably that a message was accepted before the next is sent."""

    def deliver() -> None:
        with closing(sqlite3.connect(marks or ":memory:", timeout=60, isolation_level=None)) as database:
            database.execute("PRAGMA synchronous=FULL")
            for _ in range(each):
                _send(office, AppriseNotifier())
                if marks is not None:
                    database.execute("INSERT INTO mark (at) VALUES (julianday())")

    if marks is not None:
        with closing(sqlite3.connect(marks)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("CREATE TABLE mark (id INTEGER PRIMARY KEY, at REAL)")

    threads = [Thread(target=deliver) for _ in _CHANNELS]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began
