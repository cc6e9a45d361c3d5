"""Several daemons with one database, each a real process with its own state folder."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest

from tests.postgres.installations import Installations, installations, running_daemon
from tests.support.waiting import eventually
from tests.support.webhook_workspace import WebhookWorkspace
from watcher.app import App
from watcher.model.change import ChangeKind
from watcher.practice import Fault
from watcher.store import Busy

_TIMEOUT = 90.0


def wait_for(condition: Callable[[], bool], shared: Installations) -> None:
    if not eventually(condition, within=_TIMEOUT):
        logs = [(machine.folder / "run.log").read_text("utf-8") for machine in shared.machines]
        pytest.fail("the condition was not met in time\n" + "\n---\n".join(logs))


def due_in(machine: WebhookWorkspace, span: timedelta) -> None:
    """Let every account be due after this time."""
    with machine.app() as app:
        for name in app.settings.accounts:
            app.store.accounts.set_next_read(name, app.clock.now() + span)


def is_read_somewhere(app: App, name: str) -> bool:
    try:
        with app.store.locks.acquire(f"account {name}"):
            return False
    except Busy:
        return True


def test_two_daemons_share_the_accounts_and_check_each_once(tmp_path: Path, url: str) -> None:
    with installations(tmp_path, url, accounts=4, machines=2) as shared, ExitStack() as stack:
        shared.first.check()
        due_in(shared.first, timedelta(seconds=8))
        shared.move()
        shared.portal.forget_requests()
        shared.portal.faults.throw(Fault.SLOW, path="/case-status/*", delay=timedelta(milliseconds=300))
        for machine in shared.machines:
            stack.enter_context(running_daemon(machine))
        app = stack.enter_context(shared.first.app())
        wait_for(lambda: all(shared.alerts_of(name) for name in shared.numbers), shared)
        now = app.clock.now()
        assert all(turn and turn > now + timedelta(hours=3) for _, turn in app.store.accounts.all().values())
        assert {name: shared.reads(name) for name in shared.numbers} == dict.fromkeys(shared.numbers, 1)
        assert all(len(shared.alerts_of(name)) == 1 for name in shared.numbers)


def test_accounts_of_a_killed_daemon_are_taken_over_and_a_change_is_alerted_once(tmp_path: Path, url: str) -> None:
    with installations(tmp_path, url, accounts=1, machines=2) as shared, ExitStack() as stack:
        (name,) = shared.numbers
        shared.first.check()
        due_in(shared.first, timedelta(0))
        shared.move()
        shared.portal.forget_requests()
        shared.portal.faults.throw(Fault.SLOW, path="/case-status/*", delay=timedelta(minutes=5))
        first = stack.enter_context(running_daemon(shared.machines[0]))
        wait_for(lambda: shared.reads(name) == 1, shared)
        app = stack.enter_context(shared.first.app())
        assert is_read_somewhere(app, name)
        stack.enter_context(running_daemon(shared.machines[1]))
        first.kill()
        first.wait()
        wait_for(lambda: not is_read_somewhere(app, name), shared)
        next_read = app.store.accounts.next_read(name)
        assert next_read is not None
        assert next_read <= app.clock.now() + timedelta(minutes=1)

        shared.portal.faults.clear()
        due_in(shared.first, timedelta(0))  # in place of waiting for that
        wait_for(lambda: bool(shared.alerts_of(name)), shared)
        assert shared.reads(name) == 2
        assert len(shared.alerts_of(name)) == 1


def test_daemon_that_hangs_in_a_check_is_reported_by_others_and_recovers(tmp_path: Path, url: str) -> None:
    with installations(tmp_path, url, accounts=1, machines=2) as shared, ExitStack() as stack:
        (hanging,) = shared.numbers
        for machine in shared.machines:
            machine.schedule = f'database_url = "{url}"\n[schedule]\njitter = "0"\nevery = "1s"\nblind_after = "1s"'
            machine.configure()
        shared.first.check()
        shared.portal.faults.throw(
            Fault.SLOW, path=f"/case-status/{shared.numbers[hanging]}", delay=timedelta(minutes=5)
        )
        first = stack.enter_context(running_daemon(shared.machines[0]))
        app = stack.enter_context(shared.machines[1].app())
        wait_for(lambda: is_read_somewhere(app, hanging), shared)
        wait_for(lambda: shared.reads(hanging) == 2, shared)
        processes = [psutil.Process(first.pid), *psutil.Process(first.pid).children(recursive=True)]
        for process in processes:
            process.suspend()
        wait_for(lambda: app.clock.now() - utc(app.store.accounts.next_read(hanging)) > timedelta(seconds=2), shared)
        assert [change.change.kind for change in app.record_time_reminders() if change.account == hanging] == [
            ChangeKind.BLIND
        ]
        assert app.record_time_reminders() == []
        accounts = {account["name"]: account for account in shared.first.run("status", "--json").json["accounts"]}
        assert accounts[hanging]["state"] == "failing"
        assert "no successful check since" in accounts[hanging]["last_error"]

        shared.portal.faults.clear()
        for process in processes:
            process.kill()
        wait_for(lambda: not is_read_somewhere(app, hanging), shared)
        assert [change.change.kind for change in app.poll(hanging).changes] == [ChangeKind.RECOVERED]


def test_command_checks_the_free_accounts_first_and_then_waits_for_the_others(tmp_path: Path, url: str) -> None:
    with installations(tmp_path, url, accounts=2, machines=1) as shared, ExitStack() as stack:
        held, free = shared.numbers
        app = stack.enter_context(shared.first.app())
        with app.store.locks.acquire(f"account {held}"):
            command = stack.enter_context(shared.first.popen("check", held, free))
            wait_for(lambda: shared.reads(free) == 1, shared)
            assert shared.reads(held) == 0
        assert command.wait(_TIMEOUT) == 0
        assert shared.reads(held) == 1


def utc(moment: datetime | None) -> datetime:
    assert moment is not None
    return moment


def test_account_checked_by_another_daemon_is_not_checked_again(tmp_path: Path, url: str) -> None:
    with installations(tmp_path, url, accounts=1, machines=1) as shared, shared.first.app() as app:
        (name,) = shared.numbers
        began: list[str] = []
        turn = app.clock.now()
        assert app.poll(name, scheduled_at=turn).changes
        left = app.poll(name, scheduled_at=turn, on_start=lambda: began.append(name))
        assert (left.read_elsewhere, left.changes, began) == (True, (), [])
        with app.store.locks.acquire(f"account {name}"):
            assert app.poll(name, scheduled_at=turn).read_elsewhere
        assert shared.reads(name) == 1
        assert not app.poll(name, scheduled_at=app.store.accounts.next_read(name)).read_elsewhere
        assert shared.reads(name) == 2
