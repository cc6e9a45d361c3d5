"""Accounts whose section in the configuration was renamed."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from watcher.context.context import Context
from watcher.settings import AccountSettings
from watcher.store import HeldLock


@contextmanager
def account_locks(account: AccountSettings, context: Context, *, wait: float) -> Iterator[HeldLock]:
    """Hold the lock of the account, and that of its login, which another name may have had until now.

    `wait` is in real seconds, for each. Raises `Busy` and `StoreUnusable`.
    """
    names = [f"account {account.name}", account.login()]
    with ExitStack() as stack:
        acquire = context.store.locks.acquire
        yield _AllHeld(
            [stack.enter_context(acquire(name, wait=wait, stop=context.stop)) for name in names if name is not None]
        )


class _AllHeld:
    """Several locks as one."""

    def __init__(self, locks: Sequence[HeldLock]) -> None:
        self._locks = locks

    def verify(self) -> None:
        """Raise `LockLost` if one of them was lost."""
        for lock in self._locks:
            lock.verify()


def keep_pause(account: AccountSettings, context: Context) -> None:
    """Pause a new account if its credential is that of a paused account that is no longer configured.

    Holds until a person lifts the pause, as under the old name. Raises `StoreUnusable`.
    """
    accounts = context.store.accounts
    health = accounts.health(account.name, context.clock.now())
    if health.last_attempt_at is not None:
        return
    paused = [
        former
        for name, (former, _) in accounts.all().items()
        if name not in context.settings.accounts and former.state.waits_for_person and former.rejected_fingerprint
    ]
    fingerprint = accounts.fingerprint(account.credential()) if paused else None
    for former in paused:
        if former.rejected_fingerprint == fingerprint:
            accounts.set_health(account.name, replace(former, first_seen_at=health.first_seen_at))
