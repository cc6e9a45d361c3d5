"""A folder of an IMAP mailbox, opened to read and to nothing else (RFC 3501).

TLS is verified, always. The folder is opened with EXAMINE and messages are fetched with BODY.PEEK, so that nothing is
marked, moved or deleted.
"""

import base64
import imaplib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Timer
from typing import Any, Final

_NEWEST: Final = 50
_LONGEST: Final = 200_000
_TIMEOUT: Final = 20.0
_LONGEST_LIFE: Final = 400.0
"""Seconds of one connection: a code is waited for at most five minutes."""
_MOST: Final = 64 * 1024 * 1024
"""Bytes heard on one connection; the beginnings of fifty messages are a sixth of it."""
_UID: Final = re.compile(rb"\bUID ([0-9]+)")
_ARRIVED: Final = re.compile(
    rb'INTERNALDATE "([ 0-9][0-9]-[A-Za-z]{3}-[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4})"'
)
CONNECTION_ERRORS: Final = (OSError, ValueError, imaplib.IMAP4.error)
"""What a mailbox raises that may be well again in a moment; ValueError where a server's numbers are none."""


class MailboxRefused(Exception):
    """The mailbox will not open however often one tries; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapLogin:
    """Where a mailbox is and how it is entered. `starttls`: TLS begins after the greeting, not with the first byte."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    folder: str
    starttls: bool = False
    ca_file: Path | None = None


class Folder:
    """An open folder. Every method raises `CONNECTION_ERRORS` where the connection breaks."""

    def __init__(self, connection: imaplib.IMAP4, name: str) -> None:
        self._connection, self._name = connection, name

    def newest(self) -> dict[int, datetime]:
        """Return when the newest fifty messages arrived, by UID (aware, UTC).

        Raises `MailboxRefused` without such a folder.
        """
        status, said = self._connection.select(_quoted(_utf7(self._name)), readonly=True)
        if status != "OK":
            raise MailboxRefused(f"the mailbox has no folder {self._name!r}")
        count = int(said[0] or b"0")
        if not count:
            return {}
        _, lines = self._connection.fetch(f"{max(1, count - _NEWEST + 1)}:{count}", "(UID INTERNALDATE)")
        return dict(_arrival(line) for line in lines if isinstance(line, bytes) and _UID.search(line))

    def message(self, uid: int) -> bytes:
        """The beginning of one message, as it came; empty where it has gone meanwhile."""
        _, lines = self._connection.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{_LONGEST}>)")
        return b"".join(line[1] for line in lines if isinstance(line, tuple))


class _Bounded(imaplib.IMAP4):
    """imaplib waits for each byte anew and believes every length: this ends what lasts too long or says too much."""

    def __init__(self, seconds: float, *connect: Any, **how: Any) -> None:
        self._heard = 0
        self._end = Timer(seconds, self._cut)
        self._end.daemon = True
        super().__init__(*connect, **how)

    def open(self, *to: Any, **how: Any) -> None:
        super().open(*to, **how)
        self._end.start()

    def read(self, size: int) -> bytes:
        self._hear(size)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._hear(len(line))
        return line

    def shutdown(self) -> None:
        self._end.cancel()
        super().shutdown()

    def _hear(self, size: int) -> None:
        self._heard += size
        if self._heard > _MOST:
            raise self.abort("the mail server says more than any mailbox does")

    def _cut(self) -> None:
        """Under the thread that reads, which then finds the end; not through TLS, which that thread is using."""
        with suppress(OSError):
            socket.socket.shutdown(self.socket(), socket.SHUT_RDWR)


class _BoundedTls(_Bounded, imaplib.IMAP4_SSL):
    """The same with TLS from the first byte."""


@contextmanager
def open_folder(login: ImapLogin, *, seconds: float = _LONGEST_LIFE) -> Iterator[Folder]:
    """Connect and sign in to the mailbox; leaving the context signs out.

    Raises `MailboxRefused` or `CONNECTION_ERRORS`.
    After `seconds` the connection is cut, whatever the other side is just saying.
    """
    connection = _connected(login, seconds)
    try:
        _sign_in(connection, login)
        yield Folder(connection, login.folder)
    finally:
        with suppress(*CONNECTION_ERRORS):  # the other side may have hung up first
            connection.logout()
        with suppress(OSError):  # what a good-bye has closed already is closed
            connection.shutdown()


def _connected(login: ImapLogin, seconds: float) -> imaplib.IMAP4:
    context = _trust(login)
    try:
        if not login.starttls:
            return _BoundedTls(seconds, login.host, login.port, ssl_context=context, timeout=_TIMEOUT)
        plain = _Bounded(seconds, login.host, login.port, timeout=_TIMEOUT)
        return _after_starttls(plain, login, context)
    except ssl.SSLCertVerificationError as error:
        raise MailboxRefused(
            f"the certificate of {login.host} could not be verified ({error.verify_message}); nothing was sent"
        ) from None


def _trust(login: ImapLogin) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if login.ca_file is not None:
        try:
            context.load_verify_locations(login.ca_file)
        except OSError as error:
            reason = error.strerror or "no certificate in it"
            raise MailboxRefused(f"the mailbox's ca_file {login.ca_file} cannot be used: {reason}") from None
    return context


def _after_starttls(connection: imaplib.IMAP4, login: ImapLogin, context: ssl.SSLContext) -> imaplib.IMAP4:
    if "STARTTLS" not in connection.capabilities:
        connection.shutdown()
        raise MailboxRefused(f"the mail server {login.host} offers no TLS on port {login.port}; nothing was sent")
    try:
        connection.starttls(context)
    except BaseException:
        with suppress(OSError):  # a handshake that failed has closed the socket under it
            connection.shutdown()
        raise
    return connection


def _sign_in(connection: imaplib.IMAP4, login: ImapLogin) -> None:
    try:
        if "AUTH=PLAIN" in connection.capabilities:
            identity = f"\0{login.username}\0{login.password}".encode()
            connection.authenticate("PLAIN", lambda _: identity)
        else:
            connection.login(_quoted(login.username), login.password)
    except imaplib.IMAP4.abort:
        raise
    except UnicodeEncodeError:
        raise MailboxRefused(f"the mail server {login.host} takes no user name or password beyond ASCII") from None
    except imaplib.IMAP4.error as error:
        if "UNAVAILABLE" in str(error):  # RFC 5530: a fault of theirs
            raise
        raise MailboxRefused(
            f"the mail server {login.host} did not accept the mailbox's user name and password"
        ) from None


def _arrival(line: bytes) -> tuple[int, datetime]:
    uid, arrived = _UID.search(line), _ARRIVED.search(line)
    with suppress(ValueError, OverflowError):
        if uid and arrived:
            moment = parsedate_to_datetime(arrived.group(1).decode().replace("-", " ", 2))
            return int(uid.group(1)), moment.astimezone(UTC)
    raise imaplib.IMAP4.error("the mail server did not say when a message arrived")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _utf7(name: str) -> str:
    """A folder's name as it goes over the wire (RFC 3501, 5.1.3)."""
    pieces = re.split(r"([^\x20-\x7e]+)", name)
    return "".join(_shifted(piece) if place % 2 else piece.replace("&", "&-") for place, piece in enumerate(pieces))


def _shifted(piece: str) -> str:
    return "&" + base64.b64encode(piece.encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"
