"""The answers about one case as they are kept: each with its status and address, and the recipe they were read with.

With the recipe among them, reading them again is a function of the answers alone, even when the file has been
repaired since. Cookies and most headers are left out; tokens and what is called like one are blanked.
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
_NEVER: Final = frozenset({"set-cookie", "authorization"})
_BLANK: Final = "(blanked)"
_SHORTEST_SECRET: Final = 6
_TELLTALE: Final = r"(?:csrf|token|secret|nonce|passw|otp|session)"
_TAG: Final = re.compile(r"<(?:input|meta)\b[^>]{0,2000}>", re.IGNORECASE)
_NAMED_SECRET: Final = re.compile(rf"""\b(?:name|id)\s*=\s*["']?[\w.-]{{0,40}}{_TELLTALE}""", re.IGNORECASE)
_VALUE: Final = re.compile(r"""(\b(?:value|content)\s*=\s*)("[^"]*"|'[^']*'|[^\s>"']+)""", re.IGNORECASE)
_MEMBER: Final = re.compile(rf'''("[\w-]{{0,40}}{_TELLTALE}[\w-]{{0,20}}"\s*:\s*)"(?:[^"\\]|\\.)*"''', re.IGNORECASE)


def dump_pages(
    recipe: Recipe, pages: Mapping[str, Page], case_number: str, *, secrets: Collection[str] = ()
) -> RawAnswers:
    """The pages of one case, by what they are, as bytes. `secrets` are blanked wherever they stand."""
    hidden = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]
    named = {name.lower() for name in re.findall(r"header:\s*([-\w]+)", recipe.text)} - _NEVER
    whole = {name: _written(page, named, hidden) for name, page in pages.items()}
    about = {"case_number": case_number, "recipe": recipe.text}
    return {**whole, RECIPE: json.dumps(about, ensure_ascii=False).encode()}


def load_pages(answers: RawAnswers) -> tuple[Recipe, dict[str, Page], str]:
    """The recipe, the pages and the case number. Raises `UnexpectedAnswer` for anything that `kept` did not write."""
    read = {name: _object(content) for name, content in answers.items()}
    try:
        about = read.pop(RECIPE)
        recipe = _recipe(str(about["recipe"]))
        return recipe, {name: _page(content) for name, content in read.items()}, str(about["case_number"])
    except (KeyError, TypeError, ValueError):
        raise UnexpectedAnswer("these are no answers that were kept by a recipe") from None


def _written(page: Page, named: set[str], secrets: list[str]) -> bytes:
    kind = page.headers.get("content-type", "").partition(";")[0] or "text/html"
    headers = {name: page.headers[name] for name in sorted(named & set(page.headers))}
    headers["content-type"] = f"{kind}; charset=utf-8"
    content = {
        "status": page.status,
        "url": _without(page.url, secrets),
        "headers": headers,
        "body": _blanked(page.raw(), secrets),
    }
    return json.dumps(content, ensure_ascii=False).encode()


def _blanked(text: str, secrets: list[str]) -> str:
    text = _TAG.sub(lambda tag: _VALUE.sub(rf'\1"{_BLANK}"', tag[0]) if _NAMED_SECRET.search(tag[0]) else tag[0], text)
    return _without(_MEMBER.sub(rf'\1"{_BLANK}"', text), secrets)


def _without(text: str, secrets: list[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, _BLANK)
    return text


def _page(content: dict[str, object]) -> Page:
    status, url, headers, body = (content[key] for key in ("status", "url", "headers", "body"))
    if not (isinstance(status, int) and isinstance(url, str) and isinstance(headers, dict) and isinstance(body, str)):
        raise TypeError
    texts = {str(name): str(value) for name, value in headers.items()}
    return Page(status=status, url=url, headers=texts, body=body.encode("utf-8", "replace"))


def _object(content: bytes) -> dict[str, object]:
    read = load_or_none(content)
    if not isinstance(read, dict):
        raise UnexpectedAnswer("an answer that was kept is damaged")
    return read


@lru_cache(maxsize=8)
def _recipe(text: str) -> Recipe:
    try:
        return parse_recipe(text, "the recipe")
    except RecipeFaults:
        raise UnexpectedAnswer("the recipe that was kept with the answers is damaged") from None
