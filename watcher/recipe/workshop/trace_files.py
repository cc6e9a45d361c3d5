"""Answers that `watcher check --trace DIR` kept, as a recipe's requests see them: offline, and without signing in."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from watcher.recipe.model import Recipe, Request
from watcher.recipe.page.page import Page

_ABOUT: Final = ".answer.json"
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_LARGEST: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedAnswer:
    """What came back to one request in the end, after its redirects. `path` is the one it was sent to."""

    method: str
    path: str
    page: Page


def traced_answers(folder: Path) -> Iterator[TracedAnswer]:
    """The answers in a folder, in the order in which they came.

    Raises `OSError` where the folder cannot be read, `ValueError` that names the file for one that is none of ours.
    """
    start: tuple[str, str] | None = None
    for about in sorted(folder.glob(f"*{_ABOUT}")):
        page, path = _page(about)
        start = start or (about.name.split("-")[1], path)
        if page.status in _REDIRECTS and "location" in page.headers:
            continue
        yield TracedAnswer(method=start[0], path=start[1], page=page)
        start = None


def matches_request(recipe: Recipe, request: Request, answer: TracedAnswer) -> bool:
    """Whether an answer may be one to this request: the same method, and a path that its placeholders can make."""
    if request.method != answer.method:
        return False
    template = request.address.text.removeprefix(recipe.base_url)
    if template.startswith("{"):
        return True
    path = urlsplit(template).path or "/"
    pattern = re.sub(r"\\\{[a-z0-9_]+\\\}", "[^/]*", re.escape(path))
    return re.search(f"{pattern}$", answer.path) is not None


def _page(about: Path) -> tuple[Page, str]:
    """The answer, and the path of its address."""
    try:
        read = json.loads(_beginning(about).decode())
        status, url, headers = int(read["status"]), str(read["url"]), dict(read["headers"])
        path = urlsplit(url).path
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError(f"{about}: this is no answer that `watcher check --trace` kept") from None
    stem = about.name.removesuffix(_ABOUT)
    bodies = [file for file in sorted(about.parent.glob(f"{stem}.*")) if file != about]
    body = _beginning(bodies[0]) if bodies else b""
    lower = {str(name).lower(): str(value) for name, value in headers.items()}
    return Page(status=status, url=url, headers=lower, body=body), path


def _beginning(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(_LARGEST)
