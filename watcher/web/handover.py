"""Handing over: the address that takes what a person's own tab sends, and the page that offers the scripts for it."""

import asyncio
import sys
from http import HTTPStatus
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from watcher import portals
from watcher.handover.report import Report
from watcher.messages import _, current_language
from watcher.model.web import KeyKind
from watcher.portal import HandoverPlan
from watcher.web.context import WebContext
from watcher.web.origin import base_url
from watcher.web.render import render
from watcher.web.request import context_of

_EXTENSIONS = frozenset({"chrome-extension", "moz-extension", "safari-web-extension"})
_MODULE = "watcher.handover"
_PATIENCE = 120.0  # seconds
_BUSY = asyncio.Semaphore(2)
"""Bounds how many hand-overs are taken at once, because each is a process."""

_log = structlog.get_logger(__name__)


def show(request: Request) -> Response:
    """Show what this address is for. The page's script sends on what a bookmark put behind the "#" of the address."""
    plan = _plan(request)
    return render(request, "hand_over.html", site=plan.origin, report=None)


async def take(request: Request) -> Response:
    """Take what a bookmark, Shortcut, or extension sends, and say what was read and what changed."""
    return await _taken(request, "cases")


async def take_session(request: Request) -> Response:
    """Take the cookies that the extension sends."""
    return await _taken(request, "session")


async def _taken(request: Request, what: str) -> Response:
    plan = _plan(request)
    _check_origin(request.headers, plan, context_of(request))
    content = await _content(request)
    async with _BUSY:
        report = await _report(request, what, content)
    status = HTTPStatus.OK if report.is_taken else HTTPStatus.UNPROCESSABLE_ENTITY
    if "text/html" in request.headers.get("accept", ""):
        return render(request, "hand_over.html", status=status, site=plan.origin, report=report)
    return PlainTextResponse("\n".join([report.headline, *report.lines]), status)


async def _content(request: Request) -> bytes:
    """Return what a form carries in its field `content`, or what was sent as it is."""
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        async with request.form() as form:
            content = form.get("content")
        return content.encode() if isinstance(content, str) else b""
    return await request.body()


async def _report(request: Request, what: str, content: bytes) -> Report:
    """Have a process of its own take the content: this one does not load what writes to the database."""
    config = context_of(request).config
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", _MODULE, what, _account(request), current_language(), str(config or "")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        output, _errors = await asyncio.wait_for(child.communicate(content), _PATIENCE)
        return Report.from_json(output)
    except (TimeoutError, ValueError):
        if child.returncode is None:
            child.kill()
        _log.error("hand_over_failed", account=_account(request), status=child.returncode)
        return Report(headline=_("Nothing was changed: the program failed. Its log says why."), is_taken=False)


def _account(request: Request) -> str:
    """Return the account of the key in the address."""
    context = context_of(request)
    with context.reading() as opened:
        key = opened.store.web.find(KeyKind.HANDOVER, request.path_params["token"])
    if key is None or not key.is_valid(context.clock.now()) or key.name not in context.settings.accounts:
        raise HTTPException(HTTPStatus.GONE)
    return key.name


def _plan(request: Request) -> HandoverPlan:
    account = context_of(request).settings.accounts[_account(request)]
    plan = portals.find(account.portal).handover(account)
    if plan is None:
        raise HTTPException(HTTPStatus.GONE)
    return plan


def _check_origin(headers: Headers, plan: HandoverPlan, context: WebContext) -> None:
    """Raise if the page of another website sends this. A browser says "null" where a policy hides the address."""
    origin = headers.get("origin", "null").lower()
    allowed = {"null", plan.origin.lower(), _origin_of(base_url(context.settings.web))}
    if origin not in allowed and urlsplit(origin).scheme not in _EXTENSIONS:
        raise HTTPException(HTTPStatus.FORBIDDEN)


def _origin_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}".lower()
