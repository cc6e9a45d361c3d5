"""Pages that say why there is nothing else to show."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from watcher.messages import _, mark
from watcher.web.render import render

_NOT_FOUND = (mark("Not found"), mark("This page does not exist, or you cannot see it."))
_REASONS = {
    HTTPStatus.NOT_FOUND: _NOT_FOUND,
    HTTPStatus.FORBIDDEN: (mark("Nothing was changed"), mark("This device may look, but not change anything.")),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (mark("Nothing was changed"), mark("The file is too large.")),
    HTTPStatus.BAD_REQUEST: (mark("Nothing was changed"), mark("A field is missing, or it is not what it should be.")),
}


def refused(request: Request, error: Exception) -> Response:
    """Say why a request is not answered with its page."""
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.NOT_FOUND
    title, text = _REASONS.get(HTTPStatus(status), _NOT_FOUND)
    response = render(request, "problem.html", status=status, title=_(title), text=_(text))
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


def database_unusable(request: Request, error: Exception) -> Response:
    """Say why the database cannot be read."""
    title = _("The database cannot be read now")
    return render(request, "problem.html", status=503, title=title, text=str(error))
