"""The demo's clock, with a story of three days that pass in a moment."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from watcher.cli.setup.demo import play
from watcher.practice.story import ADJUSTMENT_OF_STATUS


def test_slow_first_check_is_not_reported_as_days_without_a_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first check takes longer than the demo's `blind_after`, which is five thousandths of a second here."""
    story = replace(ADJUSTMENT_OF_STATUS, events=ADJUSTMENT_OF_STATUS.events[:1], days=3)
    with ExitStack() as stack:
        play(tmp_path, 1000.0, stack, story=story)
    introduction, first_alert, *_ = capsys.readouterr().out.split("╭")
    assert introduction.splitlines()[-2].endswith(", day 0")
    assert "Watching 2 cases" in first_alert
