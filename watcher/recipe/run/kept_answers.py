"""The raw answers about one case, as they are stored: each with status and address, and with the recipe.

Because the recipe is stored too, parsing the answers again depends on nothing else, even if the recipe file has been
repaired since. Cookies and most headers are left out; tokens and values with a name like one are blanked.
"""

import json
import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Final

from watcher.errors import UnexpectedAnswer
from watcher.portal import RawAnswers
from watcher.recipe.model import Recipe
from watcher.recipe.page.page import Page
from watcher.recipe.parse.check import RecipeFaults, parse_recipe
from watcher.text.json import load_or_none

RECIPE: Final = "recipe"
LIST: Final = "list"
CASE: Final = "case"
_SECRET_HEADERS: Final = frozenset({"set-cookie", "authorization"})
_BLANK: Final = "(blanked)"
_MIN_SECRET_LENGTH: Final = 6
_NAME_PART: Final = r"(?:csrf|token|secret|nonce|passw|otp|session)"
_TAG: Final = re.compile(r"<(?:input|meta)\b[^>]{0,2000}>", re.IGNORECASE)
_SECRET_ELEMENT: Final = re.compile(rf"""\b(?:name|id)\s*=\s*["']?[\w.-]{{0,40}}{_NAME_PART}""", re.IGNORECASE)
_VALUE: Final = re.compile(r"""(\b(?:value|content)\s*=\s*)("[^"]*"|'[^']*'|[^\s>"']+)""", re.IGNORECASE)
_MEMBER: Final = re.compile(rf'''("[\w-]{{0,40}}{_NAME_PART}[\w-]{{0,20}}"\s*:\s*)"(?:[^"\\]|\\.)*"''', re.IGNORECASE)


def dump_pages(
    recipe: Recipe, pages: Mapping[str, Page], case_number: str, *, secrets: Collection[str] = ()
) -> RawAnswers:
    """Return the pages of one case as bytes, by kind of page. `secrets` are blanked everywhere."""
    blanked = [secret for secret in secrets if len(secret) >= _MIN_SECRET_LENGTH]
    header_names = {name.lower() for name in re.findall(r"header:\s*([-\w]+)", recipe.text)} - _SECRET_HEADERS
    answers = {name: _dump_page(page, header_names, blanked) for name, page in pages.items()}
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
        raise UnexpectedAnswer("these are no answers that were kept by a recipe") from None


def _dump_page(page: Page, header_names: set[str], secrets: list[str]) -> bytes:
    kind = page.headers.get("content-type", "").partition(";")[0] or "text/html"
    headers = {name: page.headers[name] for name in sorted(header_names & set(page.headers))}
    headers["content-type"] = f"{kind}; charset=utf-8"
    document = {
        "status": page.status,
        "url": _blank_secrets(page.url, secrets),
        "headers": headers,
        "body": _blank_tokens(page.raw(), secrets),
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _blank_tokens(text: str, secrets: list[str]) -> str:
    text = _TAG.sub(
        lambda tag: _VALUE.sub(rf'\1"{_BLANK}"', tag[0]) if _SECRET_ELEMENT.search(tag[0]) else tag[0], text
    )
    return _blank_secrets(_MEMBER.sub(rf'\1"{_BLANK}"', text), secrets)


def _blank_secrets(text: str, secrets: list[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, _BLANK)
    return text


def _load_page(document: dict[str, object]) -> Page:
    status, url, headers, body = (document[key] for key in ("status", "url", "headers", "body"))
    if not (isinstance(status, int) and isinstance(url, str) and isinstance(headers, dict) and isinstance(body, str)):
        raise TypeError
    header_texts = {str(name): str(value) for name, value in headers.items()}
    return Page(status=status, url=url, headers=header_texts, body=body.encode("utf-8", "replace"))


def _object(content: bytes) -> dict[str, object]:
    document = load_or_none(content)
    if not isinstance(document, dict):
        raise UnexpectedAnswer("an answer that was kept is damaged")
    return document


@lru_cache(maxsize=8)
def _parse_recipe(text: str) -> Recipe:
    try:
        return parse_recipe(text, "the recipe")
    except RecipeFaults:
        raise UnexpectedAnswer("the recipe that was kept with the answers is damaged") from None
