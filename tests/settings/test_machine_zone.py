"""The machine's time zone, however it is stated."""

import shutil
from pathlib import Path
from zoneinfo import TZPATH

import pytest

from watcher.settings.machine_zone import find_zone

YEAR = 2026


def zone_of(localtime: Path, **environ: str) -> str | None:
    zone = find_zone(environ, localtime, year=YEAR)
    return None if zone is None else zone.key


def zone_file(name: str) -> Path:
    for folder in TZPATH:
        if (file := Path(folder) / name).is_file():
            return file
    pytest.skip("the system has no time zone files")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("America/Chicago", "America/Chicago"),
        (":Pacific/Honolulu", "Pacific/Honolulu"),
        ("", "UTC"),
        ("EST5EDT,M3.2.0,M11.1.0", "America/New_York"),
        ("EST5EDT4,M3.2.0/2:00:00,M11.1.0/2:00:00", "America/New_York"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "Europe/Madrid"),
        ("HST10", "Pacific/Honolulu"),
        ("<-03>3", "America/Sao_Paulo"),
        ("AEST-10AEDT,M10.1.0,M4.1.0/3", "Australia/Sydney"),
    ],
)
def test_zone_in_the_environment(tmp_path: Path, text: str, name: str) -> None:
    assert zone_of(tmp_path / "localtime", TZ=text) == name


def test_rule_with_another_abbreviation_is_found_by_its_clocks(tmp_path: Path) -> None:
    assert zone_of(tmp_path / "localtime", TZ="ABC5DEF,M3.2.0,M11.1.0") == "America/New_York"


@pytest.mark.parametrize("text", ["Mars/Olympus_Mons", "EST5:17", "\udcff", "/dev/null"])
def test_zone_without_a_name_is_not_guessed(tmp_path: Path, text: str) -> None:
    assert zone_of(tmp_path / "localtime", TZ=text) is None


def test_plain_file_is_the_zone_that_it_holds(tmp_path: Path) -> None:
    file = tmp_path / "localtime"
    shutil.copy(zone_file("America/New_York"), file)
    assert zone_of(file) == "America/New_York"
    assert zone_of(tmp_path / "other", TZ=f":{file}") == "America/New_York"


def test_link_states_the_name(tmp_path: Path) -> None:
    (tmp_path / "localtime").symlink_to(zone_file("America/Detroit"))
    assert zone_of(tmp_path / "localtime") == "America/Detroit"


def test_machine_without_a_zone_is_on_utc(tmp_path: Path) -> None:
    assert zone_of(tmp_path / "localtime") == "UTC"
