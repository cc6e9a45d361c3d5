"""Answers that were recorded, in place of a connection: a check runs on them offline, with the same client."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

_OF_THE_CONNECTION = frozenset({"content-length", "content-encoding", "transfer-encoding", "connection"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAnswer:
    """One answer, decoded, without its redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class RecordedTransport(httpx.BaseTransport):
    """Asks a function for the answer to each request. What the function raises ends the request."""

    def __init__(self, find: Callable[[str, str], RecordedAnswer]) -> None:
        """`find` takes a method and a path with its query."""
        self._find = find

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the recorded answer."""
        answer = self._find(request.method, request.url.raw_path.decode("ascii"))
        headers = {name: text for name, text in answer.headers.items() if name not in _OF_THE_CONNECTION}
        return httpx.Response(answer.status, headers=headers, stream=httpx.ByteStream(answer.body))
