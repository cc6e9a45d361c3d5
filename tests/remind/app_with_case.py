"""An app whose one case was read just now, under review since today."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from tests.practice.visitor import HandClock
from watcher.app import App, open_app
from watcher.context.opening import read_settings
from watcher.model.account_health import after_read
from watcher.model.case import Snapshot, Stage
from watcher.model.writes import CaseWrite, ReadEnd, WriteSet
from watcher.store import digest

NUMBER = "IOE0000000001"
CONFIG = """
timezone = "UTC"
state_dir = "."
[stall]
after = "90d"
repeat = "30d"
[accounts.family]
portal = "uscis-api"
client_id = "made-up-id"
client_secret = "made-up-secret"
cases = ["IOE0000000001"]
[channels.phone]
url = "json://127.0.0.1/"
"""


@contextmanager
def app_with_case(folder: Path, clock: HandClock, *, more: str = "") -> Iterator[App]:
    """Open the app. `more` is added to its configuration."""
    config = folder / "watcher.toml"
    config.touch(mode=0o600)
    config.write_text(CONFIG + more, encoding="utf-8")
    with open_app(read_settings(config, {}), clock=clock) as app:
        now = clock.now()
        health, _ = after_read(
            app.store.accounts.health("family", now), (), now=now, blind_after=timedelta(days=1), cases_read=1
        )
        snapshot = Snapshot(case_number=NUMBER, status="Case Is Pending", stage=Stage.UNDER_REVIEW)
        case = CaseWrite(
            snapshot=snapshot,
            snapshot_digest=digest(snapshot),
            answer_digest=b"",
            revision=None,
            stage_since=now.date(),
            stage_since_from_portal=True,
            silent_update_at=None,
        )
        end = ReadEnd(account="family", complete=True, next_read_at=now, read=frozenset({NUMBER}))
        writes = WriteSet(account="family", case_number=NUMBER, case=case, health=health)
        app.store.record([writes], now=now, read_end=end)
        yield app
