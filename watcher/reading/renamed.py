"""Accounts whose section in the configuration was renamed."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from watcher.context.context import Context
from watcher.settings import AccountSettings


@contextmanager
def account_locks(account: AccountSettings, context: Context, *, wait: float) -> Iterator[None]:
    """Hold the lock of the account, and that of its login, which another name may have had until now.

    `wait` is in real seconds, for each. Raises `Busy` and `StoreUnusable`.
    """
    with ExitStack() as locks:
        for name in (f"account {account.name}", account.login()):
            if name is not None:
                locks.enter_context(context.store.locks.acquire(name, wait=wait, stop=context.stop))
        yield


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
