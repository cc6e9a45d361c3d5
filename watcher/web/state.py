"""What the page's script asks for from time to time: whether there is anything new to show."""

import hashlib

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from watcher.web.cards import is_checking
from watcher.web.request import context_of


def show(request: Request) -> Response:
    """Return a text that changes when a check begins or ends, and when something was recorded or sent."""
    with context_of(request).reading() as opened:
        accounts = opened.store.accounts.all()
        facts = [
            [change.id for change in opened.store.history(limit=1)],
            [(name, health.last_attempt_at, health.state, at) for name, (health, at) in sorted(accounts.items())],
            [name for name in opened.settings.accounts if is_checking(name, opened)],
            sorted((state.value, count) for state, count in opened.store.outbox.counts().items()),
        ]
    version = hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
    return JSONResponse({"version": version}, headers={"Cache-Control": "no-store"})
