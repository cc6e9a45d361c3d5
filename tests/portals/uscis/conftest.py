"""The double of the USCIS online account, and what an account remembers between its checks."""

from collections.abc import Iterator

import pytest

from tests.doubles.uscis import FakeUscis, running_uscis
from tests.portals.context import PortalFakes


@pytest.fixture
def portal() -> Iterator[FakeUscis]:
    with running_uscis() as running:
        yield running


@pytest.fixture
def fakes() -> PortalFakes:
    return PortalFakes()
