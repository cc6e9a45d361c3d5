"""One check of one account by its recipe: page through the list, fetch each case, and parse it."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from watcher.errors import CaseNotFound, PortalUnavailable, ReadFailed, UnexpectedAnswer
from watcher.messages import _
from watcher.model.case import Notice, Snapshot
from watcher.portal import CaseFailed, CaseRead, CaseResult, CaseResults, Download, PortalContext, RawAnswers
from watcher.recipe.model import CaseList, Recipe
from watcher.recipe.page.budget import OutOfTime
from watcher.recipe.page.page import Page, PageLocation
from watcher.recipe.page.selectors import Selector
from watcher.recipe.parameters import ParameterValues
from watcher.recipe.run.addresses import resolve_address
from watcher.recipe.run.case_list import comparable_number, odd_rows, rows
from watcher.recipe.run.kept_answers import CASE, LIST, dump_pages
from watcher.recipe.run.last_found import found_in, had_another_status, lost_selectors
from watcher.recipe.run.refusals import NotYetShown, raise_if_case_missing, raise_if_unexpected
from watcher.recipe.run.snapshot import not_shown_yet, read_case
from watcher.recipe.run.visit import Visit

_MAX_CASES: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCase:
    """A case on the list, with its number as the portal writes it (`shown`) and as the account does (`number`).

    `page` is the page of the list, None if the recipe has no list.
    """

    number: str
    shown: str
    page: Page | None = None
    taken: Mapping[str, str] = field(default_factory=dict)


class RecipeReader:
    """The reader of one account; a `watcher.portal.Reader`."""

    def __init__(
        self,
        recipe: Recipe,
        visit: Visit,
        context: PortalContext,
        *,
        cases: tuple[str, ...],
        parameters: ParameterValues | None = None,
    ) -> None:
        """`cases` are the case numbers to check; empty means all. `parameters` are those of the account."""
        self._recipe, self._visit, self._context = recipe, visit, context
        self._parameters = parameters or ParameterValues()
        self._cases = {comparable_number(number): number for number in cases}
        self._odd_rows: list[int] = []

    def read(self) -> CaseResults:
        """Yield the result of each requested case on the list, as defined by `watcher.portal.Reader`.

        Results are yielded at the end of the check, because only then it is known whether a selector found nothing in
        any case. If the check fails, the results so far are yielded before the error is raised.
        """
        results: list[CaseResult] = []
        failure: ReadFailed | None = None
        try:
            results.extend(self._results())
        except ReadFailed as error:
            failure = error
        self._visit.save()
        self._compare([result.snapshot for result in results if isinstance(result, CaseRead)])
        yield from results
        if failure is not None:
            raise failure

    def download(self, notice: Notice, *, max_bytes: int) -> Download:
        """Return the document of a notice, as defined by `watcher.portal.Downloads`."""
        return self._visit.download(notice.download or "", max_bytes=max_bytes)

    def listed(self) -> Iterator[ListedCase]:
        """Yield the cases to check, each once. Raises `UnexpectedAnswer` if the list is not as expected."""
        if self._recipe.cases is None:
            yield from (ListedCase(number=number, shown=number) for number in self._cases.values())
            return
        seen: set[str] = set()
        for page in self._pages(self._recipe.cases):
            for number, location in rows(self._recipe, page):
                key = comparable_number(number)
                if key not in seen and (not self._cases or key in self._cases):
                    yield ListedCase(
                        number=self._cases.get(key, number), shown=number, page=page, taken=self._taken(location)
                    )
                seen.add(key)
            self._odd_rows += odd_rows(self._recipe, page)
            if len(seen) > _MAX_CASES:
                raise UnexpectedAnswer(
                    _("{recipe} lists more than {limit} cases", recipe=self._recipe.name, limit=_MAX_CASES)
                )
        if not seen and (self._context.known_cases or not self._recipe.cases.expect):
            raise UnexpectedAnswer(
                _(
                    "{recipe}: cases.each {selector!r} finds no cases. An empty list is accepted only if "
                    "cases.expect is present and no case was ever seen",
                    recipe=self._recipe.name,
                    selector=self._recipe.cases.each.text,
                )
            )

    def fetch(self, listed: ListedCase, pages: dict[str, Page]) -> None:
        """Add the pages of one case to `pages` as they arrive, so that an error loses none. Raises `ReadFailed`."""
        case, values = self._recipe.case, self._values(listed)
        if case.request is not None:
            page = pages[CASE] = self._visit.fetch(case.request, values)
            raise_if_case_missing(self._recipe, page, key_path=CASE)
            values |= _take(case.take, page)
        elif listed.page is not None:
            pages[LIST] = listed.page
        for part in (*case.pending, *case.notices, *case.history):
            if part.request is not None:
                pages[part.key_path] = self._visit.fetch(part.request, values)

    def _results(self) -> Iterator[CaseResult]:
        was_down = False
        for listed in list(self.listed()):
            if self._context.is_finished(listed.number):
                continue
            result = self._read(listed)
            yield result
            is_down = isinstance(result, CaseFailed) and isinstance(result.error, PortalUnavailable)
            if isinstance(result, CaseFailed) and is_down and was_down:
                raise result.error  # twice in a row: it is the portal, not the case
            was_down = is_down
        for position in self._odd_rows:
            error = UnexpectedAnswer(
                _(
                    "{recipe}: row {position} of the list has text that is not a case number",
                    recipe=self._recipe.name,
                    position=position,
                )
            )
            yield CaseFailed(case_number=_("row {position}", position=position), error=error)

    def _read(self, listed: ListedCase) -> CaseResult:
        pages: dict[str, Page] = {}
        try:
            with suppress(NotYetShown):
                self.fetch(listed, pages)
            snapshot = read_case(self._recipe, pages, listed.number)
            self._check_not_gone(snapshot, pages)
        except PortalUnavailable as error:
            if error.retry_after is not None or self._context.stop.is_set():
                raise
            return CaseFailed(case_number=listed.number, error=error)
        except OutOfTime:
            raise  # the other cases would take as long
        except (CaseNotFound, UnexpectedAnswer) as error:
            return CaseFailed(case_number=listed.number, error=error, answers=self._dump(listed, pages))
        return CaseRead(snapshot=snapshot, answers=self._dump(listed, pages))

    def _check_not_gone(self, snapshot: Snapshot, pages: Mapping[str, Page]) -> None:
        """Raise `CaseNotFound` for a case that the portal does not show yet, as it says, but has shown before."""
        before = self._visit.session.last_found.get(snapshot.case_number)
        if not_shown_yet(self._recipe, pages) and had_another_status(before, snapshot.status or ""):
            raise CaseNotFound(_("{recipe} no longer shows this case", recipe=self._recipe.name))

    def _values(self, listed: ListedCase) -> dict[str, str]:
        """Return the values of the placeholders that belong to one case."""
        return {**listed.taken, **self._parameters.of_case(listed.number), "case_number": listed.shown}

    def _dump(self, listed: ListedCase, pages: Mapping[str, Page]) -> RawAnswers:
        return dump_pages(self._recipe, pages, listed.number)

    def _pages(self, cases: CaseList) -> Iterator[Page]:
        address: str | None = None
        visited: set[str] = set()
        for _page in range(cases.max_pages):
            page = self._visit.fetch(cases.request, {}, address=address)
            raise_if_unexpected(self._recipe, page, key_path="cases", expect=cases.expect)
            yield page
            address = self._next(cases, page)
            if address is None or address in visited or address == page.url:
                return
            visited.add(address)
        raise UnexpectedAnswer(
            _("{recipe} lists its cases on more than {limit} pages", recipe=self._recipe.name, limit=cases.max_pages)
        )

    def _next(self, cases: CaseList, page: Page) -> str | None:
        """Return the address of the next page, or None on the last one."""
        if cases.next is None or not cases.next.is_true(page):
            return None
        target = cases.next.text_at(page)
        if target is None:
            return None
        if cases.next_address is not None:
            return self._visit.address(cases.next_address, {"next": target})
        return resolve_address(page.url, target)

    def _taken(self, location: PageLocation) -> dict[str, str]:
        return {} if self._recipe.cases is None else _take(self._recipe.cases.take, location)

    def _compare(self, snapshots: list[Snapshot]) -> None:
        now = found_in(snapshots)
        if lost := lost_selectors(self._recipe, self._visit.session.last_found, now):
            raise UnexpectedAnswer(
                _(
                    "{recipe}: these selectors found something in the last successful check and now find "
                    "nothing: {selectors}. The website may have changed; run `watcher recipe try FILE --account NAME`",
                    recipe=self._recipe.name,
                    selectors=", ".join(lost),
                )
            )
        if now:
            self._visit.remember(now)


def _take(take: Mapping[str, Selector], location: PageLocation) -> dict[str, str]:
    values = {name: selector.text_at(location) for name, selector in take.items()}
    return {name: value for name, value in values.items() if value is not None}
