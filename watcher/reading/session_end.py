"""When the saved session of an account ends, as far as cookies and the portal's limits tell."""

from watcher.context.context import Context
from watcher.model.account_health import AccountState
from watcher.portal import Portal, SavedSession
from watcher.settings import AccountSettings
from watcher.sign_in.cookie_session import session_began_at, session_end


def note_session_end(account: AccountSettings, portal: Portal, session: SavedSession, context: Context) -> None:
    """Store when the session ends at the latest, for a portal whose sessions are cookies. Raises `StoreUnusable`."""
    if portal.session_hosts is None:
        return
    accounts, ends_at = context.store.accounts, None
    health, began_at = accounts.health(account.name, context.clock.now()), session_began_at(session)
    is_new = began_at is not None and (health.last_attempt_at is None or began_at > health.last_attempt_at)
    if is_new or health.state is not AccountState.SESSION_ENDED:
        hosts = portal.session_hosts(account)
        ends_at = session_end(session, hosts=hosts, life=portal.session_life, used_at=health.last_attempt_at)
    accounts.set_session_end(account.name, ends_at)
