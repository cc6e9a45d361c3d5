"""Handing over: the address that takes what a person's own tab sends."""

from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from watcher.handover.offer import plan_of
from watcher.model.web import KeyKind
from watcher.settings import AccountSettings
from watcher.settings.page_url import page_url
from watcher.web.context import WebContext
from watcher.web.outcome import Outcome
from watcher.web.render import render
from watcher.web.request import context_of
from watcher.web.security import MAX_UPLOAD

_EXTENSIONS = frozenset({"chrome-extension", "moz-extension", "safari-web-extension"})


def show(request: Request) -> Response:
    """Show what this address is for. The page's script sends on what a bookmark put behind the "#" of the address."""
    plan = plan_of(_account(request))
    return render(request, "hand_over.html", site=plan.origin, report=())


async def take(request: Request) -> Response:
    """Take what a bookmark, Shortcut, or extension sends, and say what was read and what changed."""
    account = await run_in_threadpool(_checked_account, request)
    content = await _content(request)
    outcome = await run_in_threadpool(_perform, request, "hand_over", account, content)
    return _answer(request, account, outcome)


async def take_session(request: Request) -> Response:
    """Take the cookies that the extension sends, as `watcher login ACCOUNT --cookies` does."""
    account = await run_in_threadpool(_checked_account, request)
    outcome = await run_in_threadpool(_perform, request, "hand_over_session", account, await request.body())
    if outcome.texts:
        await run_in_threadpool(context_of(request).start_check, account.name)
    return _answer(request, account, outcome)


def _perform(request: Request, action: str, account: AccountSettings, content: bytes) -> Outcome:
    key = request.state.hand_over_key
    return context_of(request).perform(action, account=account.name, key=key, content=content)


def _answer(request: Request, account: AccountSettings, outcome: Outcome) -> Response:
    """Return a page for a tab, and plain text for a Shortcut and the extension."""
    report = outcome.texts or (outcome.refused,)
    status = HTTPStatus.OK if outcome.texts else HTTPStatus.UNPROCESSABLE_ENTITY
    if "text/html" in request.headers.get("accept", ""):
        site = plan_of(account).origin
        return render(request, "hand_over.html", status=status, site=site, report=report)
    return PlainTextResponse("\n".join(report), status)


async def _content(request: Request) -> bytes:
    """Return what a form carries in its field `content`, or what was sent as it is."""
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        async with request.form(max_part_size=MAX_UPLOAD) as form:
            content = form.get("content")
        return content.encode() if isinstance(content, str) else b""
    return await request.body()


def _account(request: Request) -> AccountSettings:
    """Return the account of the key in the address."""
    context = context_of(request)
    with context.reading() as opened:
        key = opened.store.web.find(KeyKind.HANDOVER, request.path_params["token"])
    if key is None or not key.is_valid(context.clock.now()) or key.name not in context.settings.accounts:
        raise HTTPException(HTTPStatus.GONE)
    request.state.hand_over_key = key.id
    return context.settings.accounts[key.name]


def _checked_account(request: Request) -> AccountSettings:
    account = _account(request)
    _check_origin(request.headers, plan_of(account).origin, context_of(request))
    return account


def _check_origin(headers: Headers, site: str, context: WebContext) -> None:
    """Raise if the page of another website sends this. A browser says "null" where a policy hides the address."""
    origin = headers.get("origin", "null").lower()
    allowed = {"null", site.lower(), _origin_of(page_url(context.settings.web))}
    if origin not in allowed and urlsplit(origin).scheme not in _EXTENSIONS:
        raise HTTPException(HTTPStatus.FORBIDDEN)


def _origin_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}".lower()
