from collections.abc import Iterator

import pytest

from tests.portals.ircc.ircc_case import IrccFixture, citizenship_case, immigration_case


@pytest.fixture
def pr() -> Iterator[IrccFixture]:
    """Two applications for permanent residence."""
    with immigration_case() as case:
        yield case


@pytest.fixture
def citizen() -> Iterator[IrccFixture]:
    """An application for citizenship."""
    with citizenship_case() as case:
        yield case
