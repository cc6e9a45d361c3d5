"""Sign-in during a check, which submits nothing more once the account's lock was lost."""

from datetime import datetime

from watcher.context.context import Context
from watcher.portal import CodeSource, SignInGuard, SignInTurn


class GuardInTurn:
    """A `SignInGuard` that submits nothing before the account's turn to sign in, or after its lock was lost."""

    def __init__(self, guard: SignInGuard, turn: SignInTurn | None, context: Context) -> None:
        """`turn` is None for an account that signs in whenever it needs to."""
        self._guard, self._turn, self._context = guard, turn, context

    def before_submission(self, *, counts: bool = True) -> None:
        """See `SignInGuard.before_submission`. Raises `LockLost`."""
        if self._turn is not None:
            self._turn.begin()
        self._context.verify_lock()
        self._guard.before_submission(counts=counts)

    def accepted(self) -> None:
        """See `SignInGuard.accepted`."""
        self._guard.accepted()


class CodesUnderLock:
    """A `CodeSource` that gives no code, for which a mailbox's password may be needed, after the lock was lost."""

    def __init__(self, codes: CodeSource, context: Context) -> None:
        """The context has the lock."""
        self._codes, self._context = codes, context

    def code(self, *, asked_at: datetime) -> str:
        """See `CodeSource.code`. Raises `LockLost`."""
        self._context.verify_lock()
        code = self._codes.code(asked_at=asked_at)
        self._context.verify_lock()
        return code
