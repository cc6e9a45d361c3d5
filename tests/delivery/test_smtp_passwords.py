"""A mail server gets the password in UTF-8, whatever the mechanism."""

import base64
import hmac
import socketserver
from collections.abc import Iterator
from threading import Thread

import pytest
from pydantic import SecretStr

from watcher.delivery.apprise_notifier import AppriseNotifier

CHALLENGE = b"<1.2@mail.example.org>"
PASSWORD = "contraseña".encode()
PLAIN = b"\0watcher\0" + PASSWORD


class _Mailbox(socketserver.ThreadingTCPServer):
    """A mail server on loopback that accepts every sign-in and keeps what it was sent, decoded."""

    daemon_threads = True

    def __init__(self, mechanism: str) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mechanism = mechanism
        self.answers: list[bytes] = []


class _Session(socketserver.StreamRequestHandler):
    server: _Mailbox

    def handle(self) -> None:
        self._say("220 test")
        for line in iter(self.rfile.readline, b""):
            word = line.upper().split()[0]
            if word == b"EHLO":
                self._say("250-test", f"250 AUTH {self.server.mechanism}")
            elif word == b"AUTH":
                self._authenticate(line.split()[2:])
            elif word == b"DATA":
                self._say("354 go on")
                while self.rfile.readline() != b".\r\n":
                    pass
                self._say("250 accepted")
            elif word == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine")

    def _authenticate(self, initial: list[bytes]) -> None:
        self.server.answers += map(base64.b64decode, initial)
        while len(self.server.answers) < (2 if self.server.mechanism == "LOGIN" else 1):
            self._say(f"334 {base64.b64encode(CHALLENGE).decode()}")
            self.server.answers.append(base64.b64decode(self.rfile.readline()))
        self._say("235 welcome")

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@pytest.fixture(params=["PLAIN", "LOGIN", "CRAM-MD5"])
def mailbox(request: pytest.FixtureRequest) -> Iterator[_Mailbox]:
    with _Mailbox(request.param) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("password", ["contrase%C3%B1a", "contraseña"])
def test_password_beyond_ascii_is_sent_in_utf_8(mailbox: _Mailbox, password: str) -> None:
    port = mailbox.server_address[1]
    url = f"mailto://watcher:{password}@127.0.0.1:{port}/?from=w@example.org&to=me@example.org&mode=insecure"
    AppriseNotifier().send(SecretStr(f"{url}&smtp=127.0.0.1"), title="t", body="b", html="<p>b</p>", short="s")
    expected = {
        "PLAIN": [PLAIN],
        "LOGIN": [b"watcher", PASSWORD],
        "CRAM-MD5": [b"watcher " + hmac.new(PASSWORD, CHALLENGE, "md5").hexdigest().encode()],
    }
    assert mailbox.answers == expected[mailbox.mechanism]
