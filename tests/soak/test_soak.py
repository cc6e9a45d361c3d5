"""A short life among faults, from a fixed seed: the history is the portal's true story, and every alert went out."""

from pathlib import Path

from tests.soak.world import NUMBERS, open_files, story_in, unsent, world


def test_after_many_faults_and_deaths_the_history_is_the_portals_true_story(tmp_path: Path) -> None:
    with world(tmp_path, seed=20261122) as lived:
        lived.live(10)
        files = open_files()
        for _ in range(3):
            lived.live(14)
            lived.die()
        assert lived.faults > 12
        lived.settle()
        assert open_files() <= files + 2
        with lived.program() as app:
            assert {number: story_in(app, number) for number in NUMBERS} == lived.told
            assert unsent(app) == {}
        assert sum(map(len, lived.told.values())) > 10
        assert lived.channel.taken > 10
