"""What every page uses: the configuration, the database, the clock, and what the page has other processes do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from watcher.clock import Clock, SystemClock
from watcher.context.read_only import ReadOnlyContext, open_read_only
from watcher.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class WebContext:
    """One configuration, as it is in force. `config` is its file, None if that is not known."""

    settings: Settings
    config: Path | None = None
    clock: Clock = field(default_factory=SystemClock)

    @contextmanager
    def reading(self) -> Iterator[ReadOnlyContext]:
        """Open the database for one request: it shows one consistent state. Raises `StoreUnusable`."""
        with open_read_only(self.settings) as opened:
            yield ReadOnlyContext(store=opened.store, settings=self.settings, clock=self.clock)
