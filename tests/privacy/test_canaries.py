"""A canary in every secret and personal field; none of them may be heard where it does not belong.

The real command runs through good rounds and bad ones, the daemon at every level it can be told to log at, and then
everything it said and everything it left on disk is searched. For what a crash leaves see `tests/cli/test_core_dumps`.
"""

import json
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.webhook_workspace import WebhookWorkspace, api_account, page_account, webhook_workspace
from tests.support.workspace import CommandResult
from watcher.clock import SystemClock
from watcher.practice import Account, Fault, PracticePortal

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
PATIENCE = 40.0
MAIL = f"""
[accounts.mail]
portal = "uscis"
username = "{USERNAME}"
base_url = "http://127.0.0.1:9"
auth_url = "http://127.0.0.1:9"
mailbox = {{host = "127.0.0.1", port = 9, username = "{USERNAME}", password = "{SECRETS["mailbox"]}"}}
"""


@dataclass(slots=True)
class Heard:
    """All that was said, by where it was said."""

    streams: dict[str, str] = field(default_factory=dict)

    def songs_of(self, *canaries: str) -> list[tuple[str, str]]:
        return [(where, each) for where, said in self.streams.items() for each in canaries if each in said]


@dataclass(slots=True, kw_only=True)
class Cage:
    """A household full of canaries, and what was heard of it."""

    home: WebhookWorkspace
    portal: PracticePortal
    health_port: int
    heard: Heard = field(default_factory=Heard)

    def say(self, *words: str) -> None:
        ran = self.home.run(*words, expect=(0, 1, 2, 10))
        self.hear(f"{len(self.heard.streams):02} {' '.join(words[:3])}", ran)

    def hear(self, name: str, ran: CommandResult) -> None:
        self.heard.streams[f"{name}: output"] = ran.out
        self.heard.streams[f"{name}: errors"] = ran.err

    def look(self) -> None:
        """Every command that only looks, side by side."""
        exports = (("export", "--masked", "--format", form) for form in ("json", "csv", "ics"))
        commands = (("doctor",), ("status",), ("alerts",), *exports)
        with ThreadPoolExecutor(3) as threads:
            said = threads.map(lambda words: self.home.run(*words, expect=(0, 1)), commands)
            for words, ran in zip(commands, said, strict=True):
                self.hear(" ".join(words), ran)

    def watch(self, level: str) -> None:
        """The daemon at this level for a round of every account, asked for its health and its figures afterwards."""
        with self.home.app() as app:
            for name in app.store.accounts.all():
                app.store.accounts.set_next_read(name, app.clock.now())
        command = self.home.command("run", "--log-level", level, "--log-format", "json")
        with subprocess.Popen(
            command, env=self.home.environment(), cwd=self.home.folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE
        ) as daemon:
            try:
                until = time.monotonic() + PATIENCE
                while set(re.findall(r'reads_total{[^}]*portal="([^"]*)"', self._page("metrics"))) < PORTALS:
                    assert time.monotonic() < until
                    time.sleep(0.05)
                for page in ("healthz", "metrics"):
                    self.heard.streams[f"{level}: {page}"] = self._page(page)
            finally:
                daemon.send_signal(signal.SIGTERM)
                out, err = daemon.communicate(timeout=30)
        self.heard.streams[f"{level}: log"] = (out + err).decode()

    def _page(self, page: str) -> str:
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.health_port}/{page}", headers={"Authorization": f"Bearer {SECRETS['token']}"}
        )
        until = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310 - loopback
                    return str(answer.read().decode())
            except urllib.error.HTTPError as error:
                return str(error.read().decode())
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture(scope="module")
def cage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cage]:
    """Good rounds and bad ones: a changed case, a strange page, a refused password, a portal that is gone."""
    who = Account(
        username=USERNAME,
        password=SECRETS["password"],
        totp_secret=SECRETS["totp_secret"],
        client_secret=SECRETS["client_secret"],
    )
    folder, port = tmp_path_factory.mktemp("cage"), _free_port()
    with PracticePortal(SystemClock(), account=who) as portal:
        for number in NUMBERS:
            portal.cases.add(number)
        accounts = page_account(portal) + api_account(portal, *NUMBERS) + MAIL
        with webhook_workspace(folder, accounts) as home:
            home.schedule = (
                f'state_key = "{SECRETS["state_key"]}"\n[health]\nlisten = "127.0.0.1:{port}"\n'
                f'token = "{SECRETS["token"]}"\nheartbeat_url = "http://127.0.0.1:9/{SECRETS["heartbeat"]}"\n'
            )
            home.configure()
            _mark_channel(home)
            caged = Cage(home=home, portal=portal, health_port=port)
            _live_through(caged)
            yield caged


