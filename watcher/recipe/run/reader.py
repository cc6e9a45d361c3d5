"""One read of one account by its recipe: page through the list, fetch every case, read them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from watcher.errors import CaseNotFound, PortalUnavailable, ReadFailed, UnexpectedAnswer
from watcher.model.case import Notice, Snapshot
from watcher.portal import CaseFailed, CaseRead, CaseResult, CaseResults, Download, PortalContext, RawAnswers
from watcher.recipe.model import CaseList, Recipe
from watcher.recipe.page.page import Page, PageLocation
from watcher.recipe.page.selectors import Selector
from watcher.recipe.run.addresses import address_from
from watcher.recipe.run.kept_answers import CASE, LIST, dump_pages
from watcher.recipe.run.last_found import found_in, lost_selectors
from watcher.recipe.run.refusals import raise_if_case_missing, raise_if_unexpected
from watcher.recipe.run.snapshot import comparable_number, read_case, rows
from watcher.recipe.run.visit import Visit

_MOST_CASES: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCase:
    """A case on the list, `shown` as the portal writes its number and `number` as the account does.

    `page` is the one it stands on, None where the recipe has no list.
    """

    number: str
    shown: str
    page: Page | None = None
    taken: Mapping[str, str] = field(default_factory=dict)


class RecipeReader:
    """Reads one account; a `watcher.portals.Reader`."""

    def __init__(self, recipe: Recipe, visit: Visit, surroundings: PortalContext, *, cases: tuple[str, ...]) -> None:
        """`cases` is the account's filter; empty: all."""
        self._recipe, self._visit, self._surroundings = recipe, visit, surroundings
        self._cases = {comparable_number(number): number for number in cases}

    def read(self) -> CaseResults:
        """Every case that the list shows and the filter lets through, as `watcher.portals.Reader` promises.

        They are handed on when all are there: that a selector finds nothing in any case is known only at the end.
        Where the read breaks off, what was read well comes first, and then what broke it.
        """
        readings: list[CaseResult] = []
        broken: ReadFailed | None = None
        try:
            readings.extend(self._readings())
        except ReadFailed as error:
            broken = error
        self._visit.save()
        self._compare([reading.snapshot for reading in readings if isinstance(reading, CaseRead)])
        yield from readings
        if broken is not None:
            raise broken

    def download(self, notice: Notice, *, max_bytes: int) -> Download:
        """The document of a notice, as `watcher.portals.Downloads` promises."""
        return self._visit.download(notice.download or "", max_bytes=max_bytes)

    def listed(self) -> Iterator[ListedCase]:
        """The cases to read, each once. Raises `UnexpectedAnswer` where the list is not what it should be."""
        if self._recipe.cases is None:
            yield from (ListedCase(number=number, shown=number) for number in self._cases.values())
            return
        seen: set[str] = set()
        for page in self._pages(self._recipe.cases):
            for number, spot in rows(self._recipe, page):
                key = comparable_number(number)
                if key not in seen and (not self._cases or key in self._cases):
                    yield ListedCase(
                        number=self._cases.get(key, number), shown=number, page=page, taken=self._taken(spot)
                    )
                seen.add(key)
            if len(seen) > _MOST_CASES:
                raise UnexpectedAnswer(f"{self._recipe.name} lists more than {_MOST_CASES} cases")
        if not seen and (self._surroundings.known_cases or not self._recipe.cases.expect):
            raise UnexpectedAnswer(
                f"{self._recipe.name}: cases.each {self._recipe.cases.each.text!r} finds no case at all. An empty list "
                "is believed only where cases.expect is there and no case was ever seen"
            )

    def fetch(self, listed: ListedCase, pages: dict[str, Page]) -> None:
        """Fills in the pages of one case, each as it comes, so that a strange one can be kept. Raises `ReadFailed`."""
        case, values = self._recipe.case, {**listed.taken, "case_number": listed.shown}
        if case.request is not None:
            page = pages[CASE] = self._visit.fetch(case.request, values)
            raise_if_case_missing(self._recipe, page, key_path=CASE, expect=case.expect)
            values |= _found(case.take, page)
        elif listed.page is not None:
            pages[LIST] = listed.page
        for part in (*case.pending, *case.notices, *case.history):
            if part.request is not None:
                pages[part.key_path] = self._visit.fetch(part.request, values)

    def _readings(self) -> Iterator[CaseResult]:
        was_down = False
        for listed in list(self.listed()):
            reading = self._read(listed)
            yield reading
            is_down = isinstance(reading, CaseFailed) and isinstance(reading.error, PortalUnavailable)
            if isinstance(reading, CaseFailed) and is_down and was_down:
                raise reading.error  # twice in a row: it is the portal, not the case
            was_down = is_down

    def _read(self, listed: ListedCase) -> CaseResult:
        pages: dict[str, Page] = {}
        try:
            self.fetch(listed, pages)
            snapshot = read_case(self._recipe, pages, listed.number)
        except PortalUnavailable as error:
            if error.retry_after is not None or self._surroundings.stop.is_set():
                raise
            return CaseFailed(case_number=listed.number, error=error)
        except (CaseNotFound, UnexpectedAnswer) as error:
            return CaseFailed(case_number=listed.number, error=error, answers=self._kept(listed, pages))
        return CaseRead(snapshot=snapshot, answers=self._kept(listed, pages))

    def _kept(self, listed: ListedCase, pages: Mapping[str, Page]) -> RawAnswers:
        return dump_pages(self._recipe, pages, listed.number, secrets=self._visit.secrets)

    def _pages(self, cases: CaseList) -> Iterator[Page]:
        address: str | None = None
        visited: set[str] = set()
        for _ in range(cases.max_pages):
            page = self._visit.fetch(cases.request, {}, address=address)
            raise_if_unexpected(self._recipe, page, key_path="cases", expect=cases.expect)
            yield page
            address = self._next(cases, page)
            if address is None or address in visited or address == page.url:
                return
            visited.add(address)
        raise UnexpectedAnswer(f"{self._recipe.name} lists its cases on more than {cases.max_pages} pages")

    def _next(self, cases: CaseList, page: Page) -> str | None:
        """Where the next page is, or None on the last one."""
        if cases.next is None or not cases.next.is_true(page):
            return None
        found = cases.next.text_at(page)
        if found is None:
            return None
        if cases.next_address is not None:
            return self._visit.address(cases.next_address, {"next": found})
        return address_from(page.url, found)

    def _taken(self, spot: PageLocation) -> dict[str, str]:
        return {} if self._recipe.cases is None else _found(self._recipe.cases.take, spot)

    def _compare(self, snapshots: list[Snapshot]) -> None:
        found = found_in(snapshots)
        if gone := lost_selectors(self._recipe, self._visit.session.last_found, found):
            raise UnexpectedAnswer(
                f"{self._recipe.name}: what the last good read found is found in no case now: {', '.join(gone)}. "
                "The portal may have changed; see `watcher recipe try`"
            )
        if found:
            self._visit.remember(found)


def _found(take: Mapping[str, Selector], spot: PageLocation) -> dict[str, str]:
    found = {name: selector.text_at(spot) for name, selector in take.items()}
    return {name: words for name, words in found.items() if words is not None}
