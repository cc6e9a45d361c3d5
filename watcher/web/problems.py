"""Pages that say why there is nothing else to show."""

from starlette.requests import Request
from starlette.responses import Response

from watcher.errors import StoreUnusable
from watcher.messages import _
from watcher.web.render import render


def not_found(request: Request, _error: Exception) -> Response:
    """Say that there is no such page, or that the visitor may not see it."""
    return render(
        request,
        "problem.html",
        status=404,
        title=_("Not found"),
        text=_("This page does not exist, or you cannot see it."),
    )


def database_unusable(request: Request, error: Exception) -> Response:
    """Say why the database cannot be read."""
    assert isinstance(error, StoreUnusable)  # noqa: S101 - it is registered for no other
    title = _("The database cannot be read now")
    return render(request, "problem.html", status=503, title=title, text=str(error))
