"""A folder of the user's mailbox, opened read-only, in which mails of some senders are looked for (RFC 3501, RFC 2177).

The folder is opened with EXAMINE and mails are fetched with BODY.PEEK, so nothing is marked, moved, or deleted. The
server searches for the senders, so other mails are not fetched.
"""

import imaplib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from imapclient import IMAPClient, SocketTimeout  # type: ignore[import-untyped]

from watcher.messages import _
from watcher.sign_in.imap import ImapLogin, MailboxRefused, is_temporary, open_connection

MAX_SIZE: Final = 1_000_000
"""Bytes of the longest mail that is read. A longer one cannot be verified."""

_TIMEOUT: Final = 20.0
logging.getLogger("imapclient").propagate = False  # it logs what is in mails
logging.getLogger("imapclient").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail as received. `arrived` is when the server received it (aware, UTC); `is_complete`: `raw` is all of it."""

    uid: int
    raw: bytes = field(repr=False)
    arrived: datetime
    is_complete: bool


class OpenMailbox:
    """An open folder. Every method raises `CONNECTION_ERRORS` if the connection breaks.

    A UID is valid together with `validity`; `next_uid` is that of the next mail, when the folder was opened.
    """

    def __init__(self, connection: imaplib.IMAP4, folder: str) -> None:
        """Open the folder. Raises `MailboxRefused` if there is none."""
        self._client = _Client(connection)
        try:
            opened: dict[bytes, Any] = self._client.select_folder(folder, readonly=True)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            if is_temporary(str(error)):
                raise
            raise MailboxRefused(_("the mailbox has no folder {folder!r}", folder=folder)) from None
        self.validity, self.next_uid = int(opened.get(b"UIDVALIDITY", 0)), int(opened.get(b"UIDNEXT", 0))

    def uids_from(self, senders: Sequence[str], *, after: int) -> list[int]:
        """Return the mails with one of the senders in `From`, as text anywhere in it, whose UIDs are above `after`.

        For a domain also those with a subdomain, as `watcher.official_mail.proof.is_covered`.
        """
        *others, last = (sender.removeprefix("@") for sender in senders)
        criteria: list[Any] = ["FROM", last]
        for sender in others:
            criteria = ["OR", "FROM", sender, criteria]
        found = self._client.search(["UID", f"{after + 1}:*", criteria])
        return sorted(int(uid) for uid in found if int(uid) > after)  # `n:*` always has the last mail

    def fetch(self, uid: int) -> Mail | None:
        """Return a mail; None if it is gone."""
        body = f"BODY.PEEK[]<0.{MAX_SIZE}>"
        found = self._client.fetch([uid], [body, "INTERNALDATE", "RFC822.SIZE"]).get(uid)
        if found is None:
            return None
        raw = found.get(b"BODY[]<0>", found.get(b"BODY[]", b""))
        arrived = found[b"INTERNALDATE"]
        return Mail(
            uid=uid,
            raw=raw,
            arrived=arrived.astimezone(UTC),
            is_complete=int(found.get(b"RFC822.SIZE", 0)) <= MAX_SIZE,
        )

    @property
    def can_idle(self) -> bool:
        """Whether the server announces new mails by itself."""
        return bool(self._client.has_capability("IDLE"))

    def idle(self, seconds: float) -> None:
        """Wait until the server announces something, or `seconds` have passed."""
        self._client.idle()
        self._client.idle_check(timeout=seconds)
        self._client.idle_done()

    def refresh(self) -> None:
        """Let the server notice new mails."""
        self._client.noop()


class _Client(IMAPClient):  # type: ignore[misc]  # it has no types
    """imapclient on a connection that is signed in already."""

    def __init__(self, connection: imaplib.IMAP4) -> None:
        self._connection = connection
        timeout = SocketTimeout(connect=_TIMEOUT, read=_TIMEOUT)
        super().__init__(connection.host, port=connection.port, timeout=timeout)
        self.normalise_times = False  # moments keep their zone

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 - called by imapclient
        return self._connection


@contextmanager
def open_mailbox(
    login: ImapLogin, *, before_password: Callable[[], None], signed_in: Callable[[], None], seconds: float
) -> Iterator[OpenMailbox]:
    """Connect, sign in, and open the login's folder, as `watcher.sign_in.imap.open_connection`.

    `signed_in` is called when the server has accepted the password.
    """
    with open_connection(login, before_password=before_password, seconds=seconds) as connection:
        signed_in()
        yield OpenMailbox(connection, login.folder)
