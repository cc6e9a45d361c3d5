"""`/accounts/NAME/handover`: the bookmark, Shortcut, and extension of an account, made when they are asked for."""

from http import HTTPStatus
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from watcher.handover.offer import NothingToHandOver, plan_of, script_of
from watcher.handover.scripts import Script
from watcher.messages import _
from watcher.model.web import HAND_OVER_TIME, KeyKind
from watcher.portals import find
from watcher.settings import AccountSettings
from watcher.settings.page_url import page_url
from watcher.web.forms import Form
from watcher.web.messages import Message, redirect
from watcher.web.render import path_for, render
from watcher.web.request import context_of, dates_of, require_all

_KINDS = ("bookmark", "shortcut", "extension")


def show(request: Request) -> Response:
    """Show what can be made, and how many keys there are."""
    return _page(request, _account(request))


def make(request: Request, form: Form) -> Response:
    """Make a bookmark, a Shortcut, or an extension. Each has a key of its own, which is not shown again."""
    account, kind = _account(request), form.text("kind")
    if kind not in _KINDS:
        raise HTTPException(HTTPStatus.BAD_REQUEST)
    script = _new_script(request, account)
    if kind != "extension":
        return _page(request, account, script=script, kind=kind)
    name = quote(f"case-watcher-{account.name}.zip")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(script.extension(), media_type="application/zip", headers=headers)


def end(request: Request, _form: Form) -> Response:
    """End every bookmark, Shortcut, and extension of the account."""
    account, context = _account(request), context_of(request)
    with context.reading() as opened:
        keys = [key.id for key in opened.store.web.keys(KeyKind.HANDOVER) if key.name == account.name]
    context.perform("end_keys", keys=keys)
    text = _("{account}: no bookmark, Shortcut, or extension can hand over anymore.", account=account.name)
    return redirect(request, path_for(request, "hand_over_offer", name=account.name), Message(text=text))


def _new_script(request: Request, account: AccountSettings) -> Script:
    context = context_of(request)
    token = context.perform("add_hand_over", account=account.name, now=context.clock.now()).token
    with context.reading() as opened:
        known = [case.case_number for case in opened.watched_cases() if case.account == account.name]
    return script_of(account, token, page=page_url(context.settings.web), known=known)


def _page(request: Request, account: AccountSettings, *, script: Script | None = None, kind: str = "") -> Response:
    context = context_of(request)
    with context.reading() as opened:
        dates = dates_of(opened)
        keys = [key for key in opened.store.web.keys(KeyKind.HANDOVER) if key.name == account.name]
    return render(
        request,
        "hand_over_offer.html",
        account=account.name,
        site=plan_of(account).origin,
        script=script,
        kind=kind,
        keys=[
            (dates.moment(key.created_at), dates.moment(used) if (used := key.last_seen_at) else None) for key in keys
        ],
        days=HAND_OVER_TIME.days,
        takes_session=not account.is_handed_over and find(account.portal).session_hosts is not None,
        is_secure=page_url(context.settings.web).startswith("https://") or context.settings.web.is_local,
    )


def _account(request: Request) -> AccountSettings:
    """Return the account in the address, if the visitor may see accounts and something can be handed over to it."""
    require_all(request)
    account = context_of(request).settings.accounts.get(request.path_params["name"])
    if account is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    try:
        plan_of(account)
    except NothingToHandOver:
        raise HTTPException(HTTPStatus.NOT_FOUND) from None
    return account
