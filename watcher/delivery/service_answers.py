"""Answers of services to Apprise's plug-ins: read within limits, with what they say about another attempt.

The plug-ins use `requests`, which reads an answer completely, however long it is and however slowly it comes. Once the
status is known, the rest matters little: what has not arrived within the limits is left out.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from time import monotonic
from types import MappingProxyType
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from watcher.http.response import parse_retry_after

MAX_BYTES = 1024 * 1024
"""Of an answer. The longest that a plug-in uses is a list of chats or rooms."""

MAX_SECONDS = 10.0
"""For the body of an answer (monotonic)."""

_CHUNK = 64 * 1024
_FIRST_ERROR = 400
_BUSY = frozenset({429, 503})
_REFUSING_MESSAGE = frozenset({400, 406, 411, 413, 414, 415, 422, 431})


class AnswerLog:
    """The answers that services gave while one message was sent."""

    def __init__(self, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        """Begin without any. `headers` are added to each request."""
        self.headers = headers
        self.errors: list[int] = []
        """The statuses of answers that report an error."""
        self.retry_after: timedelta | None = None
        """The longest time for which a busy service asked to be left alone."""

    def add(self, status: int, retry_after: str | None) -> None:
        """Note an answer with its `Retry-After`."""
        if status >= _FIRST_ERROR:
            self.errors.append(status)
        wait = parse_retry_after(retry_after, datetime.now(UTC)) if status in _BUSY else None
        if wait is not None:
            self.retry_after = max(wait, self.retry_after or wait)

    @property
    def refuse_message(self) -> bool:
        """Whether all errors say that the message is at fault, not the service."""
        return bool(self.errors) and _REFUSING_MESSAGE.issuperset(self.errors)


_LOG: ContextVar[AnswerLog | None] = ContextVar("service_answers", default=None)


@contextmanager
def noting(log: AnswerLog) -> Iterator[None]:
    """Note the answers to requests of this thread within the block."""
    token = _LOG.set(log)
    try:
        yield
    finally:
        _LOG.reset(token)


class LimitedAdapter(HTTPAdapter):
    """Sends requests as `requests` does, and reads the answers within the limits."""

    def send(self, request: Any, stream: bool = False, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: FBT001, FBT002 - the signature of `requests`
        """Send a request as `HTTPAdapter.send` does."""
        log = _LOG.get()
        request.headers.update(log.headers if log else {})
        response = super().send(request, True, *args, **kwargs)
        if log is not None:
            log.add(response.status_code, response.headers.get("retry-after"))
        if not stream:
            _read_within_limits(response)
        return response


def install() -> None:
    """Make all sessions of `requests` in this process use the limits: plug-ins have no option for their client."""
    setattr(requests.sessions, "HTTPAdapter", LimitedAdapter)  # noqa: B010 - mypy does not know it as an attribute


def _read_within_limits(response: requests.Response) -> None:
    """Read the body up to the limits. What a broken connection cuts off is left out, too."""
    body, deadline = bytearray(), monotonic() + MAX_SECONDS
    try:
        while len(body) < MAX_BYTES and monotonic() < deadline:
            chunk = response.raw.read1(_CHUNK, decode_content=True)
            if not chunk:
                break
            body += chunk
        else:
            response.raw.close()
    except (HTTPError, OSError):
        response.raw.close()
    vars(response).update(_content=bytes(body[:MAX_BYTES]), _content_consumed=True)