def _mark_channel(home: WebhookWorkspace, mark: str = SECRETS["channel"]) -> None:
    text = home.config.read_text()
    home.config.write_text(re.sub(r"json://[^\"]*", f"json://user:{mark}@127.0.0.1:{home.phone.port}/", text))


def _live_through(caged: Cage) -> None:
    home, portal = caged.home, caged.portal
    trace = str(home.folder / "trace")
    caged.say("check", "--trace", trace)
    caged.look()
    caged.watch("debug")
    portal.faults.throw(Fault.MAINTENANCE)
    caged.say("check", "--trace", trace)
    portal.faults.clear()
    portal.faults.throw(Fault.CHANGED_SHAPE)
    home.phone.status = 500
    caged.say("notify", "test")
    caged.watch("info")
    portal.faults.clear()
    home.config.write_text(home.config.read_text().replace(SECRETS["password"], "Another" + SECRETS["password"]))
    for file in (home.state / "sessions").glob("*"):
        file.unlink()
    caged.say("check", "--trace", trace)
    caged.watch("warning")
    portal.stop()
    caged.say("resume", "family")
    caged.watch("error")
    caged.say("doctor")
    home.config.write_text(home.config.read_text() + "\n[nonsense]\nkey = 1\n")
    caged.say("check")


def test_no_secret_is_heard_in_anything_that_the_program_says(cage: Cage) -> None:
    assert len(cage.heard.streams) > 20
    assert {f"{level}: log" for level in LEVELS} <= cage.heard.streams.keys()
    assert cage.heard.songs_of(*SECRETS.values()) == []


def test_no_log_and_no_figure_names_a_person_or_a_case(cage: Cage) -> None:
    logs = {where: said for where, said in cage.heard.streams.items() if re.search(r"log|metrics", where)}
    assert any("read" in said for said in logs.values())
    assert Heard(logs).songs_of(*PERSONAL) == []


def test_a_masked_export_can_be_shared(cage: Cage) -> None:
    exports = {where: said for where, said in cage.heard.streams.items() if "export" in where}
    assert any("0001" in said for said in exports.values())
    assert Heard(exports).songs_of(*PERSONAL) == []


def test_no_secret_lies_on_disk_in_the_clear_but_in_the_configuration(cage: Cage) -> None:
    files = [file for file in cage.home.folder.rglob("*") if file.is_file() and file != cage.home.config]
    assert {"trace", "state"} <= {file.relative_to(cage.home.folder).parts[0] for file in files}
    found = [
        (str(file.relative_to(cage.home.folder)), name)
        for file in files
        for name, secret in SECRETS.items()
        if secret.encode() in file.read_bytes()
    ]
    assert found == []


def test_a_session_lies_on_disk_sealed_and_for_its_owner_alone(cage: Cage) -> None:
    sessions = list((cage.home.state / "sessions").glob("*"))
    for file in [*sessions, cage.home.database]:
        assert file.stat().st_mode & 0o077 == 0
    for file in sessions:
        assert file.read_bytes().startswith(b"watcher-session 1 fernet "), file.name


def test_a_trace_holds_no_cookie_token_or_password(cage: Cage) -> None:
    headers = [json.loads(file.read_text())["headers"] for file in _kept(cage, "*.answer.json")]
    cookies = [value for each in headers for name, value in each.items() if name.lower() == "set-cookie"]
    assert cookies
    assert set(cookies) == {"(blanked)"}
    tokens = [re.findall(r'"access_token"\s*:\s*"([^"]*)"', file.read_text()) for file in _kept(cage, "*.json")]
    assert {token for found in tokens for token in found} <= {"(blanked)"}


def _kept(cage: Cage, pattern: str) -> list[Path]:
    return list((cage.home.folder / "trace").rglob(pattern))
