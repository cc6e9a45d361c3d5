"""The scripts of an account, each with a key of its own that hands over to this account and does nothing else."""

from watcher.app import App
from watcher.handover.scripts import Script
from watcher.handover.take import plan_of
from watcher.messages import _
from watcher.model.web import KeyKind
from watcher.privacy.web_tokens import new_token


def offer(app: App, name: str, page: str) -> Script:
    """Add a key for the account `name`, and return the scripts that contain it.

    `page` is the address at which a browser reaches this program's page. The key is not shown again: it is stored as a
    digest, and stays valid until it is removed or was not used for `HAND_OVER_TIME`. Raises `HandOverRefused` if the
    account has nothing to hand over, and `StoreUnusable`.
    """
    account, portal = app.settings.accounts[name], app.portal_of(name)
    plan = plan_of(app, account)
    token = new_token()
    app.store.web.add(KeyKind.HANDOVER, token, now=app.clock.now(), name=name)
    hosts = portal.session_hosts(account) if portal.session_hosts is not None else ()
    return Script(
        plan=plan,
        account=name,
        agency=_(portal.agency_of(account)),
        address=f"{page.rstrip('/')}/handover/{token}",
        cases=account.cases or app.store.known_cases(name).keys(),
        all_cases=not account.cases,
        session_hosts=hosts,
    )
