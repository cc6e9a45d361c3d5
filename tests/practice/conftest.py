from collections.abc import Iterator

import pytest

from tests.practice.visitor import HandClock, Visitor
from watcher.practice import PracticePortal


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def portal(clock: HandClock) -> Iterator[PracticePortal]:
    with PracticePortal(clock) as portal:
        yield portal


@pytest.fixture
def visitor(portal: PracticePortal) -> Iterator[Visitor]:
    with Visitor(portal) as visitor:
        yield visitor


@pytest.fixture
def member(visitor: Visitor) -> Visitor:
    """A visitor who has signed in."""
    assert visitor.sign_in().url.path == "/cases"
    return visitor
