"""One-time codes from the user's own mailbox.

A code is accepted only from a message that arrived after the request, by the mail server's clock and by its own `Date`,
and that is from the expected sender (see `watcher.sign_in.code_mail`). The newest such message is used, and none twice.
"""

import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, NoReturn

from pydantic import AfterValidator, Field, SecretStr

from watcher.clock import Clock
from watcher.errors import CodeNeeded, PortalUnavailable
from watcher.settings import Section
from watcher.sign_in.code_mail import MailVerdict, Verdict, find_code
from watcher.sign_in.imap import CONNECTION_ERRORS, Folder, ImapLogin, MailboxRefused, open_folder

_POLL_INTERVAL: Final = 5.0
_MAX_CLOCK_DIFFERENCE: Final = timedelta(minutes=1)
_REASONS: Final = {
    MailVerdict.OTHER_SENDER: "from other senders",
    MailVerdict.FORGED: "forged, as the mail server found (DMARC)",
    MailVerdict.TOO_OLD: "dated before the request or without a date (do the clocks differ?)",
    MailVerdict.UNREADABLE: "malformed",
    MailVerdict.NO_CODE: "without a code",
    MailVerdict.SEVERAL: "with several numbers that could be the code",
}


def _sender(text: str) -> str:
    if not re.fullmatch(r"(?:[^@\s<>]+)?@[^@\s<>]+", text):
        raise ValueError('the sender is an address, such as "code@example.gov", or a whole domain, "@example.gov"')
    return text.lower()


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("a line of text is wanted")
    return text


Line = Annotated[str, AfterValidator(_one_line)]


class MailboxSettings(Section):
    """The user's mailbox that the portal sends codes to.

    `sender` is the address that codes come from, or `@domain` for any address of a domain; the default is the address
    of USCIS accounts. `security` is TLS from the first byte, or `starttls` (port 143 at most providers). `ca_file` is
    trusted in addition to the system's certificates.
    """

    host: Line
    port: Annotated[int, Field(ge=1, le=65535)] = 993
    username: Line
    password: SecretStr
    folder: Line = "INBOX"
    sender: Annotated[str, AfterValidator(_sender)] = "myaccount@uscis.dhs.gov"
    security: Literal["tls", "starttls"] = "tls"
    ca_file: Path | None = None

    def imap_login(self) -> ImapLogin:
        """Return address and credentials for `open_folder`."""
        return ImapLogin(
            host=self.host,
            port=self.port,
            username=self.username,
            password=self.password.get_secret_value(),
            folder=self.folder,
            starttls=self.security == "starttls",
            ca_file=self.ca_file,
        )


class MailboxCodes:
    """A `CodeSource` that waits for the portal's mail."""

    def __init__(
        self,
        settings: MailboxSettings,
        *,
        clock: Clock,
        wait: Callable[[float], bool],
        timeout: timedelta = timedelta(minutes=5),
    ) -> None:
        """`wait` waits some seconds and returns whether the daemon is stopping. Does not connect yet."""
        self._settings, self._clock, self._wait, self._timeout = settings, clock, wait, timeout
        self._used: set[int] = set()

    def code(self, *, asked_at: datetime) -> str:
        """Return the code in the newest mail that arrived after `asked_at`, waiting up to `timeout`.

        Clocks may differ by a minute. Raises `CodeNeeded` with what was found instead, or `PortalUnavailable` if the
        daemon stops.
        """
        search = _Search(sender=self._settings.sender, since=asked_at - _MAX_CLOCK_DIFFERENCE, used=self._used)
        until = self._clock.now() + self._timeout
        while True:
            try:
                with open_folder(self._settings.imap_login()) as folder:
                    return self._poll(folder, search, until)
            except MailboxRefused as refused:
                raise CodeNeeded(f"The one-time code could not be fetched: {refused}.") from None
            except CONNECTION_ERRORS as error:
                search.error = f"the mailbox at {self._settings.host} could not be read ({type(error).__name__})"
            self._pause(search, until)

    def _poll(self, folder: Folder, search: "_Search", until: datetime) -> str:
        while (code := search.newest_code(folder)) is None:
            self._pause(search, until)
        return code

    def _pause(self, search: "_Search", until: datetime) -> None:
        left = self._clock.seconds_until(until)
        if left <= 0:
            self._give_up(search)
        if self._wait(min(_POLL_INTERVAL, left)):
            raise PortalUnavailable("The program is ending; the sign-in was left before its one-time code.")

    def _give_up(self, search: "_Search") -> NoReturn:
        minutes = round(self._timeout.total_seconds() / 60)
        raise CodeNeeded(
            f"No one-time code came to {self._settings.folder} of the mailbox within {minutes} minutes: "
            f"{search.reasons()}. Codes are expected from {search.sender}."
        )


class _Search:
    """The messages examined for one request."""

    def __init__(self, *, sender: str, since: datetime, used: set[int]) -> None:
        self.sender, self._since, self._used = sender, since, used
        self._verdicts: dict[int, Verdict] = {}
        self._newest: datetime | None = None
        self.error: str | None = None

    def newest_code(self, folder: Folder) -> str | None:
        """Return the code of the newest message that has one, and mark it as used."""
        arrivals = folder.newest()
        self.error = None
        self._newest = max(arrivals.values(), default=None)
        new = [uid for uid, at in arrivals.items() if at >= self._since and uid not in self._used]
        for uid in new:
            if uid not in self._verdicts:
                self._verdicts[uid] = find_code(folder.message(uid), sender=self.sender, since=self._since)
        for uid in sorted(new, reverse=True):
            if (code := self._verdicts[uid].code) is not None:
                self._used.update(new)
                return code
        return None

    def reasons(self) -> str:
        """Return why there is no code, for a person."""
        if self.error is not None:
            return self.error
        if not self._verdicts:
            newest = "the folder is empty" if self._newest is None else f"the newest is of {self._newest:%H:%M:%S} UTC"
            return f"no mail came after the request ({newest})"
        counts = Counter(verdict.kind for verdict in self._verdicts.values())
        reasons = ", ".join(f"{counts[kind]} {text}" for kind, text in _REASONS.items() if counts[kind])
        return f"of the mails that came, {reasons}"
