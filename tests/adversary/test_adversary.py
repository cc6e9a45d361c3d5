"""A short run from a fixed seed: real processes are killed while everything around them attacks."""

from pathlib import Path

import pytest

from tests.adversary.world import run


@pytest.mark.timeout(300)
def test_kills_beside_hostile_portals_and_channels_lose_and_invent_nothing(tmp_path: Path) -> None:
    result = run(tmp_path, 20261128, kills=3, seconds=10)
    assert not result.faults
    assert not result.verdict.faults
    assert result.kills.total() >= 1
    assert result.verdict.happenings >= 5
