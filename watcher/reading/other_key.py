"""Accounts whose session another machine encrypted with a key that this machine does not have."""

from collections.abc import Iterable
from datetime import timedelta
from shlex import quote
from typing import Protocol

import structlog

from watcher.context.context import Context
from watcher.messages import _
from watcher.model.account_health import ReadOutcome, ReadResult
from watcher.privacy.sealing import SealFault
from watcher.settings import AccountSettings

_OTHER_KEY = frozenset({SealFault.KEY_WRONG, SealFault.KEY_MISSING})
_TAKEN_OVER_AFTER = timedelta(hours=1)
"""How long a check must be overdue before no other machine is expected to do it."""

_log = structlog.get_logger(__name__)


class Sealed(Protocol):
    """An encrypted value in the database."""

    def fault(self) -> SealFault | None:
        """Return why it cannot be used, or None."""
        ...


def have_other_key(values: Iterable[Sealed], context: Context) -> bool:
    """Return whether another machine with the same database encrypted one of the values with a key of its own."""
    return context.store.shared and any(value.fault() in _OTHER_KEY for value in values)


def leave_to_others(account: AccountSettings, values: Iterable[Sealed], context: Context) -> ReadResult | None:
    """Return the result of a check that only a machine with the right key can do; None if this one can.

    A sign-in here would end the session that the other machines use, or repeat a one-time code. If the check has been
    overdue for an hour, none of them is there, and this machine takes over with a new session.
    """
    if not have_other_key(values, context):
        return None
    next_read = context.store.accounts.next_read(account.name)
    if next_read is not None and context.clock.now() - next_read > _TAKEN_OVER_AFTER:
        return None
    _log.warning("session_has_another_key", account=account.name)
    return ReadResult(
        account=account.name, outcome=ReadOutcome.FAILED, error=other_key_message(account.name), read_elsewhere=True
    )


def other_key_message(account: str) -> str:
    """Return what is wrong, and what to do about it."""
    return _(
        "its session was encrypted with a different state_key than the one of this machine. Set the same state_key"
        " on every machine that uses this database (if that key is lost, run `watcher forget {account}`)",
        account=quote(account),
    )
