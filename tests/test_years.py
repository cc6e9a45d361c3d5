"""Five simulated years, and what must have come of them."""

import pytest

from tests.years.books import BooksInMemory, Line
from tests.years.recount import recount
from tests.years.story import LAST, SETTINGS, tell
from watcher.settings import Settings


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    books = BooksInMemory(Settings.model_validate(SETTINGS))
    tell(books)
    return books.lines()


def test_five_years_agree_line_by_line_with_the_recount_from_the_story(lines: list[Line]) -> None:
    assert sorted(lines) == recount()


def test_messages_leave_in_the_order_of_their_times(lines: list[Line]) -> None:
    for channel in {line.channel for line in lines}:
        times = [line.at for line in lines if line.channel == channel]
        assert times == sorted(times)


def test_nobody_hears_of_anything_once_all_cases_are_decided(lines: list[Line]) -> None:
    assert max(line.at.year for line in lines) == 2028
    assert LAST.year == 2031
