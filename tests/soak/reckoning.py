"""The result of a run: history against the portal's true story, alerts against the channel, and resource use."""

import gc
import resource
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.soak.world import NUMBERS, World
from watcher.app import App
from watcher.model.alert import AlertState
from watcher.model.change import ChangeKind

_STATUS = (ChangeKind.CASE_ADDED, ChangeKind.STAGE_CHANGED, ChangeKind.STATUS_CHANGED)
_MOST_FILES = 2
_MOST_KIB, _KIB_FOR_A_STATUS = 16_000, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Open files and resident memory (KiB) of this process."""

    files: int
    memory: int

    @classmethod
    def now(cls) -> Self:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return cls(files=len(list(Path("/proc/self/fd").iterdir())), memory=pages * resource.getpagesize() // 1024)

    def __sub__(self, before: "Held") -> "Held":
        return Held(files=self.files - before.files, memory=self.memory - before.memory)

    def is_much(self, statuses: int) -> bool:
        """Return the difference: more than what a busy process accumulates.

        The portal shows the whole story of a case at every read, so what a read takes grows with the `statuses` told.
        """
        return self.files > _MOST_FILES or self.memory > _MOST_KIB + _KIB_FOR_A_STATUS * statuses


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoning:
    """Cases with a `differing` history; alerts that are still `waiting`, or marked as sent but `lost`.

    `alerts` is how many there were; `twice` how many of them came again.
    """

    statuses: int
    alerts: int
    differing: tuple[str, ...]
    waiting: int
    lost: int
    twice: int

    @property
    def is_good(self) -> bool:
        return not (self.differing or self.waiting or self.lost)


def reckon(lived: World) -> Reckoning:
    """Measure after the process has become idle."""
    with lived.program() as app:
        alerts = app.store.outbox.list()
        differing = tuple(number for number in NUMBERS if story_in(app, number) != lived.told[number])
    sent = Counter(alert.title for alert in alerts if alert.state is AlertState.SENT)
    received = lived.received()
    return Reckoning(
        statuses=sum(map(len, lived.told.values())),
        alerts=len(alerts),
        differing=differing,
        waiting=sum(alert.state not in {AlertState.SENT, AlertState.DROPPED} for alert in alerts),
        lost=(sent - received).total(),
        twice=(received - sent).total(),
    )


def story_in(app: App, number: str) -> list[str]:
    """Return every status in the recorded history, oldest first."""
    changes = app.store.history(case_number=number, kinds=_STATUS)[::-1]
    return [str(each.change.new["status"]) for each in changes if isinstance(each.change.new, dict)]
