"""The sentence that a page shows once, after an action: what was done, or why not."""

import base64
import json
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

_COOKIE = "message"
_MAX_AGE = 60
_MAX_LENGTH = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What was done (`done`), or why it was not (`refused`)."""

    text: str
    kind: Literal["done", "refused"] = "done"


def redirect(request: Request, path: str, *messages: Message) -> Response:
    """Return the answer to an action: see the page at this path, which shows the message once."""
    response = RedirectResponse(path, status_code=303)
    if messages:
        text = "\n".join(message.text for message in messages)[:_MAX_LENGTH]
        refused = any(message.kind == "refused" for message in messages)
        value = base64.urlsafe_b64encode(json.dumps([text, refused]).encode()).decode()
        secure = request.url.scheme == "https"
        response.set_cookie(
            _COOKIE, value, max_age=_MAX_AGE, path=_path(request), secure=secure, httponly=True, samesite="strict"
        )
    return response


def shown_message(request: Request) -> Message | None:
    """Return the message of the action that led to this page; None if there is none."""
    try:
        text, refused = json.loads(base64.urlsafe_b64decode(request.cookies.get(_COOKIE, "").encode()))
    except (ValueError, TypeError, RecursionError):  # another program on this host may set a cookie of this name
        return None
    return Message(text=str(text)[:_MAX_LENGTH], kind="refused" if refused is True else "done")


def forget_message(request: Request, response: Response) -> None:
    """Remove the message that the answer shows."""
    if _COOKIE in request.cookies:
        response.delete_cookie(_COOKIE, path=_path(request))


def keep_once(request: Request, response: Response, name: str, value: str) -> None:
    """Keep a text for the next page, which shows it once; "" forgets it."""
    secure, path = request.url.scheme == "https", _path(request)
    if value:
        encoded = base64.urlsafe_b64encode(value.encode()).decode()
        response.set_cookie(name, encoded, max_age=_MAX_AGE, path=path, secure=secure, httponly=True, samesite="strict")
    elif name in request.cookies:
        response.delete_cookie(name, path=path)


def kept_once(request: Request, name: str) -> str:
    """Return the text that was kept; "" if there is none."""
    try:
        return base64.urlsafe_b64decode(request.cookies.get(name, "").encode()).decode()
    except ValueError:
        return ""


def _path(request: Request) -> str:
    return request.scope.get("root_path", "") or "/"
