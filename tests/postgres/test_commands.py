"""The real commands with a PostgreSQL database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres.installations import Installations, installations
from tests.postgres.server import PASSWORD, Server
from watcher.delivery.outbox_worker import delivery_lock
from watcher.model.account_health import ReadOutcome
from watcher.model.alert import AlertState
from watcher.practice import Fault


@pytest.fixture
def shared(tmp_path: Path, url: str) -> Iterator[Installations]:
    with installations(tmp_path, url, accounts=1, machines=1) as opened:
        yield opened


def test_change_is_recorded_and_alerted_once(shared: Installations) -> None:
    (name,) = shared.numbers
    shared.first.check()
    shared.move()
    shared.first.check()
    shared.first.check()
    (case,) = shared.first.run("status", "--json").json["cases"]
    assert case["case_number"] == shared.numbers[name]
    assert len(shared.alerts_of(name)) == 1
    kinds = [change.change.kind.value for change in shared.first.changes()]
    assert kinds.count("rfe_received") == 1
    assert not (shared.first.state / "watcher.sqlite3").exists()


def test_failing_portal_and_its_recovery_are_each_alerted_once(shared: Installations) -> None:
    (name,) = shared.numbers
    with shared.first.app() as app:
        app.poll(name)
        shared.portal.faults.throw(Fault.HTML_FOR_JSON)
        for _ in range(3):
            assert app.poll(name).outcome is ReadOutcome.FAILED
        shared.portal.faults.clear()
        assert app.poll(name).outcome is ReadOutcome.OK
    of_account = [change.change.kind.value for change in shared.first.changes() if change.change.case_number is None]
    assert of_account == ["portal_unreadable", "recovered"]


def test_undelivered_alert_waits_on_the_server(shared: Installations) -> None:
    (name,) = shared.numbers
    with shared.first.app() as app:
        app.poll(name)
        shared.first.phone.status = 500
        assert app.outbox_worker().deliver_due() == 0
        assert [alert.state for alert in app.store.outbox.list()] == [AlertState.QUEUED]
        shared.first.phone.status = 200
        assert app.store.outbox.retry(app.clock.now()) == 1
        assert app.outbox_worker().deliver_due() == 1
        assert [alert.state for alert in app.store.outbox.list()] == [AlertState.SENT]


def test_two_outbox_workers_do_not_deliver_an_alert_twice(shared: Installations) -> None:
    (name,) = shared.numbers
    with shared.first.app() as app, shared.first.app() as other:
        app.poll(name)
        with other.store.locks.acquire(delivery_lock("phone")):
            assert app.outbox_worker().deliver_due() == 0
        assert app.outbox_worker().deliver_due() + other.outbox_worker().deliver_due() == 1
    assert len(shared.first.phone.messages) == 1


def test_doctor_finds_the_database_and_writes_nothing(postgres: Server, shared: Installations, url: str) -> None:
    def findings() -> str:
        ran = shared.first.run("doctor", "--offline", "--json", expect=(0, 1))
        assert PASSWORD not in ran.out + ran.err
        return " ".join(f["told"] for f in ran.json["findings"] if f["about"] == "database")

    name = url.rpartition("/")[2]
    assert "is still empty" in findings()
    assert postgres.do("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", name) == [(0,)]
    with shared.first.app():
        pass
    assert f"{name} at 127.0.0.1 answers" in findings()


def test_unreachable_server_is_reported_without_the_password(shared: Installations) -> None:
    shared.first.schedule = f'database_url = "postgresql://watcher:{PASSWORD}@127.0.0.1:1/books"'
    shared.first.configure()
    ran = shared.first.run("status", expect=(1, 2))
    assert "nothing answers there" in ran.err
    assert PASSWORD not in ran.out + ran.err
