"""One check of one account by its recipe: page through the list, fetch each case, and parse it."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final

from watcher.errors import CaseNotFound, PortalUnavailable, ReadFailed, UnexpectedAnswer
from watcher.messages import _
from watcher.model.case import Notice, Snapshot
from watcher.portal import CaseFailed, CaseRead, CaseResult, CaseResults, Download, PortalContext, RawAnswers
from watcher.recipe.filled import filled_for
from watcher.recipe.model import CaseList, Recipe
from watcher.recipe.page.budget import OutOfTime
from watcher.recipe.page.page import Page
from watcher.recipe.parameters import ParameterValues
from watcher.recipe.placeholders import CASE_NUMBERS, CaseNumbers, Values
from watcher.recipe.run.addresses import resolve_address
from watcher.recipe.run.case_list import comparable_number, is_case_number, odd_rows, rows
from watcher.recipe.run.case_visit import CaseVisit, ListedCase, taken
from watcher.recipe.run.kept_answers import CASE, dump_pages
from watcher.recipe.run.last_found import found_in, had_another_status, lost_selectors
from watcher.recipe.run.refusals import NotYetShown, raise_if_case_missing, raise_if_unexpected
from watcher.recipe.run.snapshot import read_case_or_pending
from watcher.recipe.run.visit import Visit

_MAX_CASES: Final = 500


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
        self._case_visit = CaseVisit(recipe, visit)
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
        if self._recipe.cases is not None:
            yield from self._in_list(self._recipe.cases)
        elif self._recipe.case.single:
            yield from self._single()
        else:
            yield from (ListedCase(number=number, shown=number) for number in self._cases.values())

    def fetch(self, listed: ListedCase, pages: dict[str, Page]) -> None:
        """Add the pages of one case to `pages` as they arrive, so that an error loses none. Raises `ReadFailed`."""
        self._case_visit.fetch(listed, self._values(listed), pages)

    def _in_list(self, cases: CaseList) -> Iterator[ListedCase]:
        """Yield the cases of the list, and those of the account that are absent from it, if that is a status."""
        seen: set[str] = set()
        rows_seen, page = 0, None
        for page in self._pages(cases):
            for number, location in rows(self._recipe, page, only=self._cases):
                rows_seen += 1
                key = comparable_number(number)
                if self._cases and key not in self._cases:
                    continue
                if key not in seen:
                    taken_here = taken(cases.take, location)
                    own = self._cases.get(key, number)
                    yield ListedCase(number=own, shown=number, page=page, taken=taken_here)
                seen.add(key)
            if not cases.absent:
                self._odd_rows += odd_rows(self._recipe, page, only=self._cases)
            self._check_count(len(seen))
        if not rows_seen and page is not None:
            self._check_empty(cases)
        if cases.absent and page is not None:
            for key, number in self._cases.items():
                if key not in seen:
                    yield ListedCase(number=number, shown=number, page=page, is_absent=True)

    def _check_count(self, count: int) -> None:
        if count > _MAX_CASES:
            raise UnexpectedAnswer(
                _("{recipe} lists more than {limit} cases", recipe=self._recipe.name, limit=_MAX_CASES)
            )
        if count > 1 and self._recipe.case.single:
            raise UnexpectedAnswer(
                _("{recipe} lists more than one case, but its recipe says `single = true`", recipe=self._recipe.name)
            )

    def _check_empty(self, cases: CaseList) -> None:
        """Raise `UnexpectedAnswer` for a list without a case, unless it may be empty."""
        if cases.absent or self._context.known_cases or not cases.expect:
            raise UnexpectedAnswer(
                _(
                    "{recipe}: cases.each {selector!r} finds no cases. An empty list is accepted only if "
                    "cases.expect is present and no case was ever seen",
                    recipe=self._recipe.name,
                    selector=cases.each.text,
                )
            )

    def _single(self) -> Iterator[ListedCase]:
        """Yield the one case of the account, with the number that its page shows."""
        number = next(iter(self._cases.values()), "")
        listed = ListedCase(number=number, shown=number)
        recipe, values = filled_for(self._recipe, number), self._values(listed)
        page = self._case_visit.case_page(recipe.case, values)
        listed = replace(listed, answer=page, taken=values)
        try:
            raise_if_case_missing(recipe, page, key_path=CASE)
        except CaseNotFound:
            yield from (listed,) if number else ()
            return
        shown = recipe.case.case_number.text_at(page) if recipe.case.case_number else number
        if not shown or not is_case_number(shown):
            raise UnexpectedAnswer(
                _("{recipe}: case.case_number finds no case number on the page of the case", recipe=self._recipe.name)
            )
        if not number or comparable_number(shown) == comparable_number(number):
            yield replace(listed, number=number or shown, shown=shown)

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
            snapshot, is_shown = read_case_or_pending(self._recipe, pages, listed.number)
            if not is_shown:
                self._check_not_gone(snapshot)
        except PortalUnavailable as error:
            if error.retry_after is not None or self._context.stop.is_set():
                raise
            return CaseFailed(case_number=listed.number, error=error)
        except OutOfTime:
            raise  # the other cases would take as long
        except (CaseNotFound, UnexpectedAnswer) as error:
            return CaseFailed(case_number=listed.number, error=error, answers=self._dump(listed, pages))
        return CaseRead(snapshot=snapshot, answers=self._dump(listed, pages))

    def _check_not_gone(self, snapshot: Snapshot) -> None:
        """Raise `CaseNotFound` for a case that the portal does not show, if it has shown it before."""
        before = self._visit.session.last_found.get(snapshot.case_number)
        if had_another_status(before, snapshot.status or ""):
            raise CaseNotFound(_("{recipe} no longer shows this case", recipe=self._recipe.name))

    def _values(self, listed: ListedCase) -> dict[str, str]:
        """Return the values of the placeholders that belong to one case."""
        return {**listed.taken, **self._parameters.of_case(listed.number), "case_number": listed.shown}

    def _dump(self, listed: ListedCase, pages: Mapping[str, Page]) -> RawAnswers:
        return dump_pages(self._recipe, pages, listed.number)

    def _pages(self, cases: CaseList) -> Iterator[Page]:
        if not cases.names_cases:
            yield from self._pages_of(cases, {})
            return
        numbers = [number for number in self._cases.values() if not self._context.is_finished(number)]
        for start in range(0, len(numbers), cases.at_once):
            asked = CaseNumbers(numbers[start : start + cases.at_once])
            yield from self._pages_of(cases, {CASE_NUMBERS: asked})

    def _pages_of(self, cases: CaseList, values: Values) -> Iterator[Page]:
        address: str | None = None
        visited: set[str] = set()
        for _page in range(cases.max_pages):
            page = self._visit.fetch(cases.request, values, address=address)
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
