"""`/healthz` and `/metrics`, over real connections."""

import json
import os
import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.cli.api_workspace import RECEIPT, ApiWorkspace, api_workspace
from tests.servers.running import free_port
from tests.support.waiting import eventually
from tests.web.serving import Client, Served, plain, serving
from watcher.errors import SettingsFaults
from watcher.model.account_health import AccountState
from watcher.model.alert import AlertState
from watcher.model.change import Change, ChangeKind, RecordedChange, Severity
from watcher.monitoring.metrics import Counters, exposition
from watcher.monitoring.reported_status import ReportedAccount, ReportedStatus
from watcher.monitoring.service_status import ServiceStatus
from watcher.web.health import HealthPages
from watcher.web.service import CurrentService

NOW = datetime(2026, 7, 9, 12, tzinfo=UTC)
REPOSITORY = Path(__file__).parents[2]
BLIND = RecordedChange(
    id=1, at=NOW, account="family", summary="", change=Change(kind=ChangeKind.BLIND, severity=Severity.IMPORTANT)
)
TOKEN = "a-long-random-text"
ACCOUNT = ReportedAccount(
    name="family",
    portal="uscis-api",
    state=AccountState.OK,
    first_seen_at=NOW - timedelta(days=90),
    last_attempt_at=NOW,
    last_read_at=NOW - timedelta(minutes=5),
    next_read_at=NOW + timedelta(hours=4),
)
REPORTED = ReportedStatus(
    blind_after=timedelta(days=1),
    accounts=(ACCOUNT,),
    alerts={AlertState.QUEUED: 1, AlertState.SENT: 3, AlertState.FAILED: 2},
)
HEALTHY = ServiceStatus(at=NOW, reported=REPORTED)
UNHEALTHY = replace(
    HEALTHY, reported=replace(REPORTED, blind_after=timedelta(minutes=1), accounts=(replace(ACCOUNT, failing=True),))
)


@dataclass(slots=True)
class FixedService:
    """A service whose state is given; None: it does not answer."""

    status: ServiceStatus | None = HEALTHY

    async def current(self) -> CurrentService | None:
        counters = Counters()
        counters.count_check("uscis-api", "ok")
        status = self.status
        return None if status is None else CurrentService(status=status, counters=counters, process=os.getpid())


@contextmanager
def health_pages(status: ServiceStatus | None = HEALTHY, token: str | None = None) -> Iterator[Served]:
    with serving(plain(HealthPages(FixedService(status), token))) as served:
        yield served


