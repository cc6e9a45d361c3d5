"""The demo's clock, with a story that passes in a moment."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from watcher.cli.setup.demo import play
from watcher.practice.story import ADJUSTMENT_OF_STATUS


def test_slow_checks_are_not_reported_as_days_without_a_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A check takes longer than the demo's `blind_after`, which is five thousandths of a second here."""
    story = replace(ADJUSTMENT_OF_STATUS, events=ADJUSTMENT_OF_STATUS.events[:1], days=12)
    with ExitStack() as stack:
        play(tmp_path, 1000.0, stack, story=story)
    shown = capsys.readouterr().out
    assert "Watching 2 cases" in shown
    assert "12 days, " in shown
    assert " 1 alert." in shown
