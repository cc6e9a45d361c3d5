"""IRC through ngIRCd (https://ngircd.barton.de), read by a second client; and what a successful delivery proves."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pydantic import SecretStr

from tests.servers.running import free_port, program, running
from watcher.delivery.apprise_notifier import AppriseNotifier
from watcher.delivery.channel_url import delivery_caveat

pytestmark = pytest.mark.servers

CONFIGURATION = """
[Global]
Name = irc.example.org
Info = for tests
Ports = {port}
Listen = 127.0.0.1
{user}
[Limits]
MaxConnectionsIP = 0
[Options]
PAM = no
Ident = no
DNS = no
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    command = program("ngircd")
    folder = tmp_path_factory.mktemp("ngircd")
    port = free_port()
    as_root = "" if os.geteuid() else "ServerUID = root\nServerGID = root"
    (folder / "ngircd.conf").write_text(CONFIGURATION.format(port=port, user=as_root))
    with running([command, "-n", "-f", folder / "ngircd.conf"], port=port, folder=folder):
        yield port


class Listener:
    """A person in a channel."""

    def __init__(self, port: int, channel: str) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), 30)
        self.lines = self.connection.makefile("r", encoding="utf-8", errors="replace")
        self.connection.sendall(f"NICK listener\r\nUSER listener 0 * :listener\r\nJOIN {channel}\r\n".encode())
        self.await_line(f"JOIN :{channel}")

    def await_line(self, words: str) -> str:
        for line in self.lines:
            if line.startswith("PING"):
                self.connection.sendall(line.replace("PING", "PONG", 1).encode())
            if words in line:
                return line
        raise AssertionError(f"the server hung up before {words!r}")

    def close(self) -> None:
        self.lines.close()
        self.connection.close()


@contextmanager
def listener(port: int, channel: str) -> Iterator[Listener]:
    person = Listener(port, channel)
    try:
        yield person
    finally:
        person.close()


def send(url: str) -> None:
    AppriseNotifier().send(SecretStr(url), title="", body="not this", html="<p>not this</p>", short="The case moved")


def test_message_is_visible_in_the_channel(server: int) -> None:
    with listener(server, "#cases") as person:
        send(f"irc://watcher@127.0.0.1:{server}/#cases")
        assert "The case moved" in person.await_line("PRIVMSG #cases")


def test_unused_nick_counts_as_success_and_the_caveat_says_so(server: int) -> None:
    url = f"irc://watcher@127.0.0.1:{server}/@nobody"
    send(url)
    assert "reports success even if the nick or channel does not exist" in (delivery_caveat(SecretStr(url)) or "")
