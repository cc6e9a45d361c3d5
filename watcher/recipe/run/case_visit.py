"""The requests about single cases: the steps before a case's page, the page, and further answers about the case."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from watcher.recipe.filled import filled_for
from watcher.recipe.model import CasePage, Recipe
from watcher.recipe.page.page import Page, PageLocation
from watcher.recipe.page.selectors import Selector
from watcher.recipe.run.kept_answers import CASE, LIST
from watcher.recipe.run.refusals import raise_if_case_missing, raise_if_unexpected
from watcher.recipe.run.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCase:
    """A case on the list, with its number as the portal writes it (`shown`) and as the account does (`number`).

    `page` is the page of the list, None if the recipe has no list. `is_absent`: the case is not on it. `answer` is the
    page of the case if it was requested to learn the number.
    """

    number: str
    shown: str
    page: Page | None = None
    is_absent: bool = False
    answer: Page | None = None
    taken: Mapping[str, str] = field(default_factory=dict)


class CaseVisit:
    """Requests the answers about cases. An answer that is the same for every case is requested once."""

    def __init__(self, recipe: Recipe, visit: Visit) -> None:
        """Nothing is requested yet."""
        self._recipe, self._visit = recipe, visit
        self._shared: dict[str, Page] = {}

    def fetch(self, listed: ListedCase, values: Mapping[str, str], pages: dict[str, Page]) -> None:
        """Add the pages of one case to `pages` as they arrive, so that an error loses none. Raises `ReadFailed`."""
        recipe, values = filled_for(self._recipe, listed.number), dict(values)
        case = recipe.case
        if listed.page is not None and (case.request is None or listed.is_absent):
            pages[LIST] = listed.page
        if listed.is_absent:
            return
        if case.request is not None:
            page = pages[CASE] = listed.answer or self.case_page(case, values)
            raise_if_case_missing(recipe, page, key_path=CASE)
            values |= taken(case.take, page)
        further = [(part.key_path, part.request) for part in case.more]
        further += [(part.key_path, part.request) for part in case.collections if part.request]
        for key_path, request in further:
            pages[key_path] = self._visit.fetch(request, values)

    def case_page(self, case: CasePage, values: dict[str, str]) -> Page:
        """Return the page of a case, after the steps before it, which add what they take to `values`."""
        assert case.request is not None, "the recipe has a page for each case"  # noqa: S101 - for the type checker
        own, previous = set(values), None
        for step in case.steps:
            if step.when is None or (previous is not None and step.when.is_true(previous)):
                previous = self._visit.fetch(step.request, values, previous=previous)
                raise_if_unexpected(self._recipe, previous, key_path=step.request.key_path, expect=step.expect)
                values |= taken(step.take, previous)
        if case.steps or own & case.request.placeholders:
            return self._visit.fetch(case.request, values, previous=previous)
        if CASE not in self._shared:
            self._shared[CASE] = self._visit.fetch(case.request, values)
        return self._shared[CASE]


def taken(take: Mapping[str, Selector], location: PageLocation) -> dict[str, str]:
    """Return what the selectors of `take` find."""
    values = {name: selector.text_at(location) for name, selector in take.items()}
    return {name: value for name, value in values.items() if value is not None}
