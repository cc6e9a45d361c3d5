"""Runs the commands of the README's worked examples as they are written, against stand-ins for the public hosts."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.alerts.alert_contexts import examples
from tests.doubles.loopback import ReceivedRequest, reply, serve
from tests.doubles.public_hosts import public_hosts
from tests.doubles.uscis import FakeUscis, running_uscis
from tests.readme.picture import picture
from watcher.alerts.rendering import render
from watcher.text.item_marks import with_item_numbers

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PICTURE = REPOSITORY / "tests" / "golden" / "short-alert.svg"

_PART = re.compile(
    r"^\*\*(ntfy|Telegram|With pipx|In a container)\*\*(.*?)(?=^\*\*|^`watcher init`)", re.MULTILINE | re.DOTALL
)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PARTS = {name: dict(_BLOCK.findall(text)) for name, text in _PART.findall(README)}
"""The parts of "Your first alert", each with its blocks by language."""


def commands_of(part: str) -> list[str]:
    lines = PARTS[part]["console"].splitlines()
    assert all(line.startswith("$ ") for line in lines)
    return [line.removeprefix("$ ") for line in lines]


@dataclass
class Phone:
    """What reached the phone: the messages of ntfy and of Telegram."""

    ntfy: list[dict[str, object]] = field(default_factory=list)
    telegram: list[dict[str, object]] = field(default_factory=list)

    def take_ntfy(self, request: ReceivedRequest) -> bytes:
        self.ntfy.append(json.loads(request.body))
        return reply(200, b'{"id": "1"}', content_type="application/json")

    def take_telegram(self, request: ReceivedRequest) -> bytes:
        if request.target.endswith("/getUpdates"):
            chat = {"id": 5123456, "type": "private", "first_name": "Maria"}
            answer = {
                "ok": True,
                "result": [{"update_id": 1, "message": {"message_id": 1, "chat": chat, "text": "hi"}}],
            }
            return reply(200, json.dumps(answer).encode(), content_type="application/json")
        assert request.target == "/bot123456789:AAExampleExampleExampleExampleExample/sendMessage"
        self.telegram.append(json.loads(request.body))
        return reply(200, b'{"ok": true, "result": {}}', content_type="application/json")


@dataclass(frozen=True)
class Reader:
    """A reader of the README in a folder of their own, whose computer reaches only the stand-ins."""

    folder: Path
    environ: dict[str, str]
    phone: Phone
    portal: FakeUscis

    def save(self, *blocks: str) -> None:
        (self.folder / "watcher.toml").write_text("\n".join(blocks), encoding="utf-8")

    def export_cookies(self) -> None:
        """Sign in with a browser and export the session, as the extensions do."""
        cookie = self.portal.new_session()
        line = f"my.uscis.gov\tFALSE\t/\tTRUE\t0\t{cookie['name']}\t{cookie['value']}\n"
        (self.folder / "cookies.txt").write_text(f"# Netscape HTTP Cookie File\n{line}", encoding="utf-8")

    def run(self, command: str) -> str:
        done = subprocess.run(
            ["/bin/sh", "-ec", command],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def run_until(self, command: str, line: str) -> None:
        """Run a command that goes on until it is stopped, and stop it after it has logged this."""
        arguments = shlex.split(command)
        with subprocess.Popen(
            arguments, cwd=self.folder, env=self.environ, stderr=subprocess.PIPE, text=True
        ) as daemon:
            assert daemon.stderr is not None
            logged = next((logged for logged in daemon.stderr if line in logged), None)
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(30) == 0
        assert logged


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    home, folder = tmp_path / "home", tmp_path / "checkout"
    for created in (home, folder):
        created.mkdir()
    phone = Phone()
    with (
        serve(phone.take_ntfy) as ntfy,
        serve(phone.take_telegram) as telegram,
        running_uscis() as portal,
        _under_public_names(portal) as (auth, cases),
        public_hosts(
            {
                "ntfy.sh": ntfy.origin,
                "api.telegram.org": telegram.origin,
                "my.uscis.gov": cases,
                "myaccount.uscis.gov": auth,
            },
            tmp_path,
        ) as network,
    ):
        own = {"HOME": str(home), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "LANG": "C.UTF-8"}
        yield Reader(folder=folder, environ={**own, **network}, phone=phone, portal=portal)


@contextmanager
def _under_public_names(portal: FakeUscis) -> Iterator[tuple[str, str]]:
    """Let the double redirect to the portal's own names; yield where its two servers really are."""
    at = portal.auth, portal.origin
    portal.auth, portal.origin = "https://myaccount.uscis.gov", "https://my.uscis.gov"
    yield at


def test_the_picture_is_an_alert_as_it_is_written_now() -> None:
    example = examples()["rfe_received"]
    change = example.changes[0]
    context = replace(example, label="Maria's green card")
    alert = render(context, privacy="masked", language="en", zone=ZoneInfo("America/New_York"), detail="short")
    alert = replace(alert, body=with_item_numbers(alert.body, {str(change.subject): 3}))
    if os.environ.get("UPDATE_GOLDEN"):
        PICTURE.write_text(picture(alert), encoding="utf-8")
    assert PICTURE.read_text(encoding="utf-8") == picture(alert)
    assert f"](tests/golden/{PICTURE.name})" in README


def test_ntfy_example_brings_a_test_alert_and_the_first_alert_to_the_phone(reader: Reader) -> None:
    reader.save(PARTS["ntfy"]["toml"])
    reader.export_cookies()
    permissions, _install, test, login, run = commands_of("With pipx")
    for command in (permissions, test, login):
        reader.run(command)
    assert {message["topic"] for message in reader.phone.ntfy} == {"maria-7c1e0b9f52d84a63"}
    test_alert, first = (str(message["title"]) for message in reader.phone.ntfy)
    assert "test" in test_alert.lower()
    assert first.startswith("Watching 1 case: IOE")
    reader.run_until(run, "daemon_started")


def test_telegram_example_shows_the_chat_and_brings_alerts_to_it(reader: Reader) -> None:
    (show_chat,) = commands_of("Telegram")
    assert '"id": 5123456' in reader.run(show_chat)
    account = PARTS["ntfy"]["toml"].partition("[channels.phone]")[0]
    reader.save(account, PARTS["Telegram"]["toml"])
    permissions, _install, test, *_ = commands_of("With pipx")
    for command in (permissions, test):
        reader.run(command)
    (message,) = reader.phone.telegram
    assert str(message["chat_id"]) == "5123456"
    assert "test" in str(message["text"]).lower()


@pytest.mark.skipif(
    shutil.which("pipx") is None, reason="pipx is not installed; the README's installation was not tested"
)
def test_pipx_installs_a_command_that_sends_the_test_alert(reader: Reader) -> None:
    for name in ("watcher", "pyproject.toml", "README.md", "LICENSE"):
        source = REPOSITORY / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, reader.folder / name)
    reader.save(PARTS["ntfy"]["toml"])
    permissions, install, test, *_ = commands_of("With pipx")
    reader.run(permissions)
    own = {"PIPX_HOME": str(reader.folder / "pipx"), "PIPX_BIN_DIR": str(reader.folder / "bin")}
    subprocess.run(shlex.split(install), cwd=reader.folder, env=os.environ | own, check=True, timeout=280)
    reader.environ["PATH"] = f"{own['PIPX_BIN_DIR']}:{os.environ['PATH']}"
    reader.run(test)
    assert len(reader.phone.ntfy) == 1
