"""Codes that a person submits while the daemon waits: `watcher code ACCOUNT 123456`."""

from collections.abc import Callable
from datetime import datetime, timedelta
from shlex import quote
from typing import Final, Protocol

from watcher.clock import Clock
from watcher.errors import CodeNeeded, PortalUnavailable
from watcher.messages import _, plural
from watcher.sign_in.deadline import Deadline

_POLL_INTERVAL: Final = 1.0


class CodeInbox(Protocol):
    """Submitted codes, kept until they are taken; shared by processes."""

    def put(self, account: str, code: str, *, at: datetime) -> None:
        """Store a code for the account, replacing an earlier one. `at` is aware, UTC."""
        ...

    def take(self, account: str, *, not_before: datetime, now: datetime) -> str | None:
        """Remove the account's code and return it if it was stored between `not_before` and `now`; else None.

        An older code belongs to an earlier sign-in: it is removed and not returned.
        """
        ...

    def begin_wait(self, account: str, *, asked_at: datetime, until: datetime) -> None:
        """Record that a sign-in waits for a code that was asked for at `asked_at` (both aware, UTC)."""
        ...

    def end_wait(self, account: str) -> None:
        """Record that no sign-in waits for a code."""
        ...


class SubmittedCode:
    """A `CodeSource` that waits for a person to submit a code."""

    def __init__(
        self,
        account: str,
        inbox: CodeInbox,
        *,
        clock: Clock,
        wait: Callable[[float], bool],
        announce: Callable[[], None],
        timeout: timedelta = timedelta(minutes=10),
    ) -> None:
        """`wait` waits some seconds and returns whether the daemon is stopping; `announce` alerts the person."""
        self._account, self._inbox, self._clock = account, inbox, clock
        self._wait, self._announce, self._timeout = wait, announce, timeout

    def code(self, *, asked_at: datetime) -> str:
        """Announce that a code is needed, then return one submitted after `asked_at`, waiting up to `timeout`.

        Raises `CodeNeeded` if none came, `PortalUnavailable` if the daemon stops.
        """
        self._inbox.begin_wait(self._account, asked_at=asked_at, until=self._clock.now() + self._timeout)
        try:
            self._announce()
            return self._wait_for_code(asked_at)
        finally:
            self._inbox.end_wait(self._account)

    def _wait_for_code(self, asked_at: datetime) -> str:
        deadline = Deadline(self._clock, self._timeout)
        while True:
            now = self._clock.now()
            if now < asked_at:  # the clock was set back
                asked_at = now - timedelta(seconds=_POLL_INTERVAL)
            if (code := self._inbox.take(self._account, not_before=asked_at, now=now)) is not None:
                return code
            pause = min(_POLL_INTERVAL, deadline.left())
            if pause <= 0:
                raise CodeNeeded(self._timeout_message())
            if self._wait(pause):
                raise PortalUnavailable(
                    _("The program is stopping, so the sign-in was ended before the one-time code.")
                )
            deadline.waited(pause)

    def _timeout_message(self) -> str:
        minutes = round(self._timeout.total_seconds() / 60)
        return plural(
            "The website asks for a one-time code, and none was entered within {n} minute. When you have "
            "time, run `watcher resume {account}`, then `watcher code {account} CODE` "
            "with the code that the website sends. Or run `watcher login {account}` to sign in yourself.",
            "The website asks for a one-time code, and none was entered within {n} minutes. When you have "
            "time, run `watcher resume {account}`, then `watcher code {account} CODE` "
            "with the code that the website sends. Or run `watcher login {account}` to sign in yourself.",
            minutes,
            account=quote(self._account),
        )
