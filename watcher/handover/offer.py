"""The scripts of an account, each with a key of its own that hands over to this account and does nothing else."""

from collections.abc import Collection

from watcher import portals
from watcher.errors import WatcherError
from watcher.handover.scripts import Script
from watcher.messages import _
from watcher.portal import HandoverPlan
from watcher.settings import AccountSettings


class NothingToHandOver(WatcherError):
    """An account at a portal of which a person's own tab can hand over nothing."""


def plan_of(account: AccountSettings) -> HandoverPlan:
    """Return what the account's portal hands over. Raises `NothingToHandOver`."""
    portal = portals.find(account.portal)
    plan = portal.handover(account)
    if plan is None or portal.importer(account) is None:
        raise NothingToHandOver(
            _(
                "{account}: nothing can be handed over from a browser for {portal}.",
                account=account.name,
                portal=_(portal.title),
            )
        )
    return plan


def script_of(account: AccountSettings, token: str, *, page: str, known: Collection[str]) -> Script:
    """Return the scripts of an account that contain the key `token`.

    `page` is the address at which a browser reaches this program's page, and `known` are the account's cases so far.
    Raises `NothingToHandOver`.
    """
    portal, plan = portals.find(account.portal), plan_of(account)
    # Nothing checks an account that is handed over, so its session would be of no use.
    session_hosts = None if account.is_handed_over else portal.session_hosts
    hosts = session_hosts(account) if session_hosts is not None else ()
    return Script(
        plan=plan,
        account=account.name,
        agency=_(portal.agency_of(account)),
        address=f"{page.rstrip('/')}/handover/{token}",
        cases=account.cases or known,
        all_cases=not account.cases,
        session_hosts=hosts,
    )
