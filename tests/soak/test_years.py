"""Some days of the long run: the real processes on a driven clock, with an old database, kills, and a new release."""

from pathlib import Path

import pytest

from tests.doubles.driven_clock import is_possible
from tests.soak.household_years import household
from tests.soak.upkeep import Upkeep


@pytest.mark.skipif(not is_possible(), reason="the driven clock needs a C compiler")
@pytest.mark.timeout(240)
def test_household_is_told_everything_through_a_kill_and_a_new_release(tmp_path: Path) -> None:
    with household(tmp_path, 20261128) as lived:
        lived.step()
        before = lived.upkeep()
        lived.kill()
        lived.upgrade("0.2.0")
        lived.settle()
        after = lived.upkeep()
        assert not list(lived.last_faults())
        verdict = lived.verdict()
    assert not verdict.faults
    assert verdict.happenings == 5
    assert after.processes <= before.processes
    assert after.threads <= before.threads
    assert after.descriptors <= before.descriptors


def test_growth_that_changes_explain_is_none() -> None:
    before = Upkeep(
        descriptors=9, threads=1, processes=1, memory=20, peaks={"worker": 80}, database=500_000, changes=10, log=1
    )
    grown = Upkeep(
        descriptors=9, threads=1, processes=1, memory=21, peaks={"worker": 90}, database=900_000, changes=50, log=9
    )
    leaked = Upkeep(
        descriptors=10, threads=2, processes=1, memory=30, peaks={"worker": 80}, database=900_000, changes=11, log=9
    )

    assert not list(grown.more_than(before))
    assert len(list(leaked.more_than(before))) == 4
