"""The daemon's own promise: whatever happens to one delivery, there is a next one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from pydantic import SecretStr

from tests.doubles.phones import TakesLetters
from tests.household import household
from watcher.app import open_app
from watcher.books import read_settings
from watcher.daemon import Daemon

MANUAL = '[accounts.embassy]\nportal = "manual"\nsite = "ceac"\ncases = ["AA00EXAMPL"]\nevery = "1d"\n'


@dataclass(slots=True)
class OnceBroken(TakesLetters):
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
    with household(tmp_path, MANUAL) as home, open_app(read_settings(home.config, {}), notifier=phone) as app:
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
