"""One-time codes from the user's own mailbox, which several accounts may share."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Final, NoReturn

from pydantic import AfterValidator

from watcher.clock import Clock
from watcher.errors import CodeNeeded, PortalUnavailable, SignInRejected
from watcher.messages import _
from watcher.portal import SignInTurn
from watcher.settings.mailboxes import ImapSettings
from watcher.sign_in.code_search import CodeSearch
from watcher.sign_in.deadline import Deadline
from watcher.sign_in.imap import (
    CONNECTION_ERRORS,
    Folder,
    ImapLogin,
    MailboxRefused,
    PasswordRefused,
    TemporarilyRefused,
    open_folder,
)
from watcher.sign_in.shared_mailbox import PasswordGuard, UsedMails

_POLL_INTERVAL: Final = 5.0
_PAUSES: Final = (5.0, 15.0, 60.0)
"""Seconds between two connections, by the number of submissions of the password that led to nothing."""
_MAX_BROKEN: Final = 2
"""Connections of one wait that may break after the password was submitted."""
_MAX_CLOCK_DIFFERENCE: Final = timedelta(minutes=1)


def _sender(text: str) -> str:
    if not re.fullmatch(r"(?:[^@\s<>]+)?@[^@\s<>]+", text):
        raise ValueError(_('use an address, such as "code@example.gov", or a whole domain, "@example.gov"'))
    return text.lower()


class MailboxSettings(ImapSettings):
    """The user's mailbox that the portal sends codes to.

    `sender` is the address that codes come from, or `@domain` for any address of a domain; the default is the address
    of USCIS accounts.
    """

    sender: Annotated[str, AfterValidator(_sender)] = "myaccount@uscis.dhs.gov"

    def imap_login(self) -> ImapLogin:
        """Return address and credentials for `open_folder`."""
        return ImapLogin.of(self)


class MailboxCodes:
    """A `CodeSource` that waits for the portal's mail."""

    def __init__(
        self,
        settings: MailboxSettings,
        *,
        guard: PasswordGuard,
        used: UsedMails,
        turn: SignInTurn,
        recipient: str,
        others: frozenset[str] = frozenset(),
        clock: Clock,
        wait: Callable[[float], bool],
        timeout: timedelta = timedelta(minutes=5),
    ) -> None:
        """`wait` waits some seconds and returns whether the daemon is stopping. Does not connect yet.

        `recipient` is the account's user name, and `others` are those of other accounts that share the mailbox.
        """
        self._settings, self._clock, self._wait, self._timeout = settings, clock, wait, timeout
        self._guard, self._used, self._turn = guard, used, turn
        self._recipient, self._others = recipient.lower(), frozenset(map(str.lower, others)) - {recipient.lower()}

    def code(self, *, asked_at: datetime) -> str:
        """Return the code that came by mail after `asked_at`, waiting up to `timeout`.

        Clocks may differ by a minute. Raises `CodeNeeded` with what was found instead, or `PortalUnavailable` if the
        daemon stops or another account is signing in with the same mailbox.
        """
        self._turn.begin()
        search = CodeSearch(
            sender=self._settings.sender,
            since=asked_at - _MAX_CLOCK_DIFFERENCE,
            used=self._used,
            recipient=self._recipient,
            others=self._others,
        )
        deadline = Deadline(self._clock, self._timeout)
        attempts = _Attempts(self._guard)
        while True:
            try:
                with open_folder(self._settings.imap_login(), before_password=attempts.before_password) as folder:
                    attempts.signed_in()
                    return self._poll(folder, search, deadline)
            except MailboxRefused as refused:
                attempts.refused(refused)
                raise CodeNeeded(_("Cannot get the one-time code: {reason}.", reason=refused)) from None
            except CONNECTION_ERRORS as error:
                search.error = _(
                    "cannot read the mailbox at {host} ({error})", host=self._settings.host, error=type(error).__name__
                )
                attempts.failed(error)
            if attempts.broken >= _MAX_BROKEN:
                raise CodeNeeded(
                    _(
                        "Cannot get the one-time code: the mail server closed the connection {limit} times after the "
                        "mailbox's password was submitted.",
                        limit=_MAX_BROKEN,
                    )
                )
            self._pause(search, deadline, attempts.pause)

    def _poll(self, folder: Folder, search: CodeSearch, deadline: Deadline) -> str:
        while (code := search.code_in(folder)) is None:
            self._pause(search, deadline, _POLL_INTERVAL)
        return code

    def _pause(self, search: CodeSearch, deadline: Deadline, seconds: float) -> None:
        pause = min(seconds, deadline.left())
        if pause <= 0:
            self._give_up(search)
        if self._wait(pause):
            raise PortalUnavailable(_("The program is stopping, so the sign-in was ended before the one-time code."))
        deadline.waited(pause)

    def _give_up(self, search: CodeSearch) -> NoReturn:
        minutes = round(self._timeout.total_seconds() / 60)
        raise CodeNeeded(
            _(
                "No one-time code arrived in {folder} of the mailbox within {minutes} minutes: {reasons}. "
                "Codes are expected from {sender}.",
                folder=self._settings.folder,
                minutes=minutes,
                reasons=search.reasons(),
                sender=search.sender,
            )
        )


class _Attempts:
    """The connections of one wait. The mailbox's password is submitted as carefully as that of a portal."""

    def __init__(self, guard: PasswordGuard) -> None:
        self._guard = guard
        self._is_submitted = False
        self._refusals = 0
        self.broken = 0
        """How many connections broke after the password was submitted."""

    @property
    def pause(self) -> float:
        """Seconds until the next connection; more after each that cost a submission."""
        return _PAUSES[min(self._refusals, len(_PAUSES) - 1)]

    def before_password(self) -> None:
        try:
            self._guard.before_submission(counts=False)
        except SignInRejected:
            raise CodeNeeded(
                _(
                    "Cannot get the one-time code: the mail server refused the mailbox's password earlier, or closed "
                    "the connection each time it was submitted. It is not submitted again until you change it or run "
                    "`watcher resume ACCOUNT`."
                )
            ) from None
        except PortalUnavailable as cut_off:
            raise PortalUnavailable(
                _(
                    "The mailbox's password was submitted a moment ago without an answer, so the program waits to be "
                    "safe."
                ),
                retry_after=cut_off.retry_after,
            ) from None
        self._is_submitted = True

    def signed_in(self) -> None:
        self._guard.accepted()

    def refused(self, refused: MailboxRefused) -> None:
        if isinstance(refused, PasswordRefused):
            self._guard.refused()

    def failed(self, error: Exception) -> None:
        if not self._is_submitted:
            return
        self._is_submitted = False
        self._refusals += 1
        if isinstance(error, TemporarilyRefused):
            self._guard.unanswered()
        else:
            self.broken += 1
            self._guard.unclear()
