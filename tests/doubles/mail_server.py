"""An IMAP server with one mailbox, over TLS on loopback, which also misbehaves at sign-in as a test says."""

import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from io import BufferedRWPair
from pathlib import Path
from socket import create_server, socket

import trustme

Act = Callable[[], str | None]
"""What the server says at a command; None closes the connection."""


@dataclass
class MailServer:
    """The mailbox's messages and what was done to it. `at` replaces the answers to commands; `{tag}` is filled in."""

    ca_file: Path
    port: int = 0
    username: str = "household@example.org"
    password: str = "mailbox-pass"
    uid_validity: int = 1
    messages: dict[int, tuple[datetime, bytes]] = field(default_factory=dict)
    at: dict[str, Act] = field(default_factory=dict)
    logins: int = 0
    """How often the password was submitted."""

    def deliver(self, message: bytes, *, arrived: datetime) -> None:
        """Add a message."""
        self.messages = {**self.messages, max(self.messages, default=0) + 1: (arrived, message)}

    def answer(self, command: str, arguments: str) -> bytes | None:
        """Return the answer to one command, with `{tag}` in it; None closes the connection."""
        if command == "LOGIN":
            self.logins += 1
        if command in self.at:
            said = self.at[command]()
            return None if said is None else said.encode()
        if command == "LOGIN" and arguments != f'"{self.username}" "{self.password}"':
            return b"{tag} NO [AUTHENTICATIONFAILED] no\r\n"
        return self._untagged(command, arguments) + b"{tag} OK done\r\n"

    def _untagged(self, command: str, arguments: str) -> bytes:
        if command == "EXAMINE":
            return f"* {len(self.messages)} EXISTS\r\n* OK [UIDVALIDITY {self.uid_validity}] valid\r\n".encode()
        if command == "FETCH":
            lines = (_arrival(number, uid, at) for number, (uid, (at, _)) in enumerate(self.messages.items(), 1))
            return "".join(lines).encode()
        if command == "UID":
            return self._message(int(re.findall("[0-9]+", arguments)[0]))
        return {"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n", "LOGOUT": b"* BYE bye\r\n"}.get(command, b"")

    def _message(self, uid: int) -> bytes:
        _, content = self.messages[uid]
        return f"* 1 FETCH (UID {uid} BODY[]<0> {{{len(content)}}}\r\n".encode() + content + b")\r\n"


def _arrival(number: int, uid: int, at: datetime) -> str:
    return f'* {number} FETCH (UID {uid} INTERNALDATE "{at:%d-%b-%Y %H:%M:%S +0000}")\r\n'


@contextmanager
def serving(folder: Path) -> Iterator[MailServer]:
    """Serve any number of connections until the context is left. `folder` gets the certificate."""
    authority = trustme.CA()
    server = MailServer(ca_file=folder / "mail-ca.pem")
    authority.cert_pem.write_to_path(server.ca_file)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)

    def accept() -> None:
        with suppress(OSError):
            while True:
                wire = listener.accept()[0]
                threading.Thread(target=_talk, args=(server, tls, wire), daemon=True).start()

    with create_server(("127.0.0.1", 0)) as listener:
        server.port = listener.getsockname()[1]
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            with suppress(OSError):
                listener.shutdown(2)
    thread.join(5)


def _talk(server: MailServer, tls: ssl.SSLContext, wire: socket) -> None:
    with suppress(OSError), tls.wrap_socket(wire, server_side=True) as connection, connection.makefile("rwb") as stream:
        _converse(server, stream)


def _converse(server: MailServer, stream: BufferedRWPair) -> None:
    stream.write(b"* OK ready\r\n")
    stream.flush()
    for line in stream:
        tag, command, arguments = (*line.decode().strip().split(" ", 2), "")[:3]
        answer = server.answer(command, arguments)
        if answer is None:
            return
        stream.write(answer.replace(b"{tag}", tag.encode()))
        stream.flush()
        if command == "LOGOUT":
            return
