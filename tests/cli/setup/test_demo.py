"""The demo's clock, with a story that passes in a moment, and the alerts of its whole story."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.practice.visitor import HandClock
from tests.support.lengths import Longest
from tests.support.webhook_workspace import page_account
from tests.support.workspace import Workspace
from watcher.app import open_app
from watcher.cli.setup.demo import play
from watcher.context.opening import read_settings
from watcher.language.status_meaning import titles
from watcher.model.alert import Alert
from watcher.practice import Account, PracticePortal, Terms
from watcher.practice.story import ADJUSTMENT_OF_STATUS

CHANNELS = """
[schedule]
every = "1d"
jitter = "0"
blind_after = "5d"
[channels.short]
url = "json://127.0.0.1:1/"
min_severity = "routine"
[channels.full]
url = "json://127.0.0.1:1/"
min_severity = "routine"
detail = "full"
"""


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


def alerts_of_the_story(folder: Path) -> list[Alert]:
    """Check every two weeks and after each event of the demo's story, and return the alerts, oldest first."""
    story, start = ADJUSTMENT_OF_STATUS, datetime(2026, 1, 5, 15, tzinfo=UTC)
    clock, workspace = HandClock(start), Workspace(folder=folder)
    terms = Terms(session_lifetime=timedelta(days=2 * story.days))
    with PracticePortal(clock, story=story, account=Account(totp_secret=None), terms=terms) as portal:
        workspace.write(CHANNELS + page_account(portal))
        with open_app(read_settings(workspace.config, {}), clock=clock) as app:
            for day in sorted({*range(0, story.days, 14), *(event.day + 1 for event in story.events)}):
                clock.pass_by(start + timedelta(days=day) - clock.now())
                app.poll("family")
                app.record_time_reminders()
            return list(app.store.outbox.list())[::-1]


def test_alerts_of_the_story_fit_a_phone_and_say_where_to_look(tmp_path: Path) -> None:
    alerts, longest = alerts_of_the_story(tmp_path), Longest()
    assert len(alerts) >= 2 * 17
    for alert in alerts:
        longest.check(title=alert.title, body=alert.body, short=alert.short, detail=alert.channel)
        assert "https://" in alert.body, alert.title
    cut = {alert.title.partition(": ")[2].removesuffix("…") for alert in alerts if alert.title.endswith("…")}
    own_words = [words for words in cut if any(title.startswith(words) for title in titles("uscis"))]
    assert sorted(own_words) == sorted(cut), "only the agency's own words may be too long for a title"
    print(longest.report())  # noqa: T201 - what the test is for
