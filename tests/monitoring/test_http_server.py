"""/healthz and /metrics, over real connections."""

import http.client
import json
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from tests.cli.api_workspace import RECEIPT, ApiWorkspace, api_workspace
from tests.servers.running import free_port
from tests.support.waiting import eventually
from watcher.errors import SettingsFaults, StoreUnusable, WatcherError
from watcher.model.account_health import AccountState
from watcher.model.alert import AlertState
from watcher.monitoring.http_server import HealthServer
from watcher.monitoring.metrics import Counters, exposition
from watcher.monitoring.service_status import AccountStatus, ServiceStatus

NOW = datetime(2026, 7, 9, 12, tzinfo=UTC)
TOKEN = "a-long-random-text"
WELL = ServiceStatus(
    at=NOW,
    accounts=(
        AccountStatus(
            name="family",
            portal="uscis-api",
            state=AccountState.OK,
            blind=False,
            last_attempt_at=NOW,
            last_read_at=NOW - timedelta(minutes=5),
            next_read_at=NOW + timedelta(hours=4),
        ),
    ),
    alerts={AlertState.QUEUED: 1, AlertState.SENT: 3, AlertState.FAILED: 2},
)
UNWELL = replace(WELL, accounts=(replace(WELL.accounts[0], blind=True),))


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody who asks a server on loopback."""

    port: int

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, names, answer.read().decode())
        finally:
            connection.close()


@contextmanager
def serving(condition: Callable[[], ServiceStatus] = lambda: WELL, token: str | None = None) -> Iterator[Asking]:
    tally = Counters()
    tally.read("uscis-api", "ok")
    server = HealthServer(
        "127.0.0.1:0",
        token=SecretStr(token) if token else None,
        condition=condition,
        metrics=lambda: exposition(condition(), tally),
    )
    server.start()
    try:
        yield Asking(server.port)
    finally:
        server.stop()


def metrics(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by its name and the values of its labels, in the order of the labels' names."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class TestHealth:
    def test_a_watcher_that_is_well_answers_200(self) -> None:
        with serving() as asking:
            answer = asking.get("/healthz")
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("application/json")
        assert answer.headers["cache-control"] == "no-store"
        told = json.loads(answer.body)
        assert (told["status"], told["accounts"][0]["name"], told["alerts"]["queued"]) == ("ok", "family", 1)

    @pytest.mark.parametrize("condition", [UNWELL, replace(WELL, scheduler_alive=False)])
    def test_one_that_is_not_answers_503_and_says_why(self, condition: ServiceStatus) -> None:
        with serving(lambda: condition) as asking:
            answer = asking.get("/healthz")
        assert answer.status == 503
        told = json.loads(answer.body)
        assert told["status"] == "unwell"
        assert told["accounts"][0]["blind"] or told["scheduler"] == "stuck"

    def test_a_database_that_cannot_be_read_is_a_503(self) -> None:
        def unreadable() -> ServiceStatus:
            raise StoreUnusable("database x: the disk reports errors")

        with serving(unreadable) as asking:
            assert asking.get("/healthz").status == asking.get("/metrics").status == 503

    def test_head_is_answered_without_a_body(self) -> None:
        with serving() as asking:
            answer = asking.get("/healthz", method="HEAD")
        assert (answer.status, answer.body) == (200, "")

    def test_a_query_changes_nothing(self) -> None:
        with serving() as asking:
            assert asking.get("/healthz?from=a-probe").status == 200

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
    def test_nothing_can_be_sent(self, method: str) -> None:
        with serving() as asking:
            assert asking.get("/healthz", method=method).status == 501

    def test_there_are_two_pages_and_no_more(self) -> None:
        with serving() as asking:
            assert {asking.get(path).status for path in ("/", "/healthz/", "/../etc/passwd", "/metric")} == {404}


class TestWhoMayAsk:
    def test_with_a_token_nobody_is_told_anything_without_it(self) -> None:
        with serving(token=TOKEN) as asking:
            for path in ("/healthz", "/metrics", "/"):
                answer = asking.get(path)
                assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
                assert "family" not in answer.body

    @pytest.mark.parametrize("shown", ["Bearer wrong", "Bearer", "Basic " + TOKEN, "Bearer \xe9", TOKEN])
    def test_a_wrong_one_is_as_good_as_none(self, shown: str) -> None:
        with serving(token=TOKEN) as asking:
            assert asking.get("/healthz", Authorization=shown).status == 401

    def test_the_right_one_opens_whatever_the_server_is_called(self) -> None:
        with serving(token=TOKEN) as asking:
            for path in ("/healthz", "/metrics"):
                assert asking.get(path, Authorization=f"bearer {TOKEN}", Host="box.example.org").status == 200

    @pytest.mark.parametrize("host", ["evil.example.org", "10.0.0.1:80", "", "127.0.0.1.example.org", "["])
    def test_without_a_token_only_names_of_this_machine_are_answered_to(self, host: str) -> None:
        with serving() as asking:
            answer = asking.get("/healthz", Host=host)
        assert answer.status == 403
        assert "family" not in answer.body

    @pytest.mark.parametrize("host", ["localhost:8787", "127.0.0.1", "[::1]:8787"])
    def test_these_are_names_of_this_machine(self, host: str) -> None:
        with serving() as asking:
            assert asking.get("/healthz", Host=host).status == 200


class TestBounds:
    def test_somebody_who_sends_nothing_is_hung_up_on(self) -> None:
        with serving() as asking, socket.create_connection(("127.0.0.1", asking.port), timeout=20) as silent:
            began = time.monotonic()
            assert silent.recv(1) == b""
            assert time.monotonic() - began < 10

    def test_a_byte_now_and_then_does_not_stretch_the_deadline(self) -> None:
        with serving() as asking, socket.create_connection(("127.0.0.1", asking.port), timeout=1) as slow:
            began = time.monotonic()
            try:
                while time.monotonic() - began < 15:
                    slow.sendall(b"G")
                    time.sleep(0.2)
            except OSError:
                pass  # hung up on
            assert time.monotonic() - began < 10

    def test_many_who_wait_do_not_make_many_threads(self) -> None:
        with serving() as asking:
            crowd = [socket.create_connection(("127.0.0.1", asking.port), timeout=10) for _ in range(40)]
            turned_away = 0
            for one in crowd[8:]:
                try:
                    turned_away += one.recv(1) == b""
                except ConnectionResetError:
                    turned_away += 1
            assert turned_away == 32
            for one in crowd:
                one.close()

    @pytest.mark.parametrize(
        "said", [b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\xa5\x01", b"\n" * 9]
    )
    def test_what_is_no_request_does_no_harm(self, said: bytes) -> None:
        with serving() as asking:
            with socket.create_connection(("127.0.0.1", asking.port), timeout=10) as rude:
                rude.sendall(said)
                rude.shutdown(socket.SHUT_WR)
                try:
                    while rude.recv(4096):
                        continue
                except ConnectionResetError:
                    pass  # hung up on with something unread
            assert asking.get("/healthz").status == 200

    def test_the_address_is_free_again_after_the_end(self) -> None:
        with serving() as asking:
            port = asking.port
        with pytest.raises(ConnectionRefusedError):
            asking.get("/healthz")
        server = HealthServer(f"127.0.0.1:{port}", token=None, condition=lambda: WELL, metrics=bytes)
        server.stop()

    def test_an_address_that_is_taken_is_told_with_its_key(self) -> None:
        with serving() as asking, pytest.raises(WatcherError, match=r"health.listen: 127.0.0.1:\d+: address already"):
            HealthServer(f"127.0.0.1:{asking.port}", token=None, condition=lambda: WELL, metrics=bytes)


class TestMetrics:
    def test_they_parse_and_say_what_they_should(self) -> None:
        with serving(lambda: UNWELL) as asking:
            answer = asking.get("/metrics")
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        found = metrics(answer.body)
        assert found["watcher_well", ()] == 0
        assert found["watcher_reads_total", ("ok", "uscis-api")] == 1
        assert found["watcher_alerts_total", ("sent",)] == 3
        assert found["watcher_alerts_total", ("failed",)] == 2
        assert found["watcher_alerts_waiting", ("queued",)] == 1
        assert found["watcher_alerts_waiting", ("held",)] == 0
        assert found["watcher_accounts", ("uscis-api", "ok")] == 1
        assert found["watcher_last_good_read_age_seconds", ("uscis-api",)] == 300

    def test_no_label_names_an_account(self) -> None:
        assert "family" not in exposition(WELL, Counters()).decode()

    def test_the_library_is_imported_only_when_somebody_asks(self) -> None:
        code = "import watcher.daemon.liveness, sys; sys.exit('prometheus_client' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ApiWorkspace]:
    with api_workspace(tmp_path) as made:
        yield made


def answers(asking: Asking) -> bool:
    try:
        asking.get("/healthz")
    except OSError:
        return False
    return True


def sample(asking: Asking, name: str, *labels: str) -> float | None:
    """One figure as it is now; None where the server does not answer yet or has none."""
    return metrics(asking.get("/metrics").body).get((name, labels)) if answers(asking) else None


def test_a_real_daemon_says_what_it_did(world: ApiWorkspace) -> None:
    port = free_port()
    world.configure(f'[health]\nlisten = "127.0.0.1:{port}"')
    asking = Asking(port)
    daemon = world.popen("run")
    try:
        assert eventually(lambda: sample(asking, "watcher_reads_total", "ok", "uscis-api") == 1)
        assert eventually(lambda: sample(asking, "watcher_alerts_total", "sent") == 1)
        health, meters = asking.get("/healthz"), asking.get("/metrics")
    finally:
        daemon.terminate()
        daemon.communicate(timeout=20)
    assert health.status == 200
    assert json.loads(health.body)["accounts"][0]["state"] == "ok"
    assert metrics(meters.body)["watcher_changes_total", ("case_added",)] == 1
    for page in (health.body, meters.body):
        assert RECEIPT not in page
        assert not re.search(rf"(?<!\d){RECEIPT[-4:]}", page), "not masked either"
    assert "family" not in meters.body


def test_a_blind_daemon_is_a_503(world: ApiWorkspace) -> None:
    world.check()
    with sqlite3.connect(world.database) as books:
        long_ago = (datetime.now(UTC) - timedelta(days=3)).isoformat(" ").replace("+00:00", "")
        books.execute(
            "UPDATE account SET state='failing', failing_since=?, last_read_at=?, next_read_at=?",
            (long_ago, long_ago, "2099-01-01 00:00:00.000000"),
        )
    books.close()
    port = free_port()
    world.configure(f'[health]\nlisten = "127.0.0.1:{port}"')
    daemon = world.popen("run")
    try:
        assert eventually(lambda: answers(Asking(port)))
        assert Asking(port).get("/healthz").status == 503
    finally:
        daemon.terminate()
        daemon.communicate(timeout=20)


def test_a_daemon_whose_address_is_taken_does_not_start(world: ApiWorkspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        world.configure(f'[health]\nlisten = "127.0.0.1:{taken.getsockname()[1]}"')
        said = world.run("run", expect=(1,))
    assert "health.listen" in said.err


@pytest.mark.parametrize("listen", ["0.0.0.0:8787", "[::]:8787", "192.0.2.1:80", "box.example.org:8787"])
def test_an_address_that_others_reach_needs_a_token(world: ApiWorkspace, listen: str) -> None:
    world.configure(f'[health]\nlisten = "{listen}"')
    with pytest.raises(SettingsFaults, match=r"health\.token: is missing; other machines reach"), world.app():
        pass
    world.configure(f'[health]\nlisten = "{listen}"\ntoken = "{TOKEN}"')
    with world.app() as app:
        assert app.settings.health.listen == listen


def test_a_short_token_is_refused(world: ApiWorkspace) -> None:
    world.configure('[health]\nlisten = "0.0.0.0:8787"\ntoken = "guess-me"')
    with pytest.raises(SettingsFaults, match=r"health\.token: is too short") as fault, world.app():
        pass
    assert "guess-me" not in str(fault.value)
