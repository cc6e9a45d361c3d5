"""MQTT through Mosquitto (https://mosquitto.org), with a password."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.running import INSTALLED, ROOT, free_port, program, running, wanted

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    command = program("mosquitto")
    folder = tmp_path_factory.mktemp("mosquitto")
    subprocess.run([program("mosquitto_passwd"), "-b", "-c", folder / "passwords", "reader", "letmein"], check=True)
    port = free_port()
    (folder / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {folder}/passwords\n"
        "user root\n"  # ignored unless started by root
    )
    with running([command, "-c", folder / "mosquitto.conf"], port=port, folder=folder):
        yield port


@pytest.fixture
def paho() -> Path:
    """The client library's folder."""
    folder = INSTALLED / "paho"
    if not folder.is_dir():
        wanted("paho-mqtt is not installed; run tests/servers/install")
    return folder


def deliver(url: str, body: str, paho: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tests.servers.send", url, body],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(paho)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_message_reaches_a_subscriber(broker: int, paho: Path) -> None:
    who = ["-h", "127.0.0.1", "-p", str(broker), "-u", "reader", "-P", "letmein"]
    # The retained message shows that the subscription is active.
    publish = [program("mosquitto_pub"), *who, "-t", "cases/ready", "-m", "ready", "--retain", "-q", "1"]
    subprocess.run(publish, check=True, timeout=30)
    subscribe = [program("mosquitto_sub"), *who, "-t", "cases/#", "-C", "2", "-W", "60"]
    with subprocess.Popen(subscribe, stdout=subprocess.PIPE, text=True) as subscriber:
        assert subscriber.stdout is not None
        assert subscriber.stdout.readline() == "ready\n"
        sent = deliver(f"mqtt://reader:letmein@127.0.0.1:{broker}/cases/family", "The case moved", paho)
        assert sent.returncode == 0, sent.stderr
        assert "The case moved" in subscriber.stdout.read()


def test_wrong_password_is_a_failure(broker: int, paho: Path) -> None:
    sent = deliver(f"mqtt://reader:canary-password@127.0.0.1:{broker}/cases/family", "The case moved", paho)
    assert sent.returncode == 1
    assert sent.stderr.strip()
    assert "canary-password" not in sent.stderr
