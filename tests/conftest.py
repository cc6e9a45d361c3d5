"""How the property tests run: never against the clock, and in CI with the same examples every time.

And the one server that several packages of tests share.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.postgres.server import Server

settings.register_profile("here", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def postgres() -> Iterator["Server"]:
    """A PostgreSQL server of the system's own package. Skips out loud where there is none."""
    from tests.postgres.server import server  # noqa: PLC0415 - nobody else needs its driver

    with server() as running:
        yield running
