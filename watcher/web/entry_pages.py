"""What somebody sees who does not get in, and why."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from watcher.messages import _, mark, plural
from watcher.web.render import render
from watcher.web.security import HANDOVER, route_path

_REASONS = {
    HTTPStatus.UNAUTHORIZED: (
        mark("Sign in"),
        mark("This device is not signed in. Run `watcher web link` where case-watcher runs, and open its link here."),
    ),
    HTTPStatus.GONE: (
        mark("This link has ended"),
        mark(
            "The link has expired, or it was used already. For a new link to sign in, run `watcher web link` where "
            "case-watcher runs."
        ),
    ),
    HTTPStatus.FORBIDDEN: (
        mark("Nothing was changed"),
        mark(
            "This request did not come from this page, or the page was open for too long. Go back, reload, try again."
        ),
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        mark("Not available now"),
        mark("The database cannot be read. `watcher doctor` says why."),
    ),
}
_ENDED_KEY = (
    mark("This can no longer hand over"),
    mark(
        "The bookmark, Shortcut, or extension was not used for a long time, or it was ended. Make a new bookmark, "
        "Shortcut, or extension on the page of the account."
    ),
)


def refusal(request: Request, status: HTTPStatus, *, wait: int = 0, offers_passkey: bool = False) -> Response:
    """Return the answer to a request that is refused. `wait` is in seconds."""
    if status is HTTPStatus.TOO_MANY_REQUESTS:
        text = plural(
            "Too many attempts. Try again in {n} second.", "Too many attempts. Try again in {n} seconds.", wait
        )
        return PlainTextResponse(text, status, {"retry-after": str(wait)})  # made for many, so without a template
    is_key = status is HTTPStatus.GONE and route_path(request.scope).startswith(HANDOVER)
    title, text = map(_, _ENDED_KEY if is_key else _REASONS[status])
    return render(request, "entry.html", status=status, title=title, text=text, offers_passkey=offers_passkey)
