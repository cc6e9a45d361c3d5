"""What a portal works with during one check."""

from collections.abc import Iterable

from watcher.context.context import Context
from watcher.portal import PortalContext, SignInGuard
from watcher.reading.options import ReadOptions
from watcher.reading.session_of_check import SessionOfCheck
from watcher.reading.sign_in_under_lock import CodesUnderLock, GuardInTurn
from watcher.settings import AccountSettings


def portal_context(
    account: AccountSettings,
    options: ReadOptions,
    context: Context,
    *,
    sign_in_guard: SignInGuard,
    known: Iterable[str],
) -> PortalContext:
    """Return what a portal works with during one check. `known` are the case numbers in the store."""
    return PortalContext(
        clock=context.clock,
        language=context.settings.language,
        quota=context.store.quota(account.login() or account.name),
        session=SessionOfCheck(options.session),
        sign_in_guard=GuardInTurn(sign_in_guard, options.turn, context),
        codes=CodesUnderLock(options.codes, context),
        stop=context.stop,
        trace=options.trace,
        known_cases=frozenset(known),
    )
