"""What the daemon promises whatever happens: after one delivery a next one, and no turn that is put off for nothing."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from pydantic import SecretStr

from tests.cli.api_workspace import api_workspace
from tests.doubles.notifier import AcceptsAttachments
from tests.support.waiting import eventually
from tests.support.webhook_workspace import webhook_workspace
from watcher.app import open_app
from watcher.context.opening import read_settings
from watcher.daemon.daemon import Daemon

MANUAL = '[accounts.embassy]\nportal = "manual"\nsite = "ceac"\ncases = ["AA00EXAMPL"]\nevery = "1d"\n'


@dataclass(slots=True)
class OnceBroken(AcceptsAttachments):
    """Fails the first time in a way that no channel may."""

    failed: Event = field(default_factory=Event)
    taken: Event = field(default_factory=Event)

    def send(
        self, url: SecretStr, *, title: str, body: str, html: str, short: str, attachments: Sequence[Path] = ()
    ) -> None:
        assert url, title
        assert body, html
        assert short
        assert not attachments
        if not self.failed.is_set():
            self.failed.set()
            raise ZeroDivisionError("a fault of the program")
        self.taken.set()


def test_a_fault_of_the_program_while_delivering_ends_no_later_delivery(tmp_path: Path) -> None:
    phone = OnceBroken()
    with webhook_workspace(tmp_path, MANUAL) as home, open_app(read_settings(home.config, {}), notifier=phone) as app:
        daemon = Daemon(app)
        daemon.start()
        try:
            assert phone.failed.wait(20)
            for _ in range(400):
                daemon.use(app.settings)  # it looks at the books again at once, and not only after its usual pause
                if phone.taken.wait(0.05):
                    break
            assert phone.taken.is_set()
        finally:
            daemon.stop()


def test_a_turn_that_meets_somebody_who_only_looks_is_not_put_off(tmp_path: Path) -> None:
    with api_workspace(tmp_path) as world, world.app() as app:
        daemon = Daemon(app)
        with app.store.locks.acquire("account family"):
            daemon.start()
            time.sleep(0.5)  # the turn has come, and finds the lock held
        try:
            assert eventually(lambda: world.api.case_requests, within=10)
        finally:
            daemon.stop()
