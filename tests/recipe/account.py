"""An account read by a recipe, as the program would do it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.portals.context import PortalFakes
from watcher.errors import CodeNeeded
from watcher.model.case import Snapshot
from watcher.portal import CaseFailed, CaseRead, CaseResult
from watcher.portals.recipe import PORTAL, RecipeAccount

RECIPES = Path(__file__).parents[2] / "config" / "recipes"


@dataclass(slots=True)
class Codes:
    """Hands out what `make` makes, and remembers when each code was asked for."""

    make: Callable[[], str] | None = None
    asked_at: list[datetime] = field(default_factory=list)

    def code(self, *, asked_at: datetime) -> str:
        self.asked_at.append(asked_at)
        if self.make is None:
            raise CodeNeeded("nobody was there")
        return self.make()


@dataclass(slots=True, kw_only=True)
class Household:
    """One account in its world, across reads."""

    account: RecipeAccount
    world: PortalFakes = field(default_factory=PortalFakes)
    codes: Codes = field(default_factory=Codes)
    known: frozenset[str] = frozenset()

    def readings(self) -> Iterator[CaseResult]:
        surroundings = replace(self.world.context(), codes=self.codes, known_cases=self.known)
        with PORTAL.open(self.account, surroundings) as reader:
            yield from reader.read()

    def read(self) -> dict[str, Snapshot]:
        """The snapshots by case number; every case must have been read."""
        snapshots = {}
        for reading in self.readings():
            assert isinstance(reading, CaseRead), reading
            assert PORTAL.read(reading.answers, "en") == reading.snapshot
            snapshots[reading.snapshot.case_number] = reading.snapshot
        return snapshots

    def unread(self) -> dict[str, CaseFailed]:
        """The cases that could not be read."""
        return {one.case_number: one for one in self.readings() if isinstance(one, CaseFailed)}


def account_of(recipe: Path, **keys: Any) -> RecipeAccount:
    return RecipeAccount.model_validate({"name": "family", "portal": "recipe", "recipe": recipe, **keys})


def wall_clock_codes(code_at: Callable[[int], str]) -> Codes:
    """Codes by the machine's time, each step's only once."""
    start = int(time.time()) // 30
    steps = iter(range(start, start + 10))
    return Codes(make=lambda: code_at(next(steps)))
