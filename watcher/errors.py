"""The errors, each an answer to "what does the daemon do next?".

    WatcherError
    ├── SettingsFaults            wrong configuration: say every fault, exit 2
    ├── StoreUnusable             the database, or a file beside it, cannot be used: say so, exit 1 (2 at start)
    ├── ReadFailed                one read of an account or a case came to nothing; the last snapshot stands
    │   ├── PortalUnavailable     later: after `retry_after`, else at the next turn
    │   ├── SignInRejected        pause the account, tell, wait for a changed credential or `watcher resume`
    │   ├── AccountLocked         the same, and say the portal's official way out
    │   ├── CodeNeeded            pause until a person brings a one-time code or a fresh session
    │   ├── SessionEnded          sign in once more within the same read
    │   ├── CaseNotFound          skip that case, go on; missing after three such reads in a row
    │   ├── ForeignHost           the portal pointed somewhere that is not its own: end the read, send nothing
    │   └── UnexpectedAnswer      keep the last snapshot and the strange answer, tell once
    └── DeliveryFailed            back off, or give up where `permanent`

Messages name what happened, where, and what the user can do. They never carry a secret or a portal's raw answer.
"""

from collections.abc import Sequence
from datetime import timedelta


class WatcherError(Exception):
    """Anything this program raises on purpose."""


class SettingsFaults(WatcherError):
    """The configuration is wrong. `faults` holds one line for each fault."""

    def __init__(self, faults: Sequence[str]) -> None:
        """Keeps the lines; there must be at least one."""
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class StoreUnusable(WatcherError):
    """The database, or one of the files kept beside it, cannot be opened, read or written."""


class ReadFailed(WatcherError):
    """One read of an account or a case came to nothing."""


class PortalUnavailable(ReadFailed):
    """The portal is down, unreachable or asks to wait. `retry_after` counts from now; None: at the next turn."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        """Keeps the wait the portal asked for."""
        self.retry_after = retry_after
        super().__init__(message)


class SignInRejected(ReadFailed):
    """The portal refused the credential. It is not submitted again until it changes or the user says so."""


class AccountLocked(ReadFailed):
    """The portal has locked the account."""


class CodeNeeded(ReadFailed):
    """The portal wants something only a person can give: a one-time code, a captcha, a consent, a fresh session."""


class SessionEnded(ReadFailed):
    """The portal no longer accepts the session."""


class CaseNotFound(ReadFailed):
    """The portal does not know this case, or does not show it to this account."""


class ForeignHost(ReadFailed):
    """A request, redirect or download led outside the portal's own hosts. Nothing was sent there."""


class UnexpectedAnswer(ReadFailed):
    """The portal answered, but not in a shape the program knows."""


class DeliveryFailed(WatcherError):
    """A channel did not take an alert. `permanent`: trying again as it is cannot help."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        """Keeps whether trying again can help."""
        self.permanent = permanent
        super().__init__(message)


def os_error_text(error: OSError) -> str:
    """Return why the operating system refused, in lower case: "permission denied"."""
    return (error.strerror or str(error) or "unknown error").lower()