def metrics(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return every sample by its name and the values of its labels, in the order of the labels' names."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class TestHealth:
    def test_healthy_service_answers_200(self) -> None:
        with health_pages() as client:
            answer = client.get("/healthz")
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("application/json")
        assert answer.headers["cache-control"] == "no-store"
        document = json.loads(answer.body)
        assert (document["status"], document["accounts"][0]["name"], document["alerts"]["queued"]) == (
            "ok",
            "family",
            1,
        )

    @pytest.mark.parametrize("status", [UNHEALTHY, replace(HEALTHY, scheduler_alive=False)])
    def test_unhealthy_service_answers_503_with_the_reason(self, status: ServiceStatus) -> None:
        with health_pages(status) as client:
            answer = client.get("/healthz")
        assert answer.status == 503
        document = json.loads(answer.body)
        assert document["status"] == "unwell"
        assert document["accounts"][0]["blind"] or document["scheduler"] == "stuck"

    def test_daemon_that_does_not_answer_is_a_503(self) -> None:
        with health_pages(None) as client:
            assert client.get("/healthz").status == client.get("/metrics").status == 503

    def test_head_is_answered_without_a_body(self) -> None:
        with health_pages() as client:
            answer = client.get("/healthz", method="HEAD")
        assert (answer.status, answer.body) == (200, "")

    def test_query_is_ignored(self) -> None:
        with health_pages() as client:
            assert client.get("/healthz?from=a-probe").status == 200

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
    def test_other_methods_are_refused(self, method: str) -> None:
        with health_pages() as client:
            assert client.get("/healthz", method=method).status == 501

    def test_other_paths_are_not_found(self) -> None:
        with health_pages() as client:
            assert {client.get(path).status for path in ("/", "/healthz/", "/../etc/passwd", "/metric")} == {404}


class TestAuthorization:
    def test_no_page_is_shown_without_the_token(self) -> None:
        with health_pages(token=TOKEN) as client:
            for path in ("/healthz", "/metrics", "/"):
                answer = client.get(path)
                assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
                assert "family" not in answer.body

    @pytest.mark.parametrize("authorization", ["Bearer wrong", "Bearer", "Basic " + TOKEN, "Bearer \xe9", TOKEN])
    def test_wrong_token_is_refused(self, authorization: str) -> None:
        with health_pages(token=TOKEN) as client:
            assert client.get("/healthz", Authorization=authorization).status == 401

    def test_token_works_with_any_host_name(self) -> None:
        with health_pages(token=TOKEN) as client:
            for path in ("/healthz", "/metrics"):
                assert client.get(path, Authorization=f"bearer {TOKEN}", Host="box.example.org").status == 200

    @pytest.mark.parametrize("host", ["evil.example.org", "10.0.0.1:80", "", "127.0.0.1.example.org", "["])
    def test_other_host_names_are_refused_without_a_token(self, host: str) -> None:
        with health_pages() as client:
            answer = client.get("/healthz", Host=host)
        assert answer.status == 403
        assert "family" not in answer.body

    @pytest.mark.parametrize("host", ["localhost:8787", "127.0.0.1", "[::1]:8787"])
    def test_loopback_names_are_answered_without_a_token(self, host: str) -> None:
        with health_pages() as client:
            assert client.get("/healthz", Host=host).status == 200


class TestMetrics:
    def test_metrics_have_the_expected_values(self) -> None:
        with health_pages(UNHEALTHY) as client:
            answer = client.get("/metrics")
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        samples = metrics(answer.body)
        assert samples["watcher_well", ()] == 0
        assert samples["watcher_reads_total", ("ok", "uscis-api")] == 1
        assert samples["watcher_alerts_total", ("sent",)] == 3
        assert samples["watcher_alerts_total", ("failed",)] == 2
        assert samples["watcher_alerts_waiting", ("queued",)] == 1
        assert samples["watcher_alerts_waiting", ("held",)] == 0
        assert samples["watcher_accounts", ("uscis-api", "ok")] == 1
        assert samples["watcher_last_good_read_age_seconds", ("uscis-api",)] == 300

    def test_no_label_contains_an_account_name(self) -> None:
        assert "family" not in exposition(HEALTHY, Counters(), os.getpid()).decode()

    def test_increments_of_several_workers_are_summed(self) -> None:
        total = Counters()
        for outcomes in (["ok", "ok", "failed"], ["ok"]):
            worker = Counters()
            for outcome in outcomes:
                worker.count_check("uscis-api", outcome)
            worker.count_changes([BLIND])
            total.add(json.loads(json.dumps(worker.take())))
            assert worker.take() == Counters().take()
        assert total.checks() == {("uscis-api", "ok"): 3, ("uscis-api", "failed"): 1}
        assert total.changes() == {"blind": 2}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[ApiWorkspace]:
    with api_workspace(tmp_path) as workspace:
        yield workspace


def answers(client: Client) -> bool:
    try:
        client.get("/healthz")
    except OSError:
        return False
    return True


def sample(client: Client, name: str, *labels: str) -> float | None:
    """Return the current value of one metric; None if the server does not answer yet or has none."""
    return metrics(client.get("/metrics").body).get((name, labels)) if answers(client) else None


def test_real_daemon_reports_its_work(workspace: ApiWorkspace) -> None:
    port = free_port()
    workspace.configure(f'[health]\nlisten = "127.0.0.1:{port}"')
    client = Client(port)
    daemon = workspace.popen("run")
    try:
        assert eventually(lambda: sample(client, "watcher_reads_total", "ok", "uscis-api") == 1)
        assert eventually(lambda: sample(client, "watcher_alerts_total", "sent") == 1)
        health, current = client.get("/healthz"), client.get("/metrics")
    finally:
        daemon.terminate()
        daemon.communicate(timeout=20)
    assert health.status == 200
    assert json.loads(health.body)["accounts"][0]["state"] == "ok"
    assert metrics(current.body)["watcher_changes_total", ("case_added",)] == 1
    for page in (health.body, current.body):
        assert RECEIPT not in page
        assert not re.search(rf"(?<!\d){RECEIPT[-4:]}", page), "not masked either"
    assert "family" not in current.body


def test_blind_daemon_is_a_503(workspace: ApiWorkspace) -> None:
    workspace.check()
    with sqlite3.connect(workspace.database) as database:
        long_ago = (datetime.now(UTC) - timedelta(days=3)).isoformat(" ").replace("+00:00", "")
        database.execute(
            "UPDATE account SET state='failing', failing_since=?, last_read_at=?, next_read_at=?",
            (long_ago, long_ago, "2099-01-01 00:00:00.000000"),
        )
    database.close()
    port = free_port()
    workspace.configure(f'[health]\nlisten = "127.0.0.1:{port}"')
    daemon = workspace.popen("run")
    try:
        assert eventually(lambda: answers(Client(port)))
        assert Client(port).get("/healthz").status == 503
    finally:
        daemon.terminate()
        daemon.communicate(timeout=20)


def test_daemon_does_not_start_if_its_address_is_in_use(workspace: ApiWorkspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        workspace.configure(f'[health]\nlisten = "127.0.0.1:{taken.getsockname()[1]}"')
        result = workspace.run("run", expect=(1,))
    assert "health.listen" in result.err


@pytest.mark.parametrize("listen", ["0.0.0.0:8787", "[::]:8787", "192.0.2.1:80", "box.example.org:8787"])
def test_address_reachable_from_other_machines_needs_a_token(workspace: ApiWorkspace, listen: str) -> None:
    workspace.configure(f'[health]\nlisten = "{listen}"')
    with pytest.raises(SettingsFaults, match=r"health\.token: is missing; other machines can reach"), workspace.app():
        pass
    workspace.configure(f'[health]\nlisten = "{listen}"\ntoken = "{TOKEN}"')
    with workspace.app() as app:
        assert app.settings.health.listen == listen


def test_short_token_is_refused(workspace: ApiWorkspace) -> None:
    workspace.configure('[health]\nlisten = "0.0.0.0:8787"\ntoken = "guess-me"')
    with pytest.raises(SettingsFaults, match=r"health\.token: is too short") as fault, workspace.app():
        pass
    assert "guess-me" not in str(fault.value)
