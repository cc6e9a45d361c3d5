"""Errors that the program raises on purpose. Each class answers the question "what does the daemon do next?".

    WatcherError
    ├── SettingsFaults            the configuration is wrong: print every fault, exit with status 2
    ├── StoreUnusable             the database, or a file beside it, is unusable: print why, exit with 1 (2 at start)
    │   ├── StoreDamaged          its content is damaged: also name the newest good backup; end, if it was open
    │   └── StoreLost             it is no longer the file that is open: end, so that the service manager restarts it
    ├── LockLost                  stop this work at once, and write nothing: another process may do it by now
    ├── ReadFailed                a check of an account or a case failed; the last snapshot stays
    │   ├── PortalUnavailable     try again after `retry_after`, else at the next scheduled check
    │   │   └── AccessBlocked     end the check, alert once, and wait a day before the next one, then ever longer
    │   ├── SignInRejected        pause the account, alert, wait for a changed credential or `watcher resume`
    │   ├── AccountLocked         the same, and name the portal's official way to unlock the account
    │   ├── CodeNeeded            pause until a person supplies a one-time code or a new session
    │   ├── SessionEnded          sign in once more within the same check, else pause until there is a new session
    │   ├── CaseNotFound          skip the case and continue; at first report it, later count it as missing
    │   ├── ForeignHost           the portal pointed to a host that is not its own: end the check, send nothing
    │   └── UnexpectedAnswer      keep the last snapshot and store the unexpected answer, alert once
    └── DeliveryFailed            retry with backoff, or stop if `permanent`

A message says what happened, where, and what the user can do. It never contains a secret or a portal's raw answer.
"""

import os
from collections.abc import Collection, Sequence
from datetime import timedelta
from errno import EMFILE, ENFILE

from watcher.messages import _, mark

_SYSTEM_REASONS = (
    mark("Address already in use"),
    mark("Cannot allocate memory"),
    mark("Connection refused"),
    mark("Connection reset by peer"),
    mark("Connection timed out"),
    mark("Device or resource busy"),
    mark("Disk quota exceeded"),
    mark("File exists"),
    mark("File name too long"),
    mark("Input/output error"),
    mark("Is a directory"),
    mark("Name or service not known"),
    mark("Network is unreachable"),
    mark("No address associated with hostname"),
    mark("No route to host"),
    mark("No space left on device"),
    mark("No such file or directory"),
    mark("Not a directory"),
    mark("Operation not permitted"),
    mark("Permission denied"),
    mark("Read-only file system"),
    mark("Temporary failure in name resolution"),
    mark("Too many open files"),
)
"""What Linux says, in English whatever the language of the process; listed here to be translated."""

MAX_RETRY_AFTER = timedelta(days=7)
"""The longest wait that a portal can ask for; a longer one counts as this."""
BLOCKED_WAIT = timedelta(days=1)
"""The wait after a firewall refused a check. It doubles with each refusal that follows, up to the longest one."""


class WatcherError(Exception):
    """The base class of all errors that this program raises on purpose."""


class SettingsFaults(WatcherError):
    """An invalid configuration. `faults` holds one line for each fault and is never empty."""

    def __init__(self, faults: Sequence[str]) -> None:
        """Store the lines; there must be at least one."""
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class StoreUnusable(WatcherError):
    """A database, or a file beside it, that cannot be opened, read, or written."""


class StoreDamaged(StoreUnusable):
    """A database whose content is damaged, so that only a backup helps."""


class StoreLost(StoreUnusable):
    """A database or a lock whose file was deleted, moved, replaced, or damaged while it was open.

    `in_place`: the file is still the same one, but another program has written to it.
    """

    def __init__(self, message: str, *, in_place: bool = False) -> None:
        """Store what happened to the file."""
        self.in_place = in_place
        super().__init__(message)


class LockLost(WatcherError):
    """A server's lock that was held and may have been given to another process."""


class ReadFailed(WatcherError):
    """A failed check of an account or a case."""


class PortalUnavailable(ReadFailed):
    """A portal that is down, unreachable, or asks to wait.

    `retry_after` counts from now; None means until the next scheduled check.
    """

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        """Store the wait that the portal asked for."""
        self.retry_after = retry_after
        super().__init__(message)


class AccessBlocked(PortalUnavailable):
    """A firewall in front of a portal that refuses programs, or this network or country. Nobody tries to pass it."""

    def __init__(self, message: str) -> None:
        """The wait is fixed: a firewall does not say when it will let anyone in."""
        super().__init__(message, retry_after=BLOCKED_WAIT)


class SignInRejected(ReadFailed):
    """A credential that the portal rejected. It is submitted again only after it changed or the user asks for it."""


class AccountLocked(ReadFailed):
    """An account that the portal has locked."""


class CodeNeeded(ReadFailed):
    """A step that only a person can do: a one-time code, a captcha, or a consent."""


class SessionEnded(ReadFailed):
    """A session that the portal no longer accepts. If it ends a check, only a person can supply a new one."""


class CaseNotFound(ReadFailed):
    """A case that the portal does not know or does not show to this account.

    `out_of_reach`: the number may be right, but this account cannot show the case. The message says what can.
    """

    def __init__(self, message: str, *, out_of_reach: bool = False) -> None:
        """Store whether the case exists elsewhere."""
        self.out_of_reach = out_of_reach
        super().__init__(message)


class ForeignHost(ReadFailed):
    """A request, redirect, or download to a host that is not the portal's own. Nothing was sent there."""


class UnexpectedAnswer(ReadFailed):
    """An answer whose shape the program does not recognize."""


class DeliveryFailed(WatcherError):
    """An alert that a channel did not accept.

    `permanent`: sending it again unchanged cannot succeed. `refused`: the service answered that it is this message it
    does not accept. `retry_after` is how long the service asks to be left alone. `accepted_by` are the targets of the
    channel that have accepted the message all the same, see `watcher.delivery.targets`. `gone`: the push service says
    that a device's subscription has ended.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        refused: bool = False,
        retry_after: timedelta | None = None,
        accepted_by: Collection[str] = (),
        gone: bool = False,
    ) -> None:
        """Store whether a retry can help, when, and for whom."""
        self.permanent, self.refused, self.gone = permanent, refused, gone
        self.retry_after, self.accepted_by = retry_after, frozenset(accepted_by)
        super().__init__(message)


def has_no_free_descriptor() -> bool:
    """Return whether this process can open nothing more: no file, no connection, no child process."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno in {EMFILE, ENFILE}
    return False


def system_reason(error: OSError) -> str | None:
    """Return why the operating system refused, as it says so: "Permission denied". None if it says nothing."""
    return _(error.strerror) if error.strerror else None


def os_error_text(error: OSError) -> str:
    """Return why the operating system refused, in lower case: "permission denied"."""
    return (system_reason(error) or str(error) or _("unknown error")).lower()
