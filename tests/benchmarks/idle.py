"""The daemon at rest: its memory and its wake-ups, compared with a process that only imports its libraries."""

import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.gauge import Result, children, progress, resident, switches
from tests.benchmarks.household import account, channel, command, configured, folder, receipts
from tests.benchmarks.office import Office, open_office
from tests.benchmarks.scale import Scale

_ACCOUNTS, _CASES = 10, 10
_MEMORY, _WAKES = 1.05, 1.0
_LIBRARIES = "import apscheduler.schedulers.background, httpx, sqlmodel, pydantic_settings, structlog, time"


def idle(scale: Scale) -> Iterator[Result]:
    """Measure a daemon with ten accounts that were each checked once without changes."""
    progress(f"the daemon at rest: {scale.settle + scale.watch:.0f} s")
    with open_office() as office, folder() as home:
        _read_before(home, office)
        with (
            _running(home, "watcher", "run") as daemon,
            _running(home, "-c", f"{_LIBRARIES}; time.sleep(9999)") as bare,
            _running(home, "-m", "tests.benchmarks.least", office.origin, str(home), *receipts(_ACCOUNTS)) as least,
        ):
            time.sleep(scale.settle)
            sending = sum(map(resident, children(daemon.pid)))
            early, woken, began = resident(daemon.pid), switches(daemon.pid), time.monotonic()
            time.sleep(scale.watch)
            ours, floor, doing = resident(daemon.pid), resident(bare.pid), resident(least.pid)
            wakes = (switches(daemon.pid) - woken) / (time.monotonic() - began)
    yield Result(
        what=f"memory of watcher run at rest, {_ACCOUNTS} accounts, after {scale.settle + scale.watch:.0f} s",
        ours=f"{ours:.1f} MiB ({ours - early:+.2f} in the last {scale.watch:.0f} s), an alert delivered; the child that"
        f" delivered it, which ends five minutes after the last one: {sending:.1f} MiB",
        floor=f"libraries only: {floor:.1f} MiB; the least that reads with them: {doing:.1f} MiB",
        ratio=ours / floor,
        goal=_MEMORY,
        figures={
            "rss_mib": ours,
            "rss_mib_before": early,
            "sending_mib": sending,
            "libraries_mib": floor,
            "least_mib": doing,
        },
    )
    yield Result(
        what="wake-ups of watcher run at rest",
        ours=f"{wakes * 60:.0f} context switches a minute",
        ratio=wakes,
        goal=_WAKES,
        figures={"per_minute": wakes * 60},
    )


def _read_before(home: Path, office: Office) -> None:
    """Prepare known cases, accounts that are due, and one alert to deliver."""
    cases = receipts(_ACCOUNTS * _CASES)
    accounts = (
        account(office, cases[place * _CASES : (place + 1) * _CASES], name=f"family{place}")
        for place in range(_ACCOUNTS)
    )
    configured(home, "".join(accounts) + channel("phone", office.phone, "max_per_hour = 0"))
    with command("watcher", "check", cwd=home) as check:
        _, errors = check.communicate(timeout=120)
    if check.returncode:
        raise RuntimeError(errors.decode())
    database = sqlite3.connect(home / "state" / "watcher.sqlite3")
    database.execute("UPDATE account SET next_read_at = NULL")
    database.execute("UPDATE alert SET state = 'queued', next_attempt_at = created_at WHERE id = 1")
    database.commit()
    database.close()


@contextmanager
def _running(home: Path, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    with command(*arguments, cwd=home) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=20)
