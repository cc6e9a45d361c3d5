"""One-time codes from the user's own mailbox.

A code is taken only from a message that came after the request, by the mail server's clock and by its own `Date`, and
from the expected sender (see `watcher.sign_in.code_mail`); the newest such message counts, and none counts twice.
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

_LOOK_EVERY: Final = 5.0
_CLOCKS_DIFFER_BY: Final = timedelta(minutes=1)
_REASONS: Final = {
    MailVerdict.OTHER_SENDER: "from other senders",
    MailVerdict.TOO_OLD: "dated before the request, or without a date",
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
    """The user's own mailbox, which the portal sends codes to.

    `sender` is the address that codes come from, or `@domain` for any address of it; unless set, that of the USCIS
    account. `security` is TLS from the first byte, or `starttls` (port 143 with most providers); never none. `ca_file`
    adds to the trusted certificates.
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
        """How the mailbox is entered."""
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
        patience: timedelta = timedelta(minutes=5),
    ) -> None:
        """`wait` waits seconds and says whether the daemon ends. Nothing is connected yet."""
        self._settings, self._clock, self._wait, self._patience = settings, clock, wait, patience
        self._used: set[int] = set()

    def code(self, *, asked_at: datetime) -> str:
        """The code in the newest mail that came after `asked_at`; waits for it up to `patience`.

        Clocks may differ by a minute. Raises `CodeNeeded` that says what was found instead, `PortalUnavailable` where
        the daemon ends meanwhile.
        """
        search = _Search(sender=self._settings.sender, since=asked_at - _CLOCKS_DIFFER_BY, used=self._used)
        until = self._clock.now() + self._patience
        while True:
            try:
                with open_folder(self._settings.imap_login()) as folder:
                    return self._watched(folder, search, until)
            except MailboxRefused as refused:
                raise CodeNeeded(f"The one-time code could not be fetched: {refused}.") from None
            except CONNECTION_ERRORS as error:
                search.trouble = f"the mailbox at {self._settings.host} could not be read ({type(error).__name__})"
            self._rest(search, until)

    def _watched(self, folder: Folder, search: "_Search", until: datetime) -> str:
        while (code := search.look(folder)) is None:
            self._rest(search, until)
        return code

    def _rest(self, search: "_Search", until: datetime) -> None:
        left = self._clock.seconds_until(until)
        if left <= 0:
            self._give_up(search)
        if self._wait(min(_LOOK_EVERY, left)):
            raise PortalUnavailable("The program is ending; the sign-in was left before its one-time code.")

    def _give_up(self, search: "_Search") -> NoReturn:
        minutes = round(self._patience.total_seconds() / 60)
        raise CodeNeeded(
            f"No one-time code came to {self._settings.folder} of the mailbox within {minutes} minutes: "
            f"{search.reasons()}. Codes are expected from {search.sender}."
        )


class _Search:
    """What has been seen of the mailbox for one request."""

    def __init__(self, *, sender: str, since: datetime, used: set[int]) -> None:
        self.sender, self._since, self._used = sender, since, used
        self._verdicts: dict[int, Verdict] = {}
        self._newest: datetime | None = None
        self.trouble: str | None = None

    def look(self, folder: Folder) -> str | None:
        """The code of the newest message that has one, which then counts as used."""
        arrivals = folder.newest()
        self.trouble = None
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
        """Why there is no code, for a person."""
        if self.trouble is not None:
            return self.trouble
        if not self._verdicts:
            newest = "the folder is empty" if self._newest is None else f"the newest is of {self._newest:%H:%M:%S} UTC"
            return f"no mail came after the request ({newest})"
        counts = Counter(verdict.finding for verdict in self._verdicts.values())
        told = ", ".join(f"{counts[finding]} {words}" for finding, words in _REASONS.items() if counts[finding])
        return f"of the mails that came, {told}"
