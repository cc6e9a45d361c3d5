"""What every page uses: the configuration, the database, the clock, and what the page has other processes do."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any, TypeAlias

from watcher.clock import Clock, SystemClock
from watcher.context.opening import database_file
from watcher.context.read_only import ReadOnlyContext, open_read_only
from watcher.processes.child import command, environment
from watcher.settings import Settings
from watcher.web.action_process import ActionProcess
from watcher.web.case_cache import CachedReading, CaseCache, file_version
from watcher.web.outcome import Outcome

Performer: TypeAlias = Callable[[str, Mapping[str, Any]], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebContext:
    """One configuration, as it is in force. `config` is its file, None if that is not known.

    `performer` performs actions and `checker` starts checks instead of processes of their own, for tests.
    """

    settings: Settings
    config: Path | None = None
    clock: Clock = field(default_factory=SystemClock)
    performer: Performer | None = None
    checker: Callable[[str], None] | None = None
    cache: CaseCache = field(default_factory=CaseCache, repr=False)
    wake: Callable[[], None] = field(default=lambda: None, repr=False)
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    def perform(self, name: str, **arguments: object) -> Outcome:
        """Perform an action (see `watcher.web.performing`) in a process of its own. Raises `StoreUnusable`."""
        outcome = (self.performer or ActionProcess(settings=self.settings))(name, arguments)
        self.wake()
        return outcome

    def start_check(self, account: str) -> None:
        """Start what `watcher check ACCOUNT` does, in a process of its own that goes on when the page ends."""
        if self.checker is not None:
            self.checker(account)
            return
        config = ["--config", str(self.config)] if self.config else []
        check = subprocess.Popen(
            command("watcher", "check", *config, "--", account),
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        Thread(target=check.wait, daemon=True).start()

    @contextmanager
    def reading(self) -> Iterator[ReadOnlyContext]:
        """Open the database for one request: it shows one consistent state. Raises `StoreUnusable`."""
        version = file_version(database_file(self.settings))
        with open_read_only(self.settings) as opened:
            yield CachedReading(
                store=opened.store, settings=opened.settings, clock=self.clock, cache=self.cache, version=version
            )
