"""Five simulated years, through the pure modules and through the whole program, and what must have come of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.years.books import ACCOUNT, BooksInMemory, Line
from tests.years.in_store import Addressees, BooksInStore, HandSetClock
from tests.years.recount import recount
from tests.years.story import LAST, SETTINGS, tell
from watcher.app import open_app
from watcher.portals import find
from watcher.settings import Settings


def in_memory(_folder: Path) -> list[Line]:
    books = BooksInMemory(Settings.model_validate(SETTINGS))
    tell(books)
    return books.lines()


def in_store(folder: Path) -> list[Line]:
    account = find("uscis").account.model_validate({"name": ACCOUNT, "portal": "uscis"})
    settings = Settings.model_validate(SETTINGS | {"state_dir": folder / "state", "accounts": {ACCOUNT: account}})
    clock = HandSetClock()
    addressees = Addressees(clock=clock, outbox_of=lambda: app.store)
    with open_app(settings, clock=clock, notifier=addressees) as app:
        tell(BooksInStore(app, clock, addressees))
    return addressees.lines


@pytest.fixture(scope="module", params=[in_memory, in_store], ids=["in-memory", "in-store"])
def lines(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    told: Callable[[Path], list[Line]] = request.param
    return told(tmp_path_factory.mktemp("years"))


def test_five_years_agree_line_by_line_with_the_recount_from_the_story(lines: list[Line]) -> None:
    assert sorted(lines) == recount()


def test_messages_leave_in_the_order_of_their_times(lines: list[Line]) -> None:
    for channel in {line.channel for line in lines}:
        times = [line.at for line in lines if line.channel == channel]
        assert times == sorted(times)


def test_nobody_hears_of_anything_once_all_cases_are_decided(lines: list[Line]) -> None:
    assert max(line.at.year for line in lines) == 2028
    assert LAST.year == 2031
