"""Dates and times as CLDR writes them in each language."""

import subprocess
import sys
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from watcher.language.catalogue import load_catalogue
from watcher.language.date_text import brief_appointment_text, day_text, moment_text
from watcher.messages import LANGUAGES
from watcher.model.appointment_time import Day, Moment

ZONE = ZoneInfo("America/New_York")
AFTERNOON = datetime(2026, 7, 9, 15, 0, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("language", "day", "moment", "brief", "shortest"),
    [
        ("en", "July 9, 2026", "Thursday, July 9, 2026, 3:00 PM EDT", "Thu, July 9, 3:00 PM EDT", "Thu, Jul 9"),
        ("es", "9 de julio de 2026", "jueves 9 de julio de 2026, 3:00 p.m. EDT", "jue 9 de julio, 3:00 p.m. EDT",
         "jue 9 jul"),
        ("fr", "9 juillet 2026", "jeudi 9 juillet 2026, 15 h 00 EDT", "jeu. 9 juillet, 15 h 00 EDT", "jeu. 9 juill."),
    ],
)  # fmt: skip
def test_dates_are_written_as_in_the_language(language: str, day: str, moment: str, brief: str, shortest: str) -> None:
    catalogue, when = load_catalogue(language), Moment(AFTERNOON)
    assert day_text(AFTERNOON, catalogue, ZONE) == day
    assert moment_text(AFTERNOON, catalogue, ZONE) == moment
    assert brief_appointment_text(when, catalogue, ZONE) == brief
    assert brief_appointment_text(Day(AFTERNOON.date()), catalogue, ZONE, is_shortest=True) == shortest


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "Sun, March 1"), ("es", "dom 1 de marzo"), ("fr", "dim. 1er mars")],
)
def test_first_day_of_a_month_has_its_own_form(language: str, expected: str) -> None:
    assert brief_appointment_text(Day(date(2026, 3, 1)), load_catalogue(language), ZONE) == expected


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("hour", [0, 9, 12, 23])
def test_times_have_ordinary_spaces_and_no_leading_zero(language: str, hour: int) -> None:
    text = moment_text(datetime(2026, 7, 9, hour, 5), load_catalogue(language), ZONE)  # noqa: DTZ001 - zone unknown
    assert all(char == " " or not char.isspace() for char in text)
    assert ", 0" not in text.replace(", 0 h 05", "")


@pytest.mark.parametrize(
    "module", ["watcher.cli", "watcher.cli.show.status", "watcher.daemon.__main__", "watcher.alerts"]
)
def test_babel_is_not_loaded_before_a_date_is_shown(module: str) -> None:
    code = f"import sys, {module}; sys.exit('babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
