"""Answers that a person's own browser received, read by the recipe as those to its own requests.

They come as HTTP archives (HAR 1.2), or as the page itself that the person looked at.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from watcher.errors import ReadFailed, UnexpectedAnswer
from watcher.http.client import PortalHttp
from watcher.http.hosts import host_of
from watcher.http.recorded import RecordedAnswer, RecordedTransport
from watcher.messages import _
from watcher.model.cookie import CookieJar
from watcher.portal import CaseFailed, CaseRead
from watcher.recipe.model import Recipe, Request
from watcher.recipe.parameters import ParameterValues
from watcher.recipe.run.addresses import absolute_address
from watcher.recipe.run.reader import RecipeReader
from watcher.recipe.run.session import Session
from watcher.recipe.run.visit import Login, Visit
from watcher.recipe.workshop.offline import offline_context
from watcher.text.json import load_or_none

_OK = 200
_NUMBER, _MARK = "{case_number}", "-case-number-"


def read_handed_over(
    recipe: Recipe,
    files: Sequence[tuple[str, bytes]],
    *,
    base_url: str,
    cases: Sequence[str],
    parameters: ParameterValues,
) -> list[CaseRead]:
    """Return the cases in these files (name and content of each). `cases` are those of the account.

    Raises `UnexpectedAnswer`, which names the file, if a file contains no case that the recipe can read.
    """
    reads: list[CaseRead] = []
    for name, content in files:
        try:
            answers = _archived(content)
            if answers:
                numbers = _numbers(recipe, base_url, answers)
            else:
                numbers, answers = _page(recipe, base_url, cases, content)
            found = _read(recipe, answers, base_url=base_url, numbers=numbers, parameters=parameters)
        except ReadFailed as error:
            raise UnexpectedAnswer(f"{name}: {error}") from None
        if not found:
            raise UnexpectedAnswer(_("{file}: contains no page of a case of {recipe}", file=name, recipe=recipe.name))
        reads += found
    return reads


def _read(
    recipe: Recipe,
    answers: Mapping[str, RecordedAnswer],
    *,
    base_url: str,
    numbers: Sequence[str],
    parameters: ParameterValues,
) -> list[CaseRead]:
    if not numbers:
        return []
    reads: list[CaseRead] = []
    with _open(replace(recipe, cases=None, sign_in=()), answers, base_url, numbers, parameters) as reader:
        for result in reader.read():
            if isinstance(result, CaseRead):
                reads.append(result)
            elif isinstance(result, CaseFailed):
                raise result.error
    return reads


@contextmanager
def _open(
    recipe: Recipe,
    answers: Mapping[str, RecordedAnswer],
    base_url: str,
    numbers: Sequence[str],
    parameters: ParameterValues,
) -> Iterator[RecipeReader]:
    """Open a check of which every answer is known."""
    by_plain_target = {unquote(target): answer for target, answer in answers.items()}  # browsers escape differently

    def find(method: str, target: str) -> RecordedAnswer:
        answer = by_plain_target.get(unquote(target)) if method == "GET" else None
        if answer is None:
            raise UnexpectedAnswer(_("no answer to {method} {path} was handed over", method=method, path=target))
        return answer

    context, session = offline_context(), Session(owner="", cookies=CookieJar())
    with PortalHttp(
        portal=recipe.name,
        hosts=recipe.hosts | {host_of(base_url)},
        origins=(base_url, *recipe.addresses),
        clock=context.clock,
        stop=context.stop,
        cookies=session.cookies,
        open_with=lambda _scheme, _host, _ca_file: RecordedTransport(find),
    ) as http:
        login = Login(base_url=base_url, username="", password="", parameters=parameters.of_all())
        visit = Visit(recipe, login, context, http=http, session=session)
        yield RecipeReader(recipe, visit, context, cases=tuple(numbers), parameters=parameters)


def _archived(content: bytes) -> dict[str, RecordedAnswer]:
    """Return the good answers of an HTTP archive by path and query; none if the content is something else."""
    archive = load_or_none(content)
    log = archive.get("log") if isinstance(archive, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    found = [_archived_answer(entry) for entry in entries] if isinstance(entries, list) else []
    return dict(entry for entry in found if entry is not None)


def _archived_answer(entry: Any) -> tuple[str, RecordedAnswer] | None:
    try:
        request, response = entry["request"], entry["response"]
        text, kind = response["content"]["text"], str(response["content"].get("mimeType", ""))
        if request["method"] != "GET" or response["status"] != _OK or not isinstance(text, str):
            return None
        target = _target(str(request["url"]))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return target, RecordedAnswer(status=_OK, headers={"content-type": kind}, body=text.encode())


def _target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def _numbers(recipe: Recipe, base_url: str, answers: Mapping[str, RecordedAnswer]) -> list[str]:
    """Return the case numbers in the addresses of the answers."""
    if recipe.case.request is None:
        return []
    before, found, after = _case_target(recipe, base_url, recipe.case.request).partition(_NUMBER)
    if not found:
        return []
    pattern = re.compile(f"{re.escape(before)}([^/?&#]+){re.escape(after)}")
    return [unquote(match[1]) for target in answers if (match := pattern.fullmatch(target))]


def _page(
    recipe: Recipe, base_url: str, cases: Sequence[str], content: bytes
) -> tuple[list[str], dict[str, RecordedAnswer]]:
    """Return the number and the answer of a page that the person looked at."""
    if recipe.case.request is None or len(cases) != 1:
        raise UnexpectedAnswer(_("the page does not say which case it shows; an account with one case can import it"))
    number = cases[0]
    target = _case_target(recipe, base_url, recipe.case.request).replace(_NUMBER, quote(number, safe=""))
    return [number], {target: RecordedAnswer(status=_OK, headers={"content-type": "text/html"}, body=content)}


def _case_target(recipe: Recipe, base_url: str, request: Request) -> str:
    marked = request.address.text.replace(_NUMBER, _MARK)
    address = absolute_address(marked, base_url=base_url, replaces=recipe.base_url)
    return _target(address).replace(_MARK, _NUMBER)
