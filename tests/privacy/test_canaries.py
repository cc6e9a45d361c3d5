"""A canary (a recognizable fake value) in every secret and personal field, searched for in all output and files.

The real command runs through successful and failing checks, and the daemon runs at every log level. For crashes see
`tests/cli/test_core_dumps`.
"""

import json
import re
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.support.webhook_workspace import WebhookWorkspace, api_account, page_account, webhook_workspace
from tests.support.workspace import CommandResult
from watcher.clock import SystemClock
from watcher.practice import Account, Fault, PracticePortal
from watcher.privacy.redaction import BLANK
from watcher.store import Store

NUMBERS = ("EAC9999010001", "EAC9999010002")
USERNAME = "canary.of.a.person@example.org"
SECRETS = {
    "password": "CanaryInThePassword7",
    "totp_secret": "KBSWY3DPEHPK3PXPKBSWY3DPEHPK3PXP",
    "client_secret": "CanaryInTheClientSecret7",
    "channel": "CanaryInTheChannel7",
    "state_key": "CanaryInTheStateKey7-long-enough",
    "token": "CanaryInTheHealthToken7-long-enough",
    "heartbeat": "CanaryInTheHeartbeat7",
    "mailbox": "CanaryInTheMailbox7",
}
PERSONAL = (*NUMBERS, USERNAME)
LEVELS = ("debug", "info", "warning", "error")
PORTALS = {"recipe", "uscis-api", "uscis"}
TIMEOUT = 40.0
MAIL = f"""
[accounts.mail]
portal = "uscis"
username = "{USERNAME}"
base_url = "http://127.0.0.1:9"
auth_url = "http://127.0.0.1:9"
mailbox = {{host = "127.0.0.1", port = 9, username = "{USERNAME}", password = "{SECRETS["mailbox"]}"}}
"""


@dataclass(slots=True)
class Output:
    """All output of the program by its source."""

    streams: dict[str, str] = field(default_factory=dict)

    def containing(self, *canaries: str) -> list[tuple[str, str]]:
        return [(source, canary) for source, text in self.streams.items() for canary in canaries if canary in text]


@dataclass(slots=True, kw_only=True)
class Household:
    """A configuration full of canaries, and the collected output."""

    workspace: WebhookWorkspace
    portal: PracticePortal
    health_port: int
    output: Output = field(default_factory=Output)

    def run(self, *arguments: str) -> None:
        result = self.workspace.run(*arguments, expect=(0, 1, 2, 10))
        self.collect(f"{len(self.output.streams):02} {' '.join(arguments[:3])}", result)

    def collect(self, name: str, result: CommandResult) -> None:
        self.output.streams[f"{name}: output"] = result.out
        self.output.streams[f"{name}: errors"] = result.err

    def run_read_only_commands(self) -> None:
        """Run every command that only shows something, in parallel."""
        exports = (("export", "--masked", "--format", form) for form in ("json", "csv", "ics"))
        commands = (("doctor",), ("status",), ("alerts",), *exports)
        with ThreadPoolExecutor(3) as threads:
            results = threads.map(lambda arguments: self.workspace.run(*arguments, expect=(0, 1)), commands)
            for arguments, result in zip(commands, results, strict=True):
                self.collect(" ".join(arguments), result)

    def run_daemon(self, level: str) -> None:
        """Run the daemon at this log level until it has checked every account, then collect its health and metrics."""
        with self.workspace.app() as app:
            for name in app.store.accounts.all():
                app.store.accounts.set_next_read(name, app.clock.now())
        command = self.workspace.command("run", "--log-level", level, "--log-format", "json")
        with subprocess.Popen(
            command,
            env=self.workspace.environment(),
            cwd=self.workspace.folder,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as daemon:
            try:
                until = time.monotonic() + TIMEOUT
                while set(re.findall(r'reads_total{[^}]*portal="([^"]*)"', self._page("metrics"))) < PORTALS:
                    assert time.monotonic() < until
                    time.sleep(0.05)
                for page in ("healthz", "metrics"):
                    self.output.streams[f"{level}: {page}"] = self._page(page)
            finally:
                daemon.send_signal(signal.SIGTERM)
                out, err = daemon.communicate(timeout=30)
        self.output.streams[f"{level}: log"] = (out + err).decode()

    def _page(self, page: str) -> str:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.health_port}/{page}", headers={"Authorization": f"Bearer {SECRETS['token']}"}
        )
        until = time.monotonic() + TIMEOUT
        while True:
            try:
                with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - loopback
                    return str(answer.read().decode())
            except urllib.error.HTTPError as error:
                return str(error.read().decode())
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    """A household after a changed case, an unknown page, a refused password, and an unreachable portal."""
    account = Account(
        username=USERNAME,
        password=SECRETS["password"],
        totp_secret=SECRETS["totp_secret"],
        client_secret=SECRETS["client_secret"],
    )
    folder, port = tmp_path_factory.mktemp("household"), _free_port()
    with PracticePortal(SystemClock(), account=account) as portal:
        for number in NUMBERS:
            portal.cases.add(number)
        accounts = page_account(portal) + api_account(portal, *NUMBERS) + MAIL
        with webhook_workspace(folder, accounts) as workspace:
            workspace.schedule = (
                f'state_key = "{SECRETS["state_key"]}"\n[health]\nlisten = "127.0.0.1:{port}"\n'
                f'token = "{SECRETS["token"]}"\nheartbeat_url = "http://127.0.0.1:9/{SECRETS["heartbeat"]}"\n'
            )
            workspace.configure()
            _mark_channel(workspace)
            household = Household(workspace=workspace, portal=portal, health_port=port)
            _run_through(household)
            yield household


