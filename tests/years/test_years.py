"""Five simulated years, with the pure modules and with the whole program, give the expected messages."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.years.expected import expected_messages
from tests.years.in_memory import ACCOUNT, InMemoryProgram, Message
from tests.years.in_store import RecordingNotifier, SettableClock, StoredProgram
from tests.years.story import LAST, SETTINGS, simulate
from watcher.app import open_app
from watcher.portals import find
from watcher.settings import Settings


def run_in_memory(_folder: Path) -> list[Message]:
    program = InMemoryProgram(Settings.model_validate(SETTINGS))
    simulate(program)
    return program.messages()


def run_in_store(folder: Path) -> list[Message]:
    account = find("uscis").account.model_validate({"name": ACCOUNT, "portal": "uscis"})
    settings = Settings.model_validate(SETTINGS | {"state_dir": folder / "state", "accounts": {ACCOUNT: account}})
    clock = SettableClock()
    notifier = RecordingNotifier(clock=clock, store_of=lambda: app.store)
    with open_app(settings, clock=clock, notifier=notifier) as app:
        simulate(StoredProgram(app, clock, notifier))
    return notifier.messages


@pytest.fixture(scope="module", params=[run_in_memory, run_in_store], ids=["in-memory", "in-store"])
def messages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Message]:
    run: Callable[[Path], list[Message]] = request.param
    return run(tmp_path_factory.mktemp("years"))


def test_five_years_give_exactly_the_expected_messages(messages: list[Message]) -> None:
    assert sorted(messages) == expected_messages()


def test_messages_are_delivered_in_order(messages: list[Message]) -> None:
    for channel in {message.channel for message in messages}:
        times = [message.at for message in messages if message.channel == channel]
        assert times == sorted(times)


def test_there_are_no_messages_after_all_cases_are_decided(messages: list[Message]) -> None:
    assert max(message.at.year for message in messages) == 2028
    assert LAST.year == 2031
