"""What each selector of a recipe finds on an answer, for whoever writes or repairs one. Pure.

What `take` takes may be a token and is never shown, only how long it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from watcher.errors import ReadFailed, UnexpectedAnswer
from watcher.model.case import Snapshot
from watcher.recipe.model import CaseList, Collection, Recipe, Step
from watcher.recipe.page.page import Page, Spot
from watcher.recipe.page.selectors import Selector
from watcher.recipe.run.kept_answers import CASE
from watcher.recipe.run.snapshot import read_case, rows, spots_of
from watcher.text.printable import clean

_LONGEST: Final = 200
_MOST: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one key of the recipe came to. `wrong`: a read would fail here, or the selector cannot be applied.

    `stopped_by` is what ended the walk, on the last sight of one that came to no good end.
    """

    place: str
    selector: str | None = None
    found: tuple[str, ...] = ()
    note: str = ""
    wrong: bool = False
    stopped_by: ReadFailed | None = None


def look_at_page(recipe: Recipe, page: Page, *, place: str, expect: tuple[Selector, ...]) -> Iterator[Sight]:
    """What the answer is, and what it says instead of what was asked for."""
    size = len(page.body)
    yield Sight(place=place, note=f"HTTP {page.status}, {size} bytes from {page.url.partition('?')[0]}")
    if not page.ends_with(recipe.page_end):
        yield Sight(
            place=place, note=f"the page has no {recipe.page_end}: it is cut off, or page_end is wrong", wrong=True
        )
    yield from _that_hold("unavailable.any", recipe.unavailable, page)
    for selector in expect:
        there = selector.present(page)
        yield Sight(
            place=f"{place}.expect", selector=selector.text, note="there" if there else "missing", wrong=not there
        )


def look_at_step(recipe: Recipe, step: Step, page: Page) -> Iterator[Sight]:
    """A step of the sign-in."""
    place = step.request.place
    yield from look_at_page(recipe, page, place=place, expect=step.expect)
    for key, selectors in (("rejected", step.rejected), ("locked", step.locked), ("person", step.person)):
        yield from _that_hold(f"{place}.{key}", selectors, page)
    yield from look_at_takes(place, step.take, page)


def look_at_list(recipe: Recipe, cases: CaseList, page: Page) -> Iterator[Sight]:
    """A page of the list of cases: how many rows, and the first of them."""
    yield from _look_signed_in(recipe, page, place="cases", expect=cases.expect)
    found = _spots(cases.each, page)
    yield Sight(place="cases.each", selector=cases.each.text, note=f"{len(found)} found", wrong=not found)
    try:
        listed = list(rows(recipe, page))
    except UnexpectedAnswer as error:
        yield Sight(place="cases.case_number", selector=cases.case_number.text, note=str(error), wrong=True)
        return
    numbers = tuple(number for number, _ in listed)
    yield Sight(place="cases.case_number", selector=cases.case_number.text, found=numbers[:_MOST], note=_more(numbers))
    for _, spot in listed[:1]:
        yield from look_at_takes("cases", cases.take, spot)
    if cases.next:
        yield _sight("cases.next", cases.next, page)


def look_at_case(recipe: Recipe, pages: Mapping[str, Page], case_number: str, spot: Spot | None) -> Iterator[Sight]:
    """One case: every field, the first entries of its lists, and what it is read to. `spot`: its row, if it has one."""
    case = recipe.case
    if case.request is not None and CASE in pages:
        spot = pages[CASE]
        yield from _look_signed_in(recipe, pages[CASE], place=CASE, expect=case.expect)
        yield from look_at_takes(CASE, case.take, spot)
    if spot is None:
        return
    for key, selector in case.fields.items():
        yield _sight(f"case.fields.{key}", selector, spot, needed=key == "status")
    for collection in (*case.pending, *case.notices, *case.history):
        yield from _look_at_collection(recipe, collection, pages, spot)
    try:
        yield Sight(place=CASE, note=f"{case_number}: {_told(read_case(recipe, pages, case_number))}")
    except ReadFailed as error:
        yield Sight(place=CASE, note=f"{case_number} cannot be read: {error}", wrong=True)


def look_at_takes(place: str, take: Mapping[str, Selector], spot: Spot) -> Iterator[Sight]:
    """What `take` takes; how long it is, never what it is."""
    for name, selector in take.items():
        found = _words(selector, spot)
        note = f"taken, {len(found)} characters" if found else "nothing found"
        yield Sight(place=f"{place}.take.{name}", selector=selector.text, note=note)


def _look_signed_in(recipe: Recipe, page: Page, *, place: str, expect: tuple[Selector, ...]) -> Iterator[Sight]:
    yield from _that_hold("signed_out.any", recipe.signed_out, page)
    yield from look_at_page(recipe, page, place=place, expect=expect)


def _look_at_collection(
    recipe: Recipe, collection: Collection, pages: Mapping[str, Page], spot: Spot
) -> Iterator[Sight]:
    here: Spot | None = spot
    if collection.request is not None:
        page = here = pages.get(collection.place)
        if page is not None:
            yield from _look_signed_in(recipe, page, place=collection.place, expect=collection.expect)
    if here is None:
        return
    found = _spots(collection.each, here)
    yield Sight(place=f"{collection.place}.each", selector=collection.each.text, note=f"{len(found)} found")
    for one in found[:_MOST]:
        for key, selector in collection.fields.items():
            yield _sight(f"{collection.place}.{key}", selector, one, needed=key in {"id", "title"})


def _that_hold(place: str, selectors: tuple[Selector, ...], page: Page) -> Iterator[Sight]:
    for selector in selectors:
        if selector.holds(page):
            yield Sight(place=place, selector=selector.text, note="holds here", wrong=True)


def _sight(place: str, selector: Selector, spot: Spot, *, needed: bool = False) -> Sight:
    try:
        found = selector.words(spot)
    except UnexpectedAnswer as error:
        return Sight(place=place, selector=selector.text, note=str(error), wrong=True)
    if found is None:
        return Sight(place=place, selector=selector.text, note="nothing found", wrong=needed)
    return Sight(place=place, selector=selector.text, found=(_short(found),))


def _words(selector: Selector, spot: Spot) -> str | None:
    try:
        return selector.words(spot)
    except UnexpectedAnswer:
        return None


def _spots(each: Selector, spot: Spot) -> list[Spot]:
    try:
        return spots_of(each, spot)
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
