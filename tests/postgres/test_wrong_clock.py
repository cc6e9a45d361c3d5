"""What was stored on a server while the clock was ahead is corrected there, as in a file."""

from datetime import timedelta
from pathlib import Path

from tests.context.wrong_clock_story import DAY, story
from watcher.model.account_health import ReadOutcome
from watcher.model.change import ChangeKind


def test_clock_that_was_ahead_is_corrected_and_reported_once(tmp_path: Path, url: str) -> None:
    with story(tmp_path, "recipe", database_url=url) as told:
        told.step(0)
        for step in range(3):
            told.step(3 + step / 144, ahead=300 * DAY)
        told.step(3.1)
        kinds = [told.change.change.kind for told in told.told]
        assert kinds.count(ChangeKind.CLOCK_SET_BACK) == 1
        times = told.app.store.stored_times()
        assert times.latest is not None
        assert times.latest <= told.clock.now()
        assert all(moment <= told.clock.now() + DAY for moment in times.next_checks.values())
        told.step(4.2)
        told.step(8)
        assert told.outcomes[4.2] == told.outcomes[8] == ReadOutcome.OK
        near = [told for told in told.told if told.change.change.kind is ChangeKind.DEADLINE_NEAR and told.day > 3.05]
        assert near, "what the wrong clock silenced is said again"
        assert not told.app.store.outbox.has_urgent("phone", told.clock.now() + timedelta(hours=1), after=0)
