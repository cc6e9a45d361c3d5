"""A process that delivers the alerts of a database until none is left.

Run with `python -m tests.postgres.courier URL HOOK FOLDER`. It goes on after every error of the database or its locks,
as the daemon does.
"""

import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from watcher.clock import SystemClock
from watcher.delivery.apprise_notifier import AppriseNotifier
from watcher.delivery.outbox_worker import OutboxWorker
from watcher.errors import LockLost, StoreUnusable
from watcher.model.alert import AlertState
from watcher.settings import ChannelSettings, Settings
from watcher.store import Busy, Store

_SECONDS = 60.0


def main() -> None:
    """Deliver until nothing waits, at most for a minute."""
    url, hook, folder = sys.argv[1:]
    channel = ChannelSettings(name="phone", url=SecretStr(f"json://{hook}/"), max_per_hour=0)
    settings = Settings(state_dir=Path(folder), channels={"phone": channel}, timezone=ZoneInfo("UTC"))
    end = time.monotonic() + _SECONDS
    with closing(Store(url, locks=Path(folder) / "locks")) as store:
        worker = OutboxWorker(store, AppriseNotifier(), SystemClock(), settings=settings)
        while time.monotonic() < end:
            with suppress(StoreUnusable, LockLost, Busy):
                worker.deliver("phone")
                if not store.outbox.counts()[AlertState.QUEUED]:
                    return
            time.sleep(0.1)


if __name__ == "__main__":
    main()
