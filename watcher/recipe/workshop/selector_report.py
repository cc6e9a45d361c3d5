"""What each selector of a recipe finds on an answer, for a person who writes or repairs it. Pure.

A value from `take` may be a token, so only its length is shown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from watcher.errors import ReadFailed, UnexpectedAnswer
from watcher.messages import _, plural
from watcher.model.case import Snapshot
from watcher.recipe.filled import filled_for
from watcher.recipe.model import CaseList, Collection, Recipe, Step
from watcher.recipe.page.page import Page, PageLocation, readable_address
from watcher.recipe.page.selectors import Selector
from watcher.recipe.run.case_list import locations, odd_rows, rows
from watcher.recipe.run.kept_answers import CASE
from watcher.recipe.run.refusals import first_matching
from watcher.recipe.run.snapshot import read_case
from watcher.text.printable import clean

_MAX_LENGTH: Final = 200
_MAX_SHOWN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectorResult:
    """The result for one key of the recipe. `failed`: a check would fail here, or the selector cannot be applied.

    `stopped_by` is the error that ended the trial; it is set only on the last result.
    """

    key_path: str
    selector: str | None = None
    values: tuple[str, ...] = ()
    note: str = ""
    failed: bool = False
    stopped_by: ReadFailed | None = None


def inspect_page(
    recipe: Recipe, page: Page, *, key_path: str, expect: tuple[Selector, ...]
) -> Iterator[SelectorResult]:
    """Yield what the answer is, and whether it is the expected one."""
    yield SelectorResult(
        key_path=key_path,
        note=_(
            "HTTP {status}, {size} bytes from {address}",
            status=page.status,
            size=len(page.body),
            address=readable_address(page.url),
        ),
    )
    if not page.ends_with(recipe.page_end):
        yield SelectorResult(
            key_path=key_path,
            note=_(
                "the page does not end with {page_end}: it is incomplete, or page_end is wrong",
                page_end=recipe.page_end,
            ),
            failed=True,
        )
    yield from _matching("unavailable.any", recipe.unavailable, page)
    yield from _matching("blocked.any", recipe.blocked, page)
    for selector in expect:
        present = selector.is_present(page)
        yield SelectorResult(
            key_path=f"{key_path}.expect",
            selector=selector.text,
            note=_("found") if present else _("missing"),
            failed=not present,
        )


def inspect_step(recipe: Recipe, step: Step, page: Page) -> Iterator[SelectorResult]:
    """Yield the results of a sign-in step."""
    key_path = step.request.key_path
    yield from inspect_page(recipe, page, key_path=key_path, expect=step.expect)
    for key, selectors in (("rejected", step.rejected), ("locked", step.locked), ("person", step.person)):
        yield from _matching(f"{key_path}.{key}", selectors, page)
    yield from inspect_takes(key_path, step.take, page)


def inspect_list(recipe: Recipe, cases: CaseList, page: Page) -> Iterator[SelectorResult]:
    """Yield the results of a page of the list: the number of rows, and the first case numbers."""
    yield from _inspect_signed_in(recipe, page, key_path="cases", expect=cases.expect)
    entries = _entries(cases.each, page)
    yield SelectorResult(
        key_path="cases.each", selector=cases.each.text, note=_("{count} found", count=len(entries)), failed=not entries
    )
    try:
        listed = list(rows(recipe, page))
    except UnexpectedAnswer as error:
        yield SelectorResult(
            key_path="cases.case_number", selector=cases.case_number.text, note=str(error), failed=True
        )
        return
    numbers = tuple(number for number, _ in listed)
    yield SelectorResult(
        key_path="cases.case_number", selector=cases.case_number.text, values=numbers[:_MAX_SHOWN], note=_more(numbers)
    )
    for position in odd_rows(recipe, page):
        note = _("row {position}: not a case number; the other cases are checked", position=position)
        yield SelectorResult(key_path="cases.case_number", selector=cases.case_number.text, note=note, failed=True)
    for _number, location in listed[:1]:
        yield from inspect_takes("cases", cases.take, location)
    if cases.next:
        yield _field_result("cases.next", cases.next, page)


def inspect_case(
    recipe: Recipe, pages: Mapping[str, Page], case_number: str, location: PageLocation | None
) -> Iterator[SelectorResult]:
    """Yield the results of one case: all fields, the first entries of its lists, and the stage.

    `location` is its row of the list, if it has one.
    """
    recipe = filled_for(recipe, case_number)
    case = recipe.case
    if case.request is not None and CASE in pages:
        location = pages[CASE]
        if first_matching(case.not_found, location):
            yield from _inspect_missing(recipe, pages, case_number)
            return
        yield from _inspect_signed_in(recipe, pages[CASE], key_path=CASE, expect=case.expect)
        yield from inspect_takes(CASE, case.take, location)
    if location is None:
        return
    for key, selector in case.fields.items():
        yield _field_result(f"case.fields.{key}", selector, location, needed=key == "status")
    for part in case.more:
        if part.key_path in pages:
            page = pages[part.key_path]
            yield from _inspect_signed_in(recipe, page, key_path=part.key_path, expect=part.expect)
            for key, selector in part.fields.items():
                yield _field_result(f"{part.key_path}.fields.{key}", selector, page, needed=key == "status")
    for collection in case.collections:
        yield from _inspect_collection(recipe, collection, pages, location)
    yield _read_result(recipe, pages, case_number)


def _inspect_missing(recipe: Recipe, pages: Mapping[str, Page], case_number: str) -> Iterator[SelectorResult]:
    """Yield the results of an answer that says that the case is not there, or not yet."""
    page = pages[CASE]
    yield from inspect_page(recipe, page, key_path=CASE, expect=())
    for selector in recipe.case.not_found:
        if selector.is_true(page):
            yield SelectorResult(key_path="case.not_found", selector=selector.text, note=_("applies to this answer"))
    yield _read_result(recipe, pages, case_number)


def _read_result(recipe: Recipe, pages: Mapping[str, Page], case_number: str) -> SelectorResult:
    try:
        summary = _summary(read_case(recipe, pages, case_number))
        return SelectorResult(key_path=CASE, note=f"{case_number}: {summary}")
    except ReadFailed as error:
        return SelectorResult(
            key_path=CASE,
            note=_("cannot read {case_number}: {reason}", case_number=case_number, reason=error),
            failed=True,
        )


def inspect_takes(key_path: str, take: Mapping[str, Selector], location: PageLocation) -> Iterator[SelectorResult]:
    """Yield the length of each taken value, never the value."""
    for name, selector in take.items():
        value = _text_or_none(selector, location)
        note = plural("taken, {n} character", "taken, {n} characters", len(value)) if value else _("nothing found")
        yield SelectorResult(key_path=f"{key_path}.take.{name}", selector=selector.text, note=note)


def _inspect_signed_in(
    recipe: Recipe, page: Page, *, key_path: str, expect: tuple[Selector, ...]
) -> Iterator[SelectorResult]:
    yield from _matching("signed_out.any", recipe.signed_out, page)
    yield from inspect_page(recipe, page, key_path=key_path, expect=expect)


def _inspect_collection(
    recipe: Recipe, collection: Collection, pages: Mapping[str, Page], location: PageLocation
) -> Iterator[SelectorResult]:
    container: PageLocation | None = location
    if collection.request is not None:
        page = container = pages.get(collection.key_path)
        if page is not None:
            yield from _inspect_signed_in(recipe, page, key_path=collection.key_path, expect=collection.expect)
    if container is None:
        return
    entries = _entries(collection.each, container)
    yield SelectorResult(
        key_path=f"{collection.key_path}.each",
        selector=collection.each.text,
        note=_("{count} found", count=len(entries)),
    )
    for entry in entries[:_MAX_SHOWN]:
        for key, selector in collection.fields.items():
            yield _field_result(f"{collection.key_path}.{key}", selector, entry, needed=key in {"id", "title"})


def _matching(key_path: str, selectors: tuple[Selector, ...], page: Page) -> Iterator[SelectorResult]:
    for selector in selectors:
        if selector.is_true(page):
            yield SelectorResult(
                key_path=key_path, selector=selector.text, note=_("applies to this answer"), failed=True
            )


def _field_result(key_path: str, selector: Selector, location: PageLocation, *, needed: bool = False) -> SelectorResult:
    try:
        value = selector.text_at(location)
    except UnexpectedAnswer as error:
        return SelectorResult(key_path=key_path, selector=selector.text, note=str(error), failed=True)
    if value is None:
        return SelectorResult(key_path=key_path, selector=selector.text, note=_("nothing found"), failed=needed)
    return SelectorResult(key_path=key_path, selector=selector.text, values=(_shorten(value),))


def _text_or_none(selector: Selector, location: PageLocation) -> str | None:
    try:
        return selector.text_at(location)
    except UnexpectedAnswer:
        return None


def _entries(each: Selector, location: PageLocation) -> list[PageLocation]:
    try:
        return locations(each, location)
    except UnexpectedAnswer:
        return []


def _summary(snapshot: Snapshot) -> str:
    lists = (("pending", snapshot.pending), ("notices", snapshot.notices), ("history", snapshot.history))
    counts = [f"{len(entries)} {name}" for name, entries in lists if entries is not None]
    return clean(", ".join([_("stage {stage}", stage=snapshot.stage), *counts]))


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH - 1]}\N{HORIZONTAL ELLIPSIS}"


def _more(numbers: tuple[str, ...]) -> str:
    if not numbers:
        return _("nothing found")
    hidden = len(numbers) - _MAX_SHOWN
    return plural("and {n} more", "and {n} more", hidden) if hidden > 0 else ""
