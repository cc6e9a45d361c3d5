"""A recipe's recorded answers: folders of traces beside the recipe, each with what a check on them must find.

`office.answers/granted/` contains the files that `watcher check --trace` saved, and `expected.json`: the snapshot of
each case, or the name of the error, and in `account` the account's own values, if they matter.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from watcher.errors import ReadFailed, UnexpectedAnswer
from watcher.http.client import PortalHttp
from watcher.http.hosts import host_of
from watcher.http.recorded import RecordedAnswer, RecordedTransport
from watcher.messages import _
from watcher.model.cookie import CookieJar
from watcher.portal import CaseRead, CaseResult, CaseUnchanged
from watcher.privacy.redaction import BLANK
from watcher.recipe.model import Recipe
from watcher.recipe.parameters import ParameterValues
from watcher.recipe.parse.check import load_recipe
from watcher.recipe.run.reader import RecipeReader
from watcher.recipe.run.session import Session
from watcher.recipe.run.visit import Login, Visit
from watcher.recipe.workshop.expected import EXPECTED, Expectation, as_json, differences, expectation_in
from watcher.recipe.workshop.offline import offline_context
from watcher.recipe.workshop.trace_files import TracedAnswer, single_answers
from watcher.text.case_numbers import normalized_number

_MADE_UP: Final = "made-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCheck:
    """The check of one folder; it has a line for each difference."""

    folder: Path
    differences: tuple[str, ...]


def recorded_folders(recipe: Path) -> list[Path]:
    """Return the folders of recorded answers beside a recipe, sorted."""
    return sorted(folder for folder in recipe.with_suffix(".answers").glob("*") if folder.is_dir())


class Playback:
    """Gives the recorded answers of one folder, each once; the last one for a request again and again."""

    def __init__(self, folder: Path) -> None:
        """Raises as `single_answers`."""
        self._answers = list(single_answers(folder))
        self._used: set[int] = set()

    def find(self, method: str, path: str) -> RecordedAnswer:
        """Return the next answer to a request, without regard to its query.

        Raises `UnexpectedAnswer` if none was recorded.
        """
        path = unquote(path.partition("?")[0])
        matching = [index for index, answer in enumerate(self._answers) if _answers(answer, method, path)]
        if not matching:
            raise UnexpectedAnswer(_("no answer to {method} {path} was recorded", method=method, path=path))
        index = next((index for index in matching if index not in self._used), matching[-1])
        self._used.add(index)
        page = self._answers[index].page
        return RecordedAnswer(status=page.status, headers=page.headers, body=page.body)


def _answers(answer: TracedAnswer, method: str, path: str) -> bool:
    """Return whether the answer is one to this request. A part of the path that the trace blanked may be anything."""
    parts, asked = answer.path.split("/"), path.split("/")
    return (
        answer.method == method
        and len(parts) == len(asked)
        and all(BLANK in part or part == other for part, other in zip(parts, asked, strict=True))
    )


def check_recorded(path: Path, *, accept: bool = False, cases: tuple[str, ...] = ()) -> Iterator[RecordedCheck]:
    """Run each folder of recorded answers beside a recipe. `accept`: write what was found as what is expected.

    `cases` are the case numbers for folders that do not say which, if the recipe has no list. Raises `OSError` or
    `ValueError` for a folder that cannot be used.
    """
    recipe = load_recipe(path)
    for folder in recorded_folders(path):
        expected = expectation_in(folder) or Expectation(account={"cases": list(cases)} if cases else {})
        found = run_on_recorded(recipe, folder, expected)
        file = folder / EXPECTED
        if accept:
            file.write_text(found.text, encoding="utf-8")
        elif not file.exists():
            yield RecordedCheck(folder=folder, differences=(_("{file} is missing; --accept writes it", file=file),))
            continue
        yield RecordedCheck(folder=folder, differences=() if accept else tuple(differences(expected, found, file)))


def run_on_recorded(recipe: Recipe, folder: Path, expected: Expectation) -> Expectation:
    """Return what a check on the recorded answers finds, with the account of `expected`, in the same form."""
    found: dict[str, Any] = {}
    error: str | None = None
    try:
        with open_recorded(recipe, folder, expected) as reader:
            for result in reader.read():
                found |= _found(result)
    except ReadFailed as failure:
        error = type(failure).__name__
    return Expectation(account=expected.account, cases=found, raises=error)


def _found(result: CaseResult) -> dict[str, Any]:
    if isinstance(result, CaseRead):
        return {result.snapshot.case_number: as_json(result.snapshot)}
    if isinstance(result, CaseUnchanged):
        return {}
    return {result.case_number: {"raises": type(result.error).__name__}}


@contextmanager
def open_recorded(recipe: Recipe, folder: Path, expected: Expectation) -> Iterator[RecipeReader]:
    """Open a check on the recorded answers instead of the website."""
    playback, context, account = Playback(folder), offline_context(), expected.account
    cases = tuple(account.get("cases", () if recipe.cases else expected.cases))
    of_account = dict.fromkeys(recipe.parameters, _MADE_UP) | account.get("parameters", {})
    parameters = ParameterValues(
        parameters=recipe.parameters,
        of_account=of_account,
        of_cases={normalized_number(number): given for number, given in account.get("case_parameters", {}).items()},
    )
    login = Login(
        base_url=recipe.base_url,
        username=str(account.get("username", _MADE_UP)),
        password=str(account.get("password", _MADE_UP)),
        parameters=parameters.of_all(),
    )
    session = Session(owner="", cookies=CookieJar())
    with PortalHttp(
        portal=recipe.name,
        hosts=recipe.hosts | {host_of(recipe.base_url)},
        origins=(recipe.base_url, *recipe.addresses),
        clock=context.clock,
        stop=context.stop,
        cookies=session.cookies,
        open_with=lambda _scheme, _host, _ca_file: RecordedTransport(playback.find),
    ) as http:
        visit = Visit(recipe, login, context, http=http, session=session)
        yield RecipeReader(recipe, visit, context, cases=cases, parameters=parameters)
