from datetime import timedelta
from pathlib import Path

import pytest

from watcher.errors import SettingsFaults
from watcher.settings.processing_times import parse_processing_times, read_processing_times


def test_table_is_read_with_or_without_a_header() -> None:
    expected = {"I-485": timedelta(days=420), "N-400": timedelta(days=270)}
    assert parse_processing_times("form,days\nI-485,420\n\n n-400 , 270\r\n") == expected
    assert parse_processing_times('"I-485","420"\nN-400,270') == expected


def test_later_line_of_a_form_counts() -> None:
    assert parse_processing_times("I-485,420\nI-485,390") == {"I-485": timedelta(days=390)}


def test_all_invalid_lines_are_reported_together() -> None:
    with pytest.raises(SettingsFaults) as faults:
        parse_processing_times("I-485,420\nI-765\nN-400,many\nI-90,0\nI-130,99999\n,30")
    assert [fault.split(":")[0] for fault in faults.value.faults] == ["line 2", "line 3", "line 4", "line 5", "line 6"]
    assert all('"I-485,420"' in fault for fault in faults.value.faults)


def test_fault_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "times.csv"
    path.write_text("I-485\n")
    with pytest.raises(SettingsFaults, match=r"times\.csv: line 1: "):
        read_processing_times(path)


def test_spreadsheet_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "times.csv"
    path.write_bytes(b"\xef\xbb\xbfForm,Days\r\nI-485,420\r\n")
    assert read_processing_times(path) == {"I-485": timedelta(days=420)}


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_unreadable_file_is_reported(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "times.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsFaults, match="cannot be read"):
        read_processing_times(path)
