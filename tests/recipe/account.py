"""An account at a portal described by a recipe, checked as the program does it."""

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
from watcher.portals.recipe import PORTAL
from watcher.recipe.account import RecipeAccount

RECIPES = Path(__file__).parents[2] / "config" / "recipes"


@dataclass(slots=True)
class FakeCodes:
    """A code source that returns what `make` returns, and records when each code was requested."""

    make: Callable[[], str] | None = None
    asked_at: list[datetime] = field(default_factory=list)

    def code(self, *, asked_at: datetime) -> str:
        self.asked_at.append(asked_at)
        if self.make is None:
            raise CodeNeeded("nobody was there")
        return self.make()


@dataclass(slots=True, kw_only=True)
class RecipeClient:
    """One account over several checks, with fakes for everything around it."""

    account: RecipeAccount
    world: PortalFakes = field(default_factory=PortalFakes)
    codes: FakeCodes = field(default_factory=FakeCodes)
    known: frozenset[str] = frozenset()

    def results(self) -> Iterator[CaseResult]:
        context = replace(self.world.context(), codes=self.codes, known_cases=self.known)
        with PORTAL.open(self.account, context) as reader:
            yield from reader.read()

    def read(self) -> dict[str, Snapshot]:
        """Return the snapshots by case number. Every case must have been read."""
        snapshots = {}
        for result in self.results():
            assert isinstance(result, CaseRead), result
            assert PORTAL.read(result.answers, "en") == result.snapshot
            snapshots[result.snapshot.case_number] = result.snapshot
        return snapshots

    def failures(self) -> dict[str, CaseFailed]:
        """Return the cases that could not be read."""
        return {result.case_number: result for result in self.results() if isinstance(result, CaseFailed)}


def account_of(recipe: Path, **keys: Any) -> RecipeAccount:
    return RecipeAccount.model_validate({"name": "family", "portal": "recipe", "recipe": recipe, **keys})


def wall_clock_codes(code_at: Callable[[int], str]) -> FakeCodes:
    """Return a source of codes for the current time, each used only once."""
    start = int(time.time()) // 30
    steps = iter(range(start, start + 10))
    return FakeCodes(make=lambda: code_at(next(steps)))
