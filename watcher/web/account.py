"""One account: its health in words, and what a person can do for it."""

from datetime import timedelta
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from watcher.context.read_only import ReadOnlyContext
from watcher.handover.offer import NothingToHandOver, plan_of
from watcher.language.catalogue import load_catalogue
from watcher.messages import _, current_language, mark
from watcher.model.account_health import AccountState
from watcher.portals import find
from watcher.settings import AccountSettings
from watcher.views.accounts import ShownAccount, shown_accounts
from watcher.views.cases import name_of, status_of
from watcher.web.cards import AccountLine, account_line
from watcher.web.case_ids import case_id
from watcher.web.failed import NOT_FAILED, Failed
from watcher.web.forms import Form
from watcher.web.messages import Message, redirect
from watcher.web.outcome import Outcome
from watcher.web.render import path_for, render
from watcher.web.request import context_of, dates_of, require_all

_DAY = timedelta(days=1)
_MAX_CASES = 50
_NEEDED = {
    AccountState.REJECTED: mark("The sign-in was rejected. Check the password, then resume."),
    AccountState.LOCKED: mark("The account is locked. Unlock it on the official site, then resume."),
    AccountState.MFA_NEEDED: mark("A one-time code is needed."),
    AccountState.SESSION_ENDED: mark("The saved session has ended. Sign in again to keep watching."),
    AccountState.PAUSED: mark("The account is paused. Resume to check it again."),
}


def show(request: Request) -> Response:
    """Show one account."""
    return show_account(request, NOT_FAILED)


def show_account(request: Request, failed: Failed) -> Response:
    """Show an account, with the form that was refused, if one was."""
    name = account_name(request)
    with context_of(request).reading() as opened:
        values = _values(opened, shown_accounts(opened)[name])
    return render(request, "account.html", status=422 if failed.action else 200, failed=failed, **values)


def account_name(request: Request) -> str:
    """Return the account of the address. Whoever sees only some cases sees no account."""
    require_all(request)
    name: str = request.path_params["name"]
    if name not in context_of(request).settings.accounts:
        raise HTTPException(404)
    return name


def check_now(request: Request, form: Form) -> Response:
    """Start a check, unless one is under way."""
    name, context = account_name(request), context_of(request)
    with context.reading() as opened:
        line = account_line(shown_accounts(opened)[name], opened, dates_of(opened))
    if line.checked_by_person:
        raise HTTPException(404)
    if not line.checking:
        context.start_check(name)
    text = _("{account}: the check has started. Its result appears here.", account=name)
    path = path_for(request, "overview") if form.text("from") == "overview" else path_for(request, "account", name=name)
    return redirect(request, path, Message(text=text))


def act(request: Request, form: Form) -> Response:
    """Resume the account, give it a code or a session, or forget its session."""
    name, wanted = account_name(request), request.path_params["action"]
    outcome = _perform(request, wanted, name, form)
    if outcome.refused:
        return show_account(request, Failed(action=wanted, text=outcome.refused))
    path = path_for(request, "account", name=name)
    if wanted == "cookies":
        context_of(request).start_check(name)
    return redirect(request, path, *(Message(text=text) for text in outcome.texts))


def _perform(request: Request, wanted: str, name: str, form: Form) -> Outcome:
    context = context_of(request)
    if wanted in {"resume", "forget"}:
        return context.perform(wanted, account=name)
    if wanted == "code":
        return context.perform("code", account=name, code=form.text("code"))
    if wanted != "cookies":
        raise HTTPException(404)
    if form.file is None:
        return Outcome(refused=_("Choose a file first."))
    return context.perform("cookies", account=name, file=form.file)


def _hands_over(account: AccountSettings) -> bool:
    try:
        plan_of(account)
    except NothingToHandOver:
        return False
    return True


def _values(opened: ReadOnlyContext, account: ShownAccount) -> dict[str, Any]:
    dates, health, settings, name = dates_of(opened), account.health, account.settings, account.settings.name
    portal, now = find(settings.portal), opened.clock.now()
    line = account_line(account, opened, dates)
    cases = [case for case in opened.watched_cases() if case.account == name]
    caution = load_catalogue(current_language()).message("caution", account.caution) if account.caution else ""
    return {
        "account": line,
        "portal": _(portal.title),
        "needed": _(_NEEDED[state]) if (state := _shown_state(line, account.state)) in _NEEDED else "",
        "caution": caution,
        "attempt": dates.moment(health.last_attempt_at) if health and health.last_attempt_at else None,
        "failing_since": dates.moment(health.failing_since) if health and health.failing_since else None,
        "failures": health.failures if health else 0,
        "rest": dates.moment(health.not_before) if health and health.not_before and health.not_before > now else None,
        "sign_ins": opened.store.accounts.sign_ins_since(settings.login(), name, now - _DAY),
        "max_sign_ins": settings.max_sign_ins_per_day,
        "signs_in": settings.login() is not None,
        "has_session": opened.store.accounts.has_session(name),
        "session_ends": dates.moment(ends) if (ends := opened.store.accounts.session_ends().get(name)) else None,
        "takes_code": line.awaits_code or (getattr(settings, "mfa", None) == "prompt" and not settings.is_handed_over),
        "takes_cookies": portal.session_hosts is not None and not settings.is_handed_over,
        "hosts": ", ".join(sorted(portal.session_hosts(settings))) if portal.session_hosts else "",
        "hands_over": _hands_over(settings),
        "link": portal.links(settings).sign_in,
        "cases": [(case_id(case.case_number), name_of(case), status_of(case)) for case in cases[:_MAX_CASES]],
        "more_cases": len(cases) > _MAX_CASES,
    }


def _shown_state(line: AccountLine, state: AccountState) -> AccountState:
    """Return the state that the page explains: a sign-in that waits for a code comes first."""
    return AccountState.MFA_NEEDED if line.awaits_code else state
