"""The language of a request."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from watcher.messages import speaking
from watcher.web.device import language_of


class LanguageMiddleware:
    """Answers each request in the language of its device. `default` is the language of the configuration."""

    def __init__(self, app: ASGIApp, *, default: str) -> None:
        self._app, self._default = app, default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with speaking(language_of(Request(scope), self._default)):
            await self._app(scope, receive, send)
