"""Codes that a person hands in while the daemon waits: `watcher code ACCOUNT 123456`."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol

from watcher.clock import Clock
from watcher.errors import CodeNeeded, PortalUnavailable

_LOOK_EVERY: Final = 1.0


class CodeInbox(Protocol):
    """Where handed-in codes lie until they are taken; shared by processes."""

    def put(self, account: str, code: str, *, at: datetime) -> None:
        """Lays a code down for the account, in place of an earlier one. `at` is aware, UTC."""
        ...

    def take(self, account: str, *, not_before: datetime) -> str | None:
        """Takes the account's code away, once, if it was laid down at `not_before` or later; else None.

        An older code is of an earlier sign-in: it is taken away too, and not returned.
        """
        ...


class SubmittedCode:
    """A `CodeSource` that waits for a person to hand a code in."""

    def __init__(
        self,
        account: str,
        inbox: CodeInbox,
        *,
        clock: Clock,
        wait: Callable[[float], bool],
        announce: Callable[[], None],
        patience: timedelta = timedelta(minutes=10),
    ) -> None:
        """`wait` waits seconds and says whether the daemon ends; `announce` tells the person that it waits."""
        self._account, self._inbox, self._clock = account, inbox, clock
        self._wait, self._announce, self._patience = wait, announce, patience

    def code(self, *, asked_at: datetime) -> str:
        """A code handed in after `asked_at`. Waits for it up to `patience`; says first that it waits.

        Raises `CodeNeeded` where none came, `PortalUnavailable` where the daemon ends meanwhile.
        """
        self._announce()
        until = self._clock.now() + self._patience
        while (code := self._inbox.take(self._account, not_before=asked_at)) is None:
            left = self._clock.seconds_until(until)
            if left <= 0:
                raise CodeNeeded(self._nobody_came())
            if self._wait(min(_LOOK_EVERY, left)):
                raise PortalUnavailable("The program is ending; the sign-in was left before its one-time code.")
        return code

    def _nobody_came(self) -> str:
        minutes = round(self._patience.total_seconds() / 60)
        return (
            f"The portal asks for a one-time code, and nobody handed one in within {minutes} minutes. "
            f"When you can, say `watcher resume {self._account}` and then `watcher code {self._account} CODE` with the "
            f"code that the portal sends; or sign in by hand with `watcher login {self._account}`."
        )
