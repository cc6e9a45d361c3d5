"""What pages ask of a request: its context, its visitor, and what the visitor may see."""

from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.requests import Request

from watcher.context.read_only import ReadOnlyContext
from watcher.model.ledger import TrackedCase
from watcher.web.context import WebContext
from watcher.web.dates import Dates
from watcher.web.visitor import Visitor


def context_of(request: Request) -> WebContext:
    """Return the context of the application."""
    context: WebContext = request.app.state.context
    return context


def visitor_of(request: Request) -> Visitor:
    """Return who looks at the page."""
    visitor: Visitor = request.state.visitor
    return visitor


def sees_all(request: Request) -> bool:
    """Return whether the visitor may see every case, and so the accounts, channels, and settings."""
    return visitor_of(request).sees_all


def require_all(request: Request) -> None:
    """Answer with "not found" if the visitor may see only some cases."""
    if not sees_all(request):
        raise HTTPException(404)


def visible(request: Request, cases: Iterable[TrackedCase]) -> list[TrackedCase]:
    """Return the cases that the visitor may see."""
    visitor = visitor_of(request)
    return [case for case in cases if visitor.may_see(case)]


def dates_of(opened: ReadOnlyContext) -> Dates:
    """Return what writes dates for this request."""
    return Dates(settings=opened.settings, now=opened.clock.now())
