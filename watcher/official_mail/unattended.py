"""Whether an account can be checked now without a person."""

from watcher.context.context import Context
from watcher.model.account_health import AccountState
from watcher.portal import Portal, SavedSession
from watcher.settings import AccountSettings

_WORKING = frozenset({AccountState.OK, AccountState.FAILING})


def can_check_unattended(account: AccountSettings, portal: Portal, session: SavedSession, context: Context) -> bool:
    """Return whether the account signs in by itself, needs no sign-in, or has a session that lives."""
    if portal.is_manual or account.is_handed_over:
        return False
    now = context.clock.now()
    state = context.store.accounts.health(account.name, now).state
    if state.waits_for_person:
        return False
    if portal.session_hosts is None or account.credential() is not None:
        return True
    if session.load() is None:
        return state in _WORKING
    ends_at = context.store.accounts.session_ends().get(account.name)
    return ends_at is None or ends_at > now