def _mark_channel(workspace: WebhookWorkspace, mark: str = SECRETS["channel"]) -> None:
    text = workspace.config.read_text()
    workspace.config.write_text(re.sub(r"json://[^\"]*", f"json://user:{mark}@127.0.0.1:{workspace.phone.port}/", text))


def _run_through(household: Household) -> None:
    workspace, portal = household.workspace, household.portal
    trace = str(workspace.folder / "trace")
    household.run("check", "--trace", trace)
    household.run_read_only_commands()
    household.run_daemon("debug")
    portal.faults.throw(Fault.MAINTENANCE)
    household.run("check", "--trace", trace)
    portal.faults.clear()
    portal.faults.throw(Fault.CHANGED_SHAPE)
    workspace.phone.status = 500
    household.run("notify", "test")
    household.run_daemon("info")
    portal.faults.clear()
    workspace.config.write_text(
        workspace.config.read_text().replace(SECRETS["password"], "Another" + SECRETS["password"])
    )
    with workspace.app() as app:
        app.sessions.of("family").delete()
    household.run("check", "--trace", trace)
    household.run_daemon("warning")
    portal.stop()
    household.run("resume", "family")
    household.run_daemon("error")
    household.run("doctor")
    workspace.config.write_text(workspace.config.read_text() + "\n[nonsense]\nkey = 1\n")
    household.run("check")


def test_no_output_contains_a_secret(household: Household) -> None:
    assert len(household.output.streams) > 20
    assert {f"{level}: log" for level in LEVELS} <= household.output.streams.keys()
    assert household.output.containing(*SECRETS.values()) == []


def test_no_log_or_metric_names_a_person_or_case(household: Household) -> None:
    logs = {source: text for source, text in household.output.streams.items() if re.search(r"log|metrics", source)}
    assert any("account_checked" in text for text in logs.values())
    assert Output(logs).containing(*PERSONAL) == []


def test_masked_export_can_be_shared(household: Household) -> None:
    exports = {source: text for source, text in household.output.streams.items() if "export" in source}
    assert any("0001" in text for text in exports.values())
    assert Output(exports).containing(*PERSONAL) == []


def test_only_the_configuration_has_secrets_in_plain_text_on_disk(household: Household) -> None:
    files = [
        file for file in household.workspace.folder.rglob("*") if file.is_file() and file != household.workspace.config
    ]
    assert {"trace", "state"} <= {file.relative_to(household.workspace.folder).parts[0] for file in files}
    leaks = [
        (str(file.relative_to(household.workspace.folder)), name)
        for file in files
        for name, secret in SECRETS.items()
        if secret.encode() in file.read_bytes()
    ]
    assert leaks == []


def test_session_is_encrypted_and_the_database_private(household: Household) -> None:
    assert household.workspace.database.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(household.workspace.database)) as database:
        sealed = [row[0] for row in database.execute("SELECT content FROM sealed")]
    assert sealed
    assert all(content.startswith(b"watcher-session 1 fernet ") for content in sealed)
    keys, state = [SecretStr(SECRETS["state_key"])], household.workspace.state
    with closing(Store(f"sqlite:///{household.workspace.database}", locks=state / "locks", keys=keys)) as store:
        session = store.saved_values(keys, machine_key=state / "state_key").of("api").load()
    token = json.loads(session or b"")["token"]
    assert token.encode() not in household.workspace.database.read_bytes()


def test_trace_contains_no_cookie_token_or_password(household: Household) -> None:
    headers = [json.loads(file.read_text())["headers"] for file in _trace_files(household, "*.answer.json")]
    cookies = [value for answer in headers for name, value in answer.items() if name.lower() == "set-cookie"]
    assert cookies
    assert set(cookies) == {BLANK}
    tokens = [
        re.findall(r'"access_token"\s*:\s*"([^"]*)"', file.read_text()) for file in _trace_files(household, "*.json")
    ]
    assert {token for file_tokens in tokens for token in file_tokens} <= {BLANK}


def _trace_files(household: Household, pattern: str) -> list[Path]:
    return list((household.workspace.folder / "trace").rglob(pattern))
