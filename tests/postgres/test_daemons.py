"""Several daemons on one database, each a real process with a state folder of its own."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from tests.postgres.house import House, house, watching
from tests.support.waiting import eventually
from tests.support.webhook_workspace import WebhookWorkspace
from watcher.app import App
from watcher.practice import Fault
from watcher.store import Busy

_PATIENCE = 90.0


def wait_for(fact: Callable[[], bool], house: House) -> None:
    if not eventually(fact, within=_PATIENCE):
        logs = [(machine.folder / "run.log").read_text("utf-8") for machine in house.machines]
        pytest.fail("it did not come about in time\n" + "\n---\n".join(logs))


def due_in(home: WebhookWorkspace, span: timedelta) -> None:
    """Every account's turn comes after this."""
    with home.app() as app:
        for name in app.settings.accounts:
            app.store.accounts.set_next_read(name, app.clock.now() + span)


def is_read_somewhere(app: App, name: str) -> bool:
    try:
        with app.store.locks.acquire(f"account {name}"):
            return False
    except Busy:
        return True


def test_two_share_the_accounts_and_each_is_read_once_in_a_turn(tmp_path: Path, url: str) -> None:
    with house(tmp_path, url, accounts=4, machines=2) as family, ExitStack() as stack:
        family.home.check()
        due_in(family.home, timedelta(seconds=8))
        family.move()
        family.portal.forget_requests()
        family.portal.faults.throw(Fault.SLOW, path="/case-status/*", delay=timedelta(milliseconds=300))
        for machine in family.machines:
            stack.enter_context(watching(machine))
        app = stack.enter_context(family.home.app())
        wait_for(lambda: all(family.alerts_of(name) for name in family.numbers), family)
        now = app.clock.now()
        assert all(turn and turn > now + timedelta(hours=3) for _, turn in app.store.accounts.all().values())
        assert {name: family.reads(name) for name in family.numbers} == dict.fromkeys(family.numbers, 1)
        assert all(len(family.alerts_of(name)) == 1 for name in family.numbers)


def test_a_killed_daemons_accounts_are_taken_over_and_a_change_is_told_once(tmp_path: Path, url: str) -> None:
    with house(tmp_path, url, accounts=1, machines=2) as family, ExitStack() as stack:
        (name,) = family.numbers
        family.home.check()
        due_in(family.home, timedelta(0))
        family.move()
        family.portal.forget_requests()
        family.portal.faults.throw(Fault.SLOW, path="/case-status/*", delay=timedelta(minutes=5))
        first = stack.enter_context(watching(family.machines[0]))
        wait_for(lambda: family.reads(name) == 1, family)
        app = stack.enter_context(family.home.app())
        assert is_read_somewhere(app, name)
        stack.enter_context(watching(family.machines[1]))
        first.kill()
        first.wait()
        wait_for(lambda: not is_read_somewhere(app, name), family)
        taken_up = app.store.accounts.next_read(name)
        assert taken_up is not None
        assert taken_up <= app.clock.now() + timedelta(minutes=15)

        family.portal.faults.clear()
        due_in(family.home, timedelta(0))  # in place of those fifteen minutes
        wait_for(lambda: bool(family.alerts_of(name)), family)
        assert family.reads(name) == 2
        assert len(family.alerts_of(name)) == 1


def test_who_finds_that_another_has_had_the_turn_leaves_the_account_alone(tmp_path: Path, url: str) -> None:
    with house(tmp_path, url, accounts=1, machines=1) as family, family.home.app() as app:
        (name,) = family.numbers
        began: list[str] = []
        turn = app.clock.now()
        assert app.poll(name, scheduled_at=turn).changes
        left = app.poll(name, scheduled_at=turn, on_start=lambda: began.append(name))
        assert (left.read_elsewhere, left.changes, began) == (True, (), [])
        with app.store.locks.acquire(f"account {name}"):
            assert app.poll(name, scheduled_at=turn).read_elsewhere
        assert family.reads(name) == 1
        assert not app.poll(name, scheduled_at=app.store.accounts.next_read(name)).read_elsewhere
        assert family.reads(name) == 2
