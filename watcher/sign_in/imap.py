"""A folder of an IMAP mailbox, opened read-only (RFC 3501).

TLS is always verified. The folder is opened with EXAMINE and messages are fetched with BODY.PEEK, so that nothing is
marked, moved, or deleted.
"""

import base64
import imaplib
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any, Final

from watcher.errors import system_reason
from watcher.messages import _

if TYPE_CHECKING:
    from watcher.settings.mailboxes import ImapSettings

_NEWEST: Final = 50
_MAX_MESSAGE: Final = 200_000
"""Bytes fetched of one message."""
_TIMEOUT: Final = 20.0
_MAX_CONNECTION: Final = 400.0
"""Seconds that one connection may last. A sign-in waits at most five minutes for a code."""
_MAX_RECEIVED: Final = 64 * 1024 * 1024
"""Bytes received on one connection. Fifty messages of the maximum size are a sixth of it."""
_UID: Final = re.compile(rb"\bUID ([0-9]+)")
_ARRIVED: Final = re.compile(
    rb'INTERNALDATE "([ 0-9][0-9]-[A-Za-z]{3}-[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4})"'
)
_TEMPORARY: Final = re.compile(r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\b", re.IGNORECASE)
"""Response codes of failures that pass (RFC 5530)."""
CONNECTION_ERRORS: Final = (OSError, ValueError, imaplib.IMAP4.error)
"""Errors of a mailbox that may be temporary. A server whose numbers are not numbers raises ValueError."""


class MailboxRefused(Exception):
    """The mailbox cannot be opened, and another attempt will not help. The message says why."""


class PasswordRefused(MailboxRefused):
    """The server does not accept the mailbox's user name and password."""


class TemporarilyRefused(imaplib.IMAP4.error):
    """The server answered that it cannot sign in anyone, or open the folder, at the moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapLogin:
    """Address and credentials of a mailbox. `starttls`: TLS starts after the greeting, not with the first byte."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    folder: str
    starttls: bool = False
    ca_file: Path | None = None

    @classmethod
    def of(cls, settings: "ImapSettings") -> "ImapLogin":
        """Return those of a mailbox in the configuration."""
        return cls(
            host=settings.host,
            port=settings.port,
            username=settings.username,
            password=settings.password.get_secret_value(),
            folder=settings.folder,
            starttls=settings.security == "starttls",
            ca_file=settings.ca_file,
        )


class Folder:
    """An open folder. Every method raises `CONNECTION_ERRORS` if the connection breaks."""

    def __init__(self, connection: imaplib.IMAP4, name: str) -> None:
        self._connection, self._name = connection, name
        self.uid_validity = 0
        """Of the folder when `newest` was called; a message is the same only if this is the same."""

    def newest(self) -> dict[int, datetime]:
        """Return when the newest fifty messages arrived, by UID (aware, UTC).

        Raises `MailboxRefused` without such a folder.
        """
        status, data = self._connection.select(_quoted(_utf7(self._name)), readonly=True)
        if status != "OK":
            if is_temporary(str(data)):
                raise TemporarilyRefused(_("the folder cannot be opened now"))
            raise MailboxRefused(_("the mailbox has no folder {folder!r}", folder=self._name))
        validity = self._connection.response("UIDVALIDITY")[1]
        self.uid_validity = int((validity or [None])[0] or b"0")
        count = int(data[0] or b"0")
        if not count:
            return {}
        lines = self._connection.fetch(f"{max(1, count - _NEWEST + 1)}:{count}", "(UID INTERNALDATE)")[1]
        return dict(_arrival(line) for line in lines if isinstance(line, bytes) and _UID.search(line))

    def message(self, uid: int) -> bytes:
        """Return the beginning of one message as received; empty if it no longer exists."""
        lines = self._connection.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{_MAX_MESSAGE}>)")[1]
        return b"".join(line[1] for line in lines if isinstance(line, tuple))


class _Limited(imaplib.IMAP4):
    """An IMAP connection with a limit of time and size.

    imaplib applies its timeout to each read, and trusts every length that the server sends.
    """

    def __init__(self, seconds: float, *args: Any, **kwargs: Any) -> None:
        self._received = 0
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True
        super().__init__(*args, **kwargs)

    def open(self, *args: Any, **kwargs: Any) -> None:
        super().open(*args, **kwargs)
        self._timer.start()

    def read(self, size: int) -> bytes:
        self._count(size)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._count(len(line))
        return line

    def shutdown(self) -> None:
        self._timer.cancel()
        super().shutdown()

    def _count(self, size: int) -> None:
        self._received += size
        if self._received > _MAX_RECEIVED:
            raise self.abort("the answer of the mail server is too long")

    def _cut(self) -> None:
        """Shut the socket down, so that the reading thread sees its end. TLS is left alone: that thread is using it."""
        with suppress(OSError):
            socket.socket.shutdown(self.socket(), socket.SHUT_RDWR)


