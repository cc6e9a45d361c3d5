from collections.abc import Iterator

import pytest

from tests.portals.ircc.ircc_account import IrccFixture, citizenship_account, immigration_account


@pytest.fixture
def pr() -> Iterator[IrccFixture]:
    """Two applications for permanent residence."""
    with immigration_account() as case:
        yield case


@pytest.fixture
def citizen() -> Iterator[IrccFixture]:
    """An application for citizenship."""
    with citizenship_account() as case:
        yield case
