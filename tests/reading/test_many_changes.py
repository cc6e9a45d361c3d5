"""A portal that rewords many statuses at once: a few transactions, and work in proportion to the number of cases."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.practice.visitor import HandClock
from tests.store.temporary_store import a_snapshot
from tests.support.waiting import eventually
from tests.support.work_done import Work, counted
from watcher.app import App, open_app
from watcher.context.opening import read_settings
from watcher.errors import UnexpectedAnswer
from watcher.model.account_health import ReadOutcome
from watcher.model.case import Snapshot
from watcher.model.change import ChangeKind
from watcher.portal import CaseFailed, CaseRead, CaseResult
from watcher.portals import find
from watcher.reading.case_group import MAX_CASES
from watcher.reading.poll import record_results
from watcher.store import StoreReader

FEW, MANY = 128, 384
LINEAR = 1.2
"""How much more than in proportion the work for many cases may be."""

PORTAL = find("uscis-api")
REWORDED = "Case Is Being Actively Reviewed By USCIS"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    config = tmp_path / "watcher.toml"
    config.touch(mode=0o600)
    config.write_text(
        f'timezone = "UTC"\nstate_dir = "{tmp_path / "state"}"\n[accounts.office]\nportal = "uscis-api"\n'
        'client_id = "x"\nclient_secret = "made-up"\ncases = ["IOE0900000000"]\n'
        '[channels.phone]\nurl = "json://phone"\nmin_severity = "routine"\n'
    )
    with open_app(read_settings(config, {}), clock=HandClock()) as opened:
        yield opened


def snapshots(count: int, status: str = "Case Was Received") -> list[Snapshot]:
    return [a_snapshot(status, number=f"IOE09{place:08d}") for place in range(count)]


def record(app: App, results: Iterator[CaseResult] | list[CaseResult]) -> Work:
    """Record the results of a check, and return the work."""
    account = app.settings.accounts["office"]
    with counted(app.store._database.engine) as work:
        done = record_results(results, account, PORTAL, app.context)
    assert done.outcome in {ReadOutcome.OK, ReadOutcome.PARTIAL}
    return work


def read(count: int, status: str = "Case Was Received") -> list[CaseResult]:
    return [CaseRead(snapshot=snapshot, answers={"status": b"{}"}) for snapshot in snapshots(count, status)]


def work_for(app: App, count: int) -> Work:
    record(app, read(count))
    return record(app, read(count, REWORDED))


def test_changes_of_many_cases_take_few_transactions_and_linear_work(app: App) -> None:
    few, many = work_for(app, FEW), work_for(app, MANY)
    extra = MANY - FEW
    assert many.commits - few.commits <= extra / MAX_CASES + 1
    assert many.statements - few.statements <= 16 * (extra / MAX_CASES + 1)
    assert many.calls <= few.calls * MANY / FEW * LINEAR
    assert many.sql_steps <= few.sql_steps * MANY / FEW * LINEAR
    assert len(app.store.outbox.list()) == 1 + FEW + 2 * MANY, "the first contact, then one for each change"


def test_only_a_group_of_cases_waits_in_memory(app: App) -> None:
    def results() -> Iterator[CaseResult]:
        for place, result in enumerate(read(3 * MAX_CASES)):
            if place % 32 == 0:
                assert place - stored(app.store) <= MAX_CASES
            yield result

    record(app, results())
    assert stored(app.store) == 3 * MAX_CASES


def test_case_does_not_wait_for_a_portal_that_does_not_answer(app: App) -> None:
    record(app, read(2))

    def results() -> Iterator[CaseResult]:
        changed, other = read(2, REWORDED)
        yield changed
        assert eventually(lambda: app.store.history(kinds={ChangeKind.STATUS_CHANGED}), within=10)
        yield other

    record(app, results())
    assert len(app.store.history(kinds={ChangeKind.STATUS_CHANGED})) == 2


def stored(store: StoreReader) -> int:
    return len(store.case_numbers())


def test_what_was_read_before_a_check_ended_early_is_recorded_with_its_alerts(app: App) -> None:
    record(app, read(2))
    failed = CaseFailed(case_number="IOE0900000009", error=UnexpectedAnswer("half an answer"))
    record(app, [*read(2, REWORDED), failed])
    assert len(app.store.history(kinds={ChangeKind.STATUS_CHANGED})) == 2


def test_two_results_for_one_case_in_a_group_are_two_steps_of_its_history(app: App) -> None:
    (first,) = snapshots(1)
    record(app, [CaseRead(snapshot=first)])
    second, third = (replace(first, status=status) for status in (REWORDED, "Case Was Approved"))
    record(app, [CaseRead(snapshot=second), CaseRead(snapshot=third)])
    new = [change.change.new for change in app.store.history(limit=2)]
    assert [one["status"] for one in new if isinstance(one, dict)] == ["Case Was Approved", REWORDED]