class _LimitedTls(_Limited, imaplib.IMAP4_SSL):
    """The same with TLS from the first byte."""


@contextmanager
def open_folder(
    login: ImapLogin, *, before_password: Callable[[], None], seconds: float = _MAX_CONNECTION
) -> Iterator[Folder]:
    """Connect and sign in to the mailbox as `open_connection` does, and yield the login's folder."""
    with open_connection(login, before_password=before_password, seconds=seconds) as connection:
        yield Folder(connection, login.folder)


@contextmanager
def open_connection(
    login: ImapLogin, *, before_password: Callable[[], None], seconds: float = _MAX_CONNECTION
) -> Iterator[imaplib.IMAP4]:
    """Connect and sign in to the mailbox; leaving the context signs out.

    `before_password` is called immediately before the password is submitted. After `seconds` the connection is cut.
    Raises `MailboxRefused` or `CONNECTION_ERRORS`.
    """
    connection = _connect(login, seconds)
    try:
        _sign_in(connection, login, before_password)
        yield connection
    finally:
        with suppress(*CONNECTION_ERRORS):  # the server may have closed the connection
            connection.logout()
        with suppress(OSError):  # already closed by LOGOUT
            connection.shutdown()


def _connect(login: ImapLogin, seconds: float) -> imaplib.IMAP4:
    context = _tls_context(login)
    try:
        if not login.starttls:
            return _LimitedTls(seconds, login.host, login.port, ssl_context=context, timeout=_TIMEOUT)
        plain = _Limited(seconds, login.host, login.port, timeout=_TIMEOUT)
        return _after_starttls(plain, login, context)
    except ssl.SSLCertVerificationError as error:
        raise MailboxRefused(
            _(
                "the certificate of {host} cannot be verified ({reason}); nothing was sent",
                host=login.host,
                reason=error.verify_message,
            )
        ) from None


def _tls_context(login: ImapLogin) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if login.ca_file is not None:
        try:
            context.load_verify_locations(login.ca_file)
        except OSError as error:
            reason = system_reason(error) or _("it contains no certificate")
            raise MailboxRefused(
                _("cannot use the mailbox's ca_file {file}: {reason}", file=login.ca_file, reason=reason)
            ) from None
    return context


def _after_starttls(connection: imaplib.IMAP4, login: ImapLogin, context: ssl.SSLContext) -> imaplib.IMAP4:
    if "STARTTLS" not in connection.capabilities:
        connection.shutdown()
        raise MailboxRefused(
            _("the mail server {host} offers no TLS on port {port}; nothing was sent", host=login.host, port=login.port)
        )
    try:
        connection.starttls(context)
    except BaseException:
        with suppress(OSError):  # a failed handshake closes the socket
            connection.shutdown()
        raise
    return connection


def _sign_in(connection: imaplib.IMAP4, login: ImapLogin, before_password: Callable[[], None]) -> None:
    is_plain = "AUTH=PLAIN" in connection.capabilities
    if not is_plain and not f"{login.username}{login.password}".isascii():
        raise MailboxRefused(_("the mail server {host} accepts only ASCII in user name and password", host=login.host))
    before_password()
    try:
        if is_plain:
            identity = f"\0{login.username}\0{login.password}".encode()
            connection.authenticate("PLAIN", lambda _: identity)
        else:
            connection.login(_quoted(login.username), login.password)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        if is_temporary(str(error)):
            raise TemporarilyRefused(_("the mail server accepts no sign-ins now")) from None
        raise PasswordRefused(
            _("the mail server {host} did not accept the mailbox's user name and password", host=login.host)
        ) from None


def is_temporary(answer: str) -> bool:
    """Return whether a server's refusal passes."""
    return _TEMPORARY.search(answer) is not None


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
    """Encode a folder name in modified UTF-7 (RFC 3501, section 5.1.3)."""
    pieces = re.split(r"([^\x20-\x7e]+)", name)
    return "".join(_shifted(piece) if index % 2 else piece.replace("&", "&-") for index, piece in enumerate(pieces))


def _shifted(piece: str) -> str:
    return "&" + base64.b64encode(piece.encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"
