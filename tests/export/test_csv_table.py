import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.export.csv_table import csv_table


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])  # noqa: RUF001
def test_cell_that_a_spreadsheet_would_run_becomes_a_text(begin: str) -> None:
    (row,) = csv.DictReader(io.StringIO(csv_table([{"title": f"{begin}cmd|' /C calc'!A0"}], ["title"]), newline=""))
    assert row["title"] == f"'{begin}cmd|' /C calc'!A0"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20))
def test_every_other_cell_is_read_as_it_was(text: str) -> None:
    (row,) = csv.DictReader(io.StringIO(csv_table([{"a": text, "b": True, "c": None}], ["a", "b", "c"]), newline=""))
    assert row["a"].removeprefix("'") == text.removeprefix("'")
    assert (row["b"], row["c"]) == ("true", "")
