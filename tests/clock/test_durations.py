from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.clock.durations import format_duration, parse_duration


@given(st.integers(0, 3660 * 86400))
def test_a_formatted_duration_is_parsed_back(seconds: int) -> None:
    span = timedelta(seconds=seconds)
    assert parse_duration(format_duration(span)) == span


@pytest.mark.parametrize(
    "text", ["", "4", "h", "4 hours", "-4h", "4.5h", "4h30m", "99999d", "\N{FULLWIDTH DIGIT FOUR}h"]
)
def test_an_invalid_duration_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a duration|longer than ten years"):
        parse_duration(text)
