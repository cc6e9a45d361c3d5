"""The real commands on a database of the server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres.house import House, house
from tests.postgres.server import PASSWORD, Server
from watcher.model.account_health import ReadOutcome
from watcher.model.alert import AlertState
from watcher.practice import Fault


@pytest.fixture
def family(tmp_path: Path, url: str) -> Iterator[House]:
    with house(tmp_path, url, accounts=1, machines=1) as made:
        yield made


def test_a_change_is_recorded_and_told_once(family: House) -> None:
    (name,) = family.numbers
    family.home.check()
    family.move()
    family.home.check()
    family.home.check()
    (case,) = family.home.run("status", "--json").json["cases"]
    assert case["case_number"] == family.numbers[name]
    assert len(family.alerts_of(name)) == 1
    kinds = [change.change.kind.value for change in family.home.changes()]
    assert kinds.count("rfe_received") == 1
    assert not (family.home.state / "watcher.sqlite3").exists()


def test_a_portal_in_trouble_is_told_once_and_its_recovery_too(family: House) -> None:
    (name,) = family.numbers
    with family.home.app() as app:
        app.poll(name)
        family.portal.faults.throw(Fault.HTML_FOR_JSON)
        for _ in range(3):
            assert app.poll(name).outcome is ReadOutcome.FAILED
        family.portal.faults.clear()
        assert app.poll(name).outcome is ReadOutcome.OK
    of_account = [each.change.kind.value for each in family.home.changes() if each.change.case_number is None]
    assert of_account == ["portal_unreadable", "recovered"]


def test_an_alert_that_was_not_taken_waits_on_the_server(family: House) -> None:
    (name,) = family.numbers
    with family.home.app() as app:
        app.poll(name)
        family.home.phone.status = 500
        assert app.outbox_worker().deliver_due() == 0
        assert [alert.state for alert in app.store.outbox.list()] == [AlertState.QUEUED]
        family.home.phone.status = 200
        assert app.store.outbox.retry(app.clock.now()) == 1
        assert app.outbox_worker().deliver_due() == 1
        assert [alert.state for alert in app.store.outbox.list()] == [AlertState.SENT]


def test_two_couriers_do_not_bring_one_alert_twice(family: House) -> None:
    (name,) = family.numbers
    with family.home.app() as app, family.home.app() as other:
        app.poll(name)
        with other.store.locks.acquire("delivery"):
            assert app.outbox_worker().deliver_due() == 0
        assert app.outbox_worker().deliver_due() + other.outbox_worker().deliver_due() == 1
    assert len(family.home.phone.messages) == 1


def test_a_copy_is_left_to_the_servers_own_tools(family: House) -> None:
    assert "pg_dump" in family.home.run("backup", "copy", expect=(1, 2)).err


def test_the_doctor_finds_the_database_and_makes_nothing_in_it(postgres: Server, family: House, url: str) -> None:
    def told() -> str:
        ran = family.home.run("doctor", "--offline", "--json", expect=(0, 1))
        assert PASSWORD not in ran.out + ran.err
        return " ".join(f["told"] for f in ran.json["findings"] if f["about"] == "database")

    name = url.rpartition("/")[2]
    assert "no tables yet" in told()
    assert postgres.do("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", name) == [(0,)]
    with family.home.app():
        pass
    assert f"{name} at 127.0.0.1 answers" in told()


def test_a_server_that_is_not_there_is_told_in_words(family: House) -> None:
    family.home.schedule = f'database_url = "postgresql://watcher:{PASSWORD}@127.0.0.1:1/books"'
    family.home.configure()
    ran = family.home.run("status", expect=(1, 2))
    assert "nothing answers there" in ran.err
    assert PASSWORD not in ran.out + ran.err
