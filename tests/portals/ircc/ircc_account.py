"""An IRCC tracker on loopback, with an account and the fakes for its checks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.doubles.ircc import (
    CLIENT_ID,
    PASSWORD,
    UCI,
    Cognito,
    Tracker,
    TrackerServers,
    citizenship,
    immigration,
    run_tracker,
)
from tests.portals.context import PortalFakes
from watcher.errors import ReadFailed
from watcher.model.case import Snapshot
from watcher.portal import CaseRead, CaseResult
from watcher.portals import find
from watcher.portals.ircc.account import IrccAccount

ONE, TWO = "E000000001", "F000000002"
CITIZEN = "C000000001"


class IrccFixture:
    """A tracker on loopback, with an account and the fakes for its checks."""

    def __init__(self, tracker: Tracker, servers: TrackerServers, fakes: PortalFakes) -> None:
        self.tracker, self.servers, self.fakes = tracker, servers, fakes
        self.keys: dict[str, Any] = {}

    @property
    def cognito(self) -> Cognito:
        return self.tracker.cognito

    def account(self, **keys: Any) -> IrccAccount:
        return IrccAccount.model_validate(
            {
                "name": "family",
                "portal": "ircc",
                "program": self.tracker.program,
                "username": UCI,
                "password": PASSWORD,
                "client_id": CLIENT_ID,
                "base_url": self.servers.api.origin,
                "auth_url": self.servers.auth.origin,
                **self.keys,
                **keys,
            }
        )

    def read(
        self,
        language: str = "en",
        *,
        known: frozenset[str] = frozenset(),
        finished: frozenset[str] = frozenset(),
        **keys: Any,
    ) -> list[CaseResult]:
        context = replace(
            self.fakes.context(language), known_cases=known, is_finished=lambda number: number in finished
        )
        with find("ircc").open(self.account(**keys), context) as reader:
            return list(reader.read())

    def snapshots(self, language: str = "en", **keys: Any) -> dict[str, Snapshot]:
        results = self.read(language, **keys)
        return {result.snapshot.case_number: result.snapshot for result in results if isinstance(result, CaseRead)}

    def assert_fails(self, error: type[ReadFailed], match: str | None = None, **keys: Any) -> ReadFailed:
        with pytest.raises(error, match=match) as caught:
            self.read(**keys)
        assert PASSWORD not in str(caught.value)
        assert UCI not in str(caught.value)
        return caught.value


@contextmanager
def immigration_account() -> Iterator[IrccFixture]:
    """Run the immigration tracker with two applications."""
    fakes = PortalFakes()
    applications = {ONE: immigration(ONE), TWO: immigration(TWO)}
    tracker = Tracker(program="immigration", cognito=Cognito(now=fakes.clock.now), applications=applications)
    with run_tracker(tracker) as servers:
        yield IrccFixture(tracker, servers, fakes)


@contextmanager
def citizenship_account() -> Iterator[IrccFixture]:
    """Run the citizenship tracker with one application."""
    fakes = PortalFakes()
    applications = {CITIZEN: citizenship(CITIZEN)}
    tracker = Tracker(program="citizenship", cognito=Cognito(now=fakes.clock.now), applications=applications)
    with run_tracker(tracker) as servers:
        yield IrccFixture(tracker, servers, fakes)
