"""One-time codes from the user's own mailbox, over IMAP with verified TLS.

Mail lies in many ways, so a code is taken only from a message that came after the request by the mail server's time
and by its own `Date`, from the expected sender, and that was not there before. The folder is opened read-only and
messages are fetched with `BODY.PEEK`: nothing is marked, moved or deleted.
"""

import imaplib
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, SecretStr

from watcher.clock import Clock
from watcher.errors import CodeNeeded, PortalUnavailable
from watcher.settings import Section
from watcher.sign_in.mail import Letter, Verdict, judge

_NEWEST: Final = 50
_LONGEST: Final = 200_000
_LOOK_EVERY: Final = 5.0
_PATIENCE_OF_A_COMMAND: Final = 20.0
_CLOCKS_DIFFER_BY: Final = timedelta(minutes=1)


def _address(text: str) -> str:
    if not re.fullmatch(r"(?:[^@\s<>]+)?@[^@\s<>]+", text):
        raise ValueError('the sender is an address, such as "code@example.gov", or a whole domain, "@example.gov"')
    return text.lower()


class MailboxSettings(Section):
    """The user's mailbox that the portal sends codes to.

    `sender` is the address that codes come from, or `@domain` for any address of it; the default is that of the USCIS
    account. `security`: TLS from the first byte, or `STARTTLS` (port 143 with most providers); never without.
    `ca_file` adds to the trusted certificates.
    """

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 993
    username: Annotated[str, Field(min_length=1)]
    password: SecretStr
    folder: Annotated[str, Field(min_length=1)] = "INBOX"
    sender: Annotated[str, AfterValidator(_address)] = "myaccount@uscis.dhs.gov"
    security: Literal["tls", "starttls"] = "tls"
    ca_file: Path | None = None


class _Refused(Exception):
    """The mailbox will not open however long one waits; the message says why."""


class MailboxCodes:
    """A `CodeSource` that waits for the portal's mail. One object serves one account."""

    def __init__(
        self,
        settings: MailboxSettings,
        *,
        clock: Clock,
        wait: Callable[[float], bool],
        patience: timedelta = timedelta(minutes=5),
    ) -> None:
        """`wait` waits seconds and says whether the daemon ends."""
        self._settings, self._clock, self._wait, self._patience = settings, clock, wait, patience
        self._seen: frozenset[bytes] = frozenset()

    def code(self, *, asked_at: datetime) -> str:
        """The code out of the newest mail that came after `asked_at`; waits for it up to `patience`.

        Raises `CodeNeeded` that says what was found instead, `PortalUnavailable` where the daemon ends meanwhile.
        """
        since, until = asked_at - _CLOCKS_DIFFER_BY, self._clock.now() + self._patience
        trouble: str | None = None
        verdicts: dict[bytes, Verdict] = {}
        while True:
            try:
                verdicts, trouble = self._look(since), None
            except _Refused as refused:
                raise CodeNeeded(f"No one-time code: {refused}.") from None
            except (OSError, imaplib.IMAP4.error) as error:
                trouble = f"the mailbox at {self._settings.host} could not be read ({type(error).__name__})"
            codes = [(int(uid), verdict.code, uid) for uid, verdict in verdicts.items() if verdict.code is not None]
            if codes:
                _, code, _ = max(codes)
                self._seen |= verdicts.keys()
                return code
            left = self._clock.seconds_until(until)
            if left <= 0:
                raise CodeNeeded(self._nothing_came(trouble, list(verdicts.values())))
            if self._wait(min(_LOOK_EVERY, left)):
                raise PortalUnavailable("The program is ending; the sign-in was left before its one-time code.")
