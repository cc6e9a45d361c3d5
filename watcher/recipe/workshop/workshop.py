"""Writing and repairing recipes: `watcher recipe new`, `try`, and `check`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from watcher.errors import ReadFailed, UnexpectedAnswer
from watcher.messages import _
from watcher.recipe.filled import filled_for
from watcher.recipe.model import Recipe, Request, Step
from watcher.recipe.page.page import Page, PageLocation
from watcher.recipe.parse.check import load_recipe
from watcher.recipe.run.case_list import comparable_number, rows
from watcher.recipe.run.case_visit import ListedCase
from watcher.recipe.run.kept_answers import CASE, LIST
from watcher.recipe.run.reader import RecipeReader
from watcher.recipe.run.visit import Visit
from watcher.recipe.workshop.selector_report import SelectorResult, inspect_case, inspect_list, inspect_step
from watcher.recipe.workshop.trace_files import TracedAnswer, matches_request, traced_answers

_MAX_CASES: Final = 3


class Workshop:
    """Tries a recipe step by step with an account's own credentials, through its sign-in guard."""

    def __init__(self, recipe: Recipe, visit: Visit, reader: RecipeReader) -> None:
        """`visit` must be that of `reader`."""
        self._recipe, self._visit, self._reader = recipe, visit, reader
        self._answers: list[tuple[Request, Page]] = []
        visit.observe(lambda request, page: self._answers.append((request, page)))

    def walk(self) -> Iterator[SelectorResult]:
        """Yield what each selector finds in the sign-in, the list, and the first cases. Ends at the first error."""
        try:
            yield from self._sign_in()
            yield from self._cases()
        except ReadFailed as error:
            yield from self._steps()
            yield SelectorResult(
                key_path="check", note=f"{type(error).__name__}: {error}", failed=True, stopped_by=error
            )

    def _sign_in(self) -> Iterator[SelectorResult]:
        if self._recipe.sign_in:
            self._visit.sign_in()
        yield from self._steps()

    def _steps(self, steps: tuple[Step, ...] | None = None) -> Iterator[SelectorResult]:
        """Yield the results of the steps, by default those of the sign-in, that were taken since the last time."""
        answered = {request.key_path: page for request, page in self._answers}
        self._answers.clear()
        for step in self._recipe.sign_in if steps is None else steps:
            if step.request.key_path in answered:
                yield from inspect_step(self._recipe, step, answered[step.request.key_path])

    def _cases(self) -> Iterator[SelectorResult]:
        listed, failure = self._listed()
        if self._recipe.cases is not None:
            for request, page in self._answers:
                if request == self._recipe.cases.request:
                    yield from inspect_list(self._recipe, self._recipe.cases, page)
        if failure is not None:
            raise failure
        for case in listed[:_MAX_CASES]:
            yield from self._case(case)
        self._visit.save()

    def _listed(self) -> tuple[list[ListedCase], ReadFailed | None]:
        try:
            return list(self._reader.listed()), None
        except ReadFailed as error:
            return [], error

    def _case(self, listed: ListedCase) -> Iterator[SelectorResult]:
        pages: dict[str, Page] = {}
        try:
            self._reader.fetch(listed, pages)
        except ReadFailed as error:
            yield SelectorResult(key_path=CASE, note=f"{listed.number}: {type(error).__name__}: {error}", failed=True)
        if self._recipe.case.steps:
            yield from self._steps(filled_for(self._recipe, listed.number).case.steps)
        yield from inspect_case(self._recipe, pages, listed.number, _row(self._recipe, listed.page, listed.number))


def check_recipe(path: Path, answers: Path | None = None) -> list[SelectorResult]:
    """Check a recipe offline, and return what it finds in the answers of a trace. Raises `RecipeFaults`.

    `answers` is a folder that `watcher check --trace` wrote; raises `OSError` or `ValueError` if it is not.
    """
    recipe = load_recipe(path)
    return [] if answers is None else list(_inspect_trace(recipe, list(traced_answers(answers))))


def _inspect_trace(recipe: Recipe, answers: list[TracedAnswer]) -> Iterator[SelectorResult]:
    for step in (*recipe.sign_in, *recipe.case.steps):
        for answer in (answer for answer in answers if matches_request(recipe, step.request, answer)):
            yield from inspect_step(recipe, step, answer.page)
    pages: dict[str, Page] = {}
    for answer in answers:
        if recipe.cases is not None and matches_request(recipe, recipe.cases.request, answer):
            yield from inspect_list(recipe, recipe.cases, answer.page)
            if recipe.case.request is None:
                yield from _inspect_rows(recipe, answer.page)
        elif recipe.case.request is not None and matches_request(recipe, recipe.case.request, answer):
            yield from _inspect_traced_case(recipe, pages)
            pages = {CASE: answer.page}
        pages |= _further(recipe, answer)
    yield from _inspect_traced_case(recipe, pages)


def _inspect_rows(recipe: Recipe, page: Page) -> Iterator[SelectorResult]:
    try:
        listed = list(rows(recipe, page))
    except UnexpectedAnswer:
        return  # `inspect_list` has reported the fault
    for number, location in listed[:_MAX_CASES]:
        yield from inspect_case(recipe, {LIST: page}, number, location)


def _inspect_traced_case(recipe: Recipe, pages: dict[str, Page]) -> Iterator[SelectorResult]:
    if CASE in pages:
        selector = recipe.case.case_number
        number = selector.text_at(pages[CASE]) if selector else None
        yield from inspect_case(recipe, pages, number or _("the case"), None)


def _further(recipe: Recipe, answer: TracedAnswer) -> dict[str, Page]:
    """Return the page of each further answer about a case, and of each of its lists, that this may be."""
    parts = [(part.key_path, part.request) for part in recipe.case.more]
    parts += [(part.key_path, part.request) for part in recipe.case.collections if part.request]
    return {key_path: answer.page for key_path, request in parts if matches_request(recipe, request, answer)}


def _row(recipe: Recipe, page: Page | None, case_number: str) -> PageLocation | None:
    if page is None:
        return None
    return next(
        (
            location
            for number, location in rows(recipe, page)
            if comparable_number(number) == comparable_number(case_number)
        ),
        None,
    )
