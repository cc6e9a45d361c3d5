"""What each selector of a recipe finds on an answer, for whoever writes or repairs one. Pure.

What `take` takes may be a token and is never shown, only how long it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from watcher.errors import ReadFailed, UnexpectedAnswer
from watcher.model.case import Snapshot
from watcher.recipe.model import CaseList, Collection, Recipe, Step
from watcher.recipe.page.page import Page, PageLocation
from watcher.recipe.page.selectors import Selector
from watcher.recipe.run.kept_answers import CASE
from watcher.recipe.run.snapshot import locations, read_case, rows
from watcher.text.printable import clean

_LONGEST: Final = 200
_MOST: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectorResult:
    """What one key of the recipe came to. `wrong`: a read would fail here, or the selector cannot be applied.

    `stopped_by` is what ended the walk, on the last sight of one that came to no good end.
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
    """What the answer is, and what it says instead of what was asked for."""
    size = len(page.body)
    yield SelectorResult(key_path=key_path, note=f"HTTP {page.status}, {size} bytes from {page.url.partition('?')[0]}")
    if not page.ends_with(recipe.page_end):
        yield SelectorResult(
            key_path=key_path,
            note=f"the page has no {recipe.page_end}: it is cut off, or page_end is wrong",
            failed=True,
        )
    yield from _that_hold("unavailable.any", recipe.unavailable, page)
    for selector in expect:
        there = selector.is_present(page)
        yield SelectorResult(
            key_path=f"{key_path}.expect",
            selector=selector.text,
            note="there" if there else "missing",
            failed=not there,
        )


def inspect_step(recipe: Recipe, step: Step, page: Page) -> Iterator[SelectorResult]:
    """A step of the sign-in."""
    place = step.request.key_path
    yield from inspect_page(recipe, page, key_path=place, expect=step.expect)
    for key, selectors in (("rejected", step.rejected), ("locked", step.locked), ("person", step.person)):
        yield from _that_hold(f"{place}.{key}", selectors, page)
    yield from inspect_takes(place, step.take, page)


def inspect_list(recipe: Recipe, cases: CaseList, page: Page) -> Iterator[SelectorResult]:
    """A page of the list of cases: how many rows, and the first of them."""
    yield from _inspect_signed_in(recipe, page, key_path="cases", expect=cases.expect)
    found = _spots(cases.each, page)
    yield SelectorResult(key_path="cases.each", selector=cases.each.text, note=f"{len(found)} found", failed=not found)
    try:
        listed = list(rows(recipe, page))
    except UnexpectedAnswer as error:
        yield SelectorResult(
            key_path="cases.case_number", selector=cases.case_number.text, note=str(error), failed=True
        )
        return
    numbers = tuple(number for number, _ in listed)
    yield SelectorResult(
        key_path="cases.case_number", selector=cases.case_number.text, values=numbers[:_MOST], note=_more(numbers)
    )
    for _, spot in listed[:1]:
        yield from inspect_takes("cases", cases.take, spot)
    if cases.next:
        yield _sight("cases.next", cases.next, page)


def inspect_case(
    recipe: Recipe, pages: Mapping[str, Page], case_number: str, spot: PageLocation | None
) -> Iterator[SelectorResult]:
    """One case: every field, the first entries of its lists, and what it is read to. `spot`: its row, if it has one."""
    case = recipe.case
    if case.request is not None and CASE in pages:
        spot = pages[CASE]
        yield from _inspect_signed_in(recipe, pages[CASE], key_path=CASE, expect=case.expect)
        yield from inspect_takes(CASE, case.take, spot)
    if spot is None:
        return
    for key, selector in case.fields.items():
        yield _sight(f"case.fields.{key}", selector, spot, needed=key == "status")
    for collection in (*case.pending, *case.notices, *case.history):
        yield from _look_at_collection(recipe, collection, pages, spot)
    try:
        yield SelectorResult(key_path=CASE, note=f"{case_number}: {_told(read_case(recipe, pages, case_number))}")
    except ReadFailed as error:
        yield SelectorResult(key_path=CASE, note=f"{case_number} cannot be read: {error}", failed=True)


def inspect_takes(key_path: str, take: Mapping[str, Selector], spot: PageLocation) -> Iterator[SelectorResult]:
    """What `take` takes; how long it is, never what it is."""
    for name, selector in take.items():
        found = _words(selector, spot)
        note = f"taken, {len(found)} characters" if found else "nothing found"
        yield SelectorResult(key_path=f"{key_path}.take.{name}", selector=selector.text, note=note)


def _inspect_signed_in(
    recipe: Recipe, page: Page, *, key_path: str, expect: tuple[Selector, ...]
) -> Iterator[SelectorResult]:
    yield from _that_hold("signed_out.any", recipe.signed_out, page)
    yield from inspect_page(recipe, page, key_path=key_path, expect=expect)


def _look_at_collection(
    recipe: Recipe, collection: Collection, pages: Mapping[str, Page], spot: PageLocation
) -> Iterator[SelectorResult]:
    here: PageLocation | None = spot
    if collection.request is not None:
        page = here = pages.get(collection.key_path)
        if page is not None:
            yield from _inspect_signed_in(recipe, page, key_path=collection.key_path, expect=collection.expect)
    if here is None:
        return
    found = _spots(collection.each, here)
    yield SelectorResult(
        key_path=f"{collection.key_path}.each", selector=collection.each.text, note=f"{len(found)} found"
    )
    for one in found[:_MOST]:
        for key, selector in collection.fields.items():
            yield _sight(f"{collection.key_path}.{key}", selector, one, needed=key in {"id", "title"})


def _that_hold(key_path: str, selectors: tuple[Selector, ...], page: Page) -> Iterator[SelectorResult]:
    for selector in selectors:
        if selector.is_true(page):
            yield SelectorResult(key_path=key_path, selector=selector.text, note="holds here", failed=True)


def _sight(key_path: str, selector: Selector, spot: PageLocation, *, needed: bool = False) -> SelectorResult:
    try:
        found = selector.text_at(spot)
    except UnexpectedAnswer as error:
        return SelectorResult(key_path=key_path, selector=selector.text, note=str(error), failed=True)
    if found is None:
        return SelectorResult(key_path=key_path, selector=selector.text, note="nothing found", failed=needed)
    return SelectorResult(key_path=key_path, selector=selector.text, values=(_short(found),))


def _words(selector: Selector, spot: PageLocation) -> str | None:
    try:
        return selector.text_at(spot)
    except UnexpectedAnswer:
        return None


def _spots(each: Selector, spot: PageLocation) -> list[PageLocation]:
    try:
        return locations(each, spot)
    except UnexpectedAnswer:
        return []


def _told(snapshot: Snapshot) -> str:
    lists = (("pending", snapshot.pending), ("notices", snapshot.notices), ("history", snapshot.history))
    counts = ", ".join(f"{len(found)} {name}" for name, found in lists if found is not None)
    return clean(f"stage {snapshot.stage}" + (f", {counts}" if counts else ""))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"


def _more(found: tuple[str, ...]) -> str:
    return f"and {len(found) - _MOST} more" if len(found) > _MOST else "" if found else "nothing found"
