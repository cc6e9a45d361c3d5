"""One account."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from watcher.web.render import render
from watcher.web.request import context_of, require_all


def show(request: Request) -> Response:
    """Show one account."""
    require_all(request)
    name = request.path_params["name"]
    if name not in context_of(request).settings.accounts:
        raise HTTPException(404)
    return render(request, "account.html", name=name)


def check_now(_request: Request) -> Response:
    """Start a check."""
    raise HTTPException(501)
