"""What one check of an account needs besides its settings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from watcher.portal import CodeSource, SignInTurn, Trace
from watcher.reading.other_key import Sealed
from watcher.sign_in.shared_value import SharedValue


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What one check of an account needs besides its settings.

    `session` stores the session, `codes` supplies one-time codes, and `trace` saves the portal's answers. `turn` is the
    account's turn to sign in, if its codes come to a mailbox that other accounts may share. `sealed` are the encrypted
    values that the check uses, see `watcher.reading.other_key`. `on_start` is called once it is certain that this
    process does the check. `attended`: a person has just handed over the session, so it is used even if the account is
    otherwise handed over page by page. `progress` is called after each case with the number of cases so far.

    A check that takes longer than `max_duration` (real time) ends between two cases, and the next check reads the rest.
    None stands for 12 hours, or for the account's interval if that is longer.
    """

    session: SharedValue
    codes: CodeSource
    turn: SignInTurn | None = None
    sealed: Sequence[Sealed] = ()
    trace: Trace | None = None
    on_start: Callable[[], None] | None = None
    attended: bool = False
    progress: Callable[[int], None] | None = None
    max_duration: timedelta | None = None
