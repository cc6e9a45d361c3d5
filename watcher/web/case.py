"""One case."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from watcher.web.case_ids import find_cases
from watcher.web.render import render
from watcher.web.request import context_of, visible


def show(request: Request) -> Response:
    """Show one case."""
    with context_of(request).reading() as opened:
        cases = find_cases(visible(request, opened.watched_cases()), request.path_params["id"])
        if not cases:
            raise HTTPException(404)
        return render(request, "case.html", case=cases[0])
