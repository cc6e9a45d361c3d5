from collections.abc import Iterator

import pytest

from tests.portals.ircc.ircc_case import Case, citizenship_case, immigration_case


@pytest.fixture
def pr() -> Iterator[Case]:
    """Two applications for permanent residence."""
    with immigration_case() as case:
        yield case


@pytest.fixture
def citizen() -> Iterator[Case]:
    """An application for citizenship."""
    with citizenship_case() as case:
        yield case
