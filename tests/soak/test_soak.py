"""A short run under faults from a fixed seed: the history is the portal's true story, and every alert is delivered."""

from pathlib import Path

from tests.soak.reckoning import Held, reckon
from tests.soak.world import world


def test_history_after_many_faults_and_kills_is_the_portals_true_story(tmp_path: Path) -> None:
    with world(tmp_path, seed=20261122) as lived:
        with lived.program() as app:
            lived.live(app, 10)
        before = Held.now()
        for _ in range(4):
            with lived.program() as app:
                lived.live(app, 6)
                lived.die(beside=app)
                lived.live(app, 6)
            lived.die()
        assert set(lived.faults) == {"channel", "clock", "disk", "kill", "network", "portal"}
        assert lived.refusals > 0
        lived.settle()
        grown = Held.now() - before
        reckoning = reckon(lived)
        assert not grown.is_much(reckoning.statuses), grown
        assert reckoning.is_good, reckoning
        assert reckoning.twice <= lived.faults["kill"]
        assert reckoning.statuses > 10
