"""The answers that `watcher check --trace DIR` saved, matched to a recipe's requests. Offline, without a sign-in."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from watcher.messages import _
from watcher.recipe.model import Recipe, Request
from watcher.recipe.page.page import Page

_METADATA: Final = ".answer.json"
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MAX_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedAnswer:
    """One answer. `path` is the one of the request, which may be another than that of `page` after redirects."""

    method: str
    path: str
    page: Page

    @property
    def is_redirect(self) -> bool:
        """Whether the client follows this answer to another address."""
        return self.page.status in _REDIRECTS and "location" in self.page.headers


def traced_answers(folder: Path) -> Iterator[TracedAnswer]:
    """Yield the final answers in a folder, in the order in which they arrived, each with its request.

    Raises as `single_answers`.
    """
    first: TracedAnswer | None = None
    for answer in single_answers(folder):
        first = first or answer
        if not answer.is_redirect:
            yield TracedAnswer(method=first.method, path=first.path, page=answer.page)
            first = None


def single_answers(folder: Path) -> Iterator[TracedAnswer]:
    """Yield every answer in a folder, redirects included, in the order in which they arrived.

    Raises `OSError` if the folder cannot be read, and `ValueError` that names a file which is not from a trace.
    """
    for metadata in sorted(folder.glob(f"*{_METADATA}")):
        page, path = _page(metadata)
        method = metadata.name.partition("-")[2].partition("-")[0]
        yield TracedAnswer(method=method, path=path, page=page)


def matches_request(recipe: Recipe, request: Request, answer: TracedAnswer) -> bool:
    """Return whether an answer may belong to this request: same method, and a path that its template can give."""
    if request.method != answer.method:
        return False
    template = request.address.text.removeprefix(recipe.base_url)
    if template.startswith("{"):
        return True
    path = urlsplit(template).path or "/"
    pattern = re.sub(r"\\\{[a-z0-9_]+\\\}", "[^/]*", re.escape(path))
    return re.search(f"{pattern}$", answer.path) is not None


def _page(metadata: Path) -> tuple[Page, str]:
    """Return the answer and the path of its address."""
    try:
        document = json.loads(_read(metadata).decode())
        status, url, headers = int(document["status"]), str(document["url"]), dict(document["headers"])
        path = urlsplit(url).path
    except (ValueError, OverflowError, KeyError, TypeError, RecursionError):  # JSON's 1e999 is infinite
        raise ValueError(_("{file}: this is not an answer saved by `watcher check --trace`", file=metadata)) from None
    stem = metadata.name.removesuffix(_METADATA)
    bodies = [file for file in sorted(metadata.parent.glob(f"{stem}.*")) if file != metadata]
    body = _read(bodies[0]) if bodies else b""
    lower = {str(name).lower(): str(value) for name, value in headers.items()}
    return Page(status=status, url=url, headers=lower, body=body), path


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(_MAX_BYTES)
