"""The raw answers about one case, as they are stored: each with status and address, and with the recipe.

Because the recipe is stored too, parsing the answers again depends on nothing else, even if the recipe file has been
repaired since. Cookies and most headers are left out, and the store blanks secrets.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from watcher.errors import UnexpectedAnswer
from watcher.messages import _
from watcher.portal import RawAnswers
from watcher.recipe.model import Recipe
from watcher.recipe.page.page import Page
from watcher.recipe.parse.check import RecipeFaults, parse_recipe
from watcher.text.json import load_or_none

RECIPE: Final = "recipe"
LIST: Final = "list"
CASE: Final = "case"
_SECRET_HEADERS: Final = frozenset({"set-cookie", "authorization"})


def dump_pages(recipe: Recipe, pages: Mapping[str, Page], case_number: str) -> RawAnswers:
    """Return the pages of one case as bytes, by kind of page."""
    header_names = {name.lower() for name in re.findall(r"header:\s*([-\w]+)", recipe.text)} - _SECRET_HEADERS
    answers = {name: _dump_page(page, header_names) for name, page in pages.items()}
    origin = {"case_number": case_number, "recipe": recipe.text}
    return {**answers, RECIPE: json.dumps(origin, ensure_ascii=False).encode()}


def load_pages(answers: RawAnswers) -> tuple[Recipe, dict[str, Page], str]:
    """Return recipe, pages, and case number. Raises `UnexpectedAnswer` for anything `dump_pages` did not return."""
    documents = {name: _object(content) for name, content in answers.items()}
    try:
        origin = documents.pop(RECIPE)
        pages = {name: _load_page(document) for name, document in documents.items()}
        return _parse_recipe(str(origin["recipe"])), pages, str(origin["case_number"])
    except (KeyError, TypeError, ValueError):
        raise UnexpectedAnswer(_("these answers were not saved by a recipe")) from None


def _dump_page(page: Page, header_names: set[str]) -> bytes:
    kind = page.headers.get("content-type", "").partition(";")[0] or "text/html"
    headers = {name: page.headers[name] for name in sorted(header_names & set(page.headers))}
    headers["content-type"] = f"{kind}; charset=utf-8"
    document = {"status": page.status, "url": page.url, "headers": headers, "body": page.raw()}
    return json.dumps(document, ensure_ascii=False).encode()


def _load_page(document: dict[str, object]) -> Page:
    status, url, headers, body = (document[key] for key in ("status", "url", "headers", "body"))
    if not (isinstance(status, int) and isinstance(url, str) and isinstance(headers, dict) and isinstance(body, str)):
        raise TypeError
    header_texts = {str(name): str(value) for name, value in headers.items()}
    return Page(status=status, url=url, headers=header_texts, body=body.encode("utf-8", "replace"))


def _object(content: bytes) -> dict[str, object]:
    document = load_or_none(content)
    if not isinstance(document, dict):
        raise UnexpectedAnswer(_("a saved answer is damaged"))
    return document


@lru_cache(maxsize=8)
def _parse_recipe(text: str) -> Recipe:
    try:
        return parse_recipe(text, _("the recipe"))
    except RecipeFaults:
        raise UnexpectedAnswer(_("the recipe saved with the answers is damaged")) from None
