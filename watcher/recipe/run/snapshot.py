"""The answers about one case to a `Snapshot`. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Final, TypeVar
from urllib.parse import urlsplit

from watcher.errors import CaseNotFound, PortalUnavailable, SessionEnded, UnexpectedAnswer
from watcher.http.hosts import host_of
from watcher.language.status_meaning import meaning_of
from watcher.model.case import HistoryEntry, ItemKind, ItemState, Notice, PendingItem, Snapshot, Stage
from watcher.portal import RawAnswers
from watcher.recipe.model import Collection, Recipe, comparable_text
from watcher.recipe.page.page import Page, PageLocation
from watcher.recipe.page.selectors import Selector
from watcher.recipe.run.kept_answers import CASE, LIST, load_pages
from watcher.recipe.run.refusals import (
    check_expected,
    raise_if_case_missing,
    raise_if_signed_out,
    raise_if_unavailable,
    raise_if_unexpected,
)

VOCABULARY: Final = "general"
_NO: Final = frozenset({"", "false", "0"})
_ASKING: Final = {
    Stage.EVIDENCE_REQUESTED: ItemKind.RFE,
    Stage.BIOMETRICS: ItemKind.BIOMETRICS,
    Stage.INTERVIEW: ItemKind.INTERVIEW,
}
_T = TypeVar("_T", PendingItem, Notice, HistoryEntry)


def read(answers: RawAnswers, _language: str) -> Snapshot:
    """One case out of its kept answers, in the recipe's language. Raises `UnexpectedAnswer` or `CaseNotFound`."""
    recipe, pages, case_number = load_pages(answers)
    try:
        for page in pages.values():
            raise_if_unavailable(recipe, page)
            raise_if_signed_out(recipe, page)
    except (PortalUnavailable, SessionEnded) as shown:
        raise UnexpectedAnswer(str(shown)) from None
    return read_case(recipe, pages, case_number)


def read_case(recipe: Recipe, pages: Mapping[str, Page], case_number: str) -> Snapshot:
    """One case out of its pages: that of the list or of the case, and those of its collections by their place.

    Raises `UnexpectedAnswer` where the pages are not those that the recipe was written for, `CaseNotFound` where they
    do not hold the case. Pages that show a portal which is down, or nobody signed in, must not come here.
    """
    spot = _case_spot(recipe, pages, case_number)
    fields = _Fields(recipe, spot)
    status = fields.text("status")
    if status is None:
        raise UnexpectedAnswer(
            f"{recipe.name}: {fields.key_path('status')} finds nothing, and a case always has a status"
        )
    snapshot = Snapshot(
        case_number=case_number,
        language=recipe.language,
        form=fields.text("form"),
        title=fields.text("title"),
        status=status,
        description=fields.text("description"),
        status_since=fields.day("status_since"),
        submitted_on=fields.day("submitted_on"),
        updated_at=fields.moment("updated_at"),
        office=fields.text("office"),
    )
    return _with_collections(recipe, pages, spot, replace(snapshot, stage=_stage(recipe, snapshot)))


def rows(recipe: Recipe, page: Page) -> Iterator[tuple[str, PageLocation]]:
    """The cases on a page of the list, each with its case number; rows without one are headings.

    Raises `UnexpectedAnswer` where there are rows and none has a number, or one is no case number.
    """
    if recipe.cases is None:
        return
    found = locations(recipe.cases.each, page)
    numbers = [recipe.cases.case_number.text_at(spot) for spot in found]
    if found and not any(numbers):
        raise UnexpectedAnswer(
            f"{recipe.name}: cases.case_number {recipe.cases.case_number.text!r} finds nothing in any row"
        )
    for number, spot in zip(numbers, found, strict=True):
        if number is not None:
            yield _sane(recipe, number), spot


def locations(each: Selector, spot: PageLocation) -> list[PageLocation]:
    """What `each` finds, one by one; a JSON list that was selected as a whole is taken apart."""
    found = each.all(spot)
    return found[0].items() if len(found) == 1 else found


def _sane(recipe: Recipe, number: str) -> str:
    """A case number is short, has a digit, and is made of letters, digits and what divides them."""
    plain = all(sign.isalnum() or sign in " -_./:#()" for sign in number)
    if not plain or len(number) > 64 or not any(sign.isdigit() for sign in number):  # noqa: PLR2004 - see the docstring
        raise UnexpectedAnswer(f"{recipe.name}: what cases.case_number finds is no case number")
    return number


def comparable_number(number: str) -> str:
    """The form in which case numbers are compared: without spaces and dashes, in one case."""
    return "".join(sign for sign in number if sign.isalnum()).casefold()


def _case_spot(recipe: Recipe, pages: Mapping[str, Page], case_number: str) -> PageLocation:
    if recipe.case.request is None:
        return _row(recipe, pages.get(LIST), case_number)
    page = pages.get(CASE)
    if page is None:
        raise UnexpectedAnswer(f"{recipe.name}: there is no answer about the case")
    raise_if_case_missing(recipe, page, key_path="case", expect=recipe.case.expect)
    _check_number(recipe, page, case_number)
    return page


def _row(recipe: Recipe, page: Page | None, case_number: str) -> PageLocation:
    if page is None or recipe.cases is None:
        raise UnexpectedAnswer(f"{recipe.name}: there is no answer with the list of cases")
    raise_if_unexpected(recipe, page, key_path="cases", expect=recipe.cases.expect)
    for number, spot in rows(recipe, page):
        if comparable_number(number) == comparable_number(case_number):
            check_expected(recipe, spot, key_path="case", expect=recipe.case.expect)
            return spot
    raise CaseNotFound(f"{recipe.name} no longer lists this case")


def _check_number(recipe: Recipe, page: Page, case_number: str) -> None:
    selector = recipe.case.case_number
    if selector and comparable_number(selector.text_at(page) or "") != comparable_number(case_number):
        raise UnexpectedAnswer(f"{recipe.name}: case.case_number {selector.text!r} does not find the case asked for")


def _stage(recipe: Recipe, snapshot: Snapshot) -> Stage:
    status = snapshot.status or ""
    known = recipe.case.stages.get(comparable_text(status))
    return known or meaning_of(status, vocabulary=VOCABULARY, description=snapshot.description).stage


class _Fields:
    """The fields at one place, each by its selector; errors name the key and the selector, never what was found."""

    def __init__(
        self, recipe: Recipe, spot: PageLocation, fields: Mapping[str, Selector] | None = None, at: str = "case.fields"
    ) -> None:
        self._recipe, self._spot, self._at = recipe, spot, at
        self._fields = recipe.case.fields if fields is None else fields

    def key_path(self, key: str) -> str:
        return f"{self._at}.{key} {self._fields[key].text!r}"

    def text(self, key: str) -> str | None:
        selector = self._fields.get(key)
        try:
            return None if selector is None else selector.text_at(self._spot)
        except UnexpectedAnswer as error:
            raise UnexpectedAnswer(f"{self._recipe.name}: {self._at}.{key} {error}") from None

    def needed(self, key: str) -> str | None:
        """As `text`, for a key that the recipe may leave out but which then must be everywhere."""
        text = self.text(key)
        if text is None and key in self._fields:
            raise UnexpectedAnswer(f"{self._recipe.name}: {self.key_path(key)} finds nothing")
        return text

    def moment(self, key: str) -> datetime | date | None:
        return self._date(key, self._recipe.case.dates.parse)

    def day(self, key: str) -> date | None:
        return self._date(key, self._recipe.case.dates.parse_day)

    def _date(self, key: str, read_date: Callable[[str], date | None]) -> date | None:
        text = self.text(key)
        try:
            return None if text is None else read_date(text)
        except ValueError as error:
            raise UnexpectedAnswer(f"{self._recipe.name}: {self.key_path(key)} finds no date: {error}") from None


def _with_collections(recipe: Recipe, pages: Mapping[str, Page], spot: PageLocation, snapshot: Snapshot) -> Snapshot:
    case = recipe.case
    reading = _Collections(recipe, pages, spot)
    pending = reading.all(case.pending, reading.pending)
    return replace(
        snapshot,
        pending=_asked(recipe, snapshot) if pending is None else pending,
        notices=reading.all(case.notices, reading.notice),
        history=reading.all(case.history, reading.history),
    )


def _asked(recipe: Recipe, snapshot: Snapshot) -> tuple[PendingItem, ...] | None:
    """What a status asks for by the recipe's own table of stages, where the recipe lists no pending items.

    Statuses that the built-in rules know are left to them. An empty tuple lets an item of an earlier status go.
    """
    if not _ASKING.keys() & set(recipe.case.stages.values()):
        return None
    status = snapshot.status or ""
    kind = _ASKING.get(snapshot.stage)
    if (
        kind is None
        or comparable_text(status) not in recipe.case.stages
        or meaning_of(status, vocabulary=VOCABULARY).asks
    ):
        return ()
    return (PendingItem(key=f"asked:{kind}", kind=kind, title=status),)


class _Collections:
    """The lists within a case."""

    def __init__(self, recipe: Recipe, pages: Mapping[str, Page], spot: PageLocation) -> None:
        self._recipe, self._pages, self._spot = recipe, pages, spot

    def all(
        self, collections: tuple[Collection, ...], make: Callable[[Collection, _Fields], _T]
    ) -> tuple[_T, ...] | None:
        """The entries of all collections of one kind, by key; None where the recipe has none."""
        if not collections:
            return None
        entries: list[_T] = []
        for place, collection in enumerate(collections):
            for one in self._spots(collection):
                entry = make(collection, _Fields(self._recipe, one, collection.fields, collection.key_path))
                entries.append(replace(entry, key=f"{place}:{entry.key}") if place else entry)
        return _keyed(entries)

    def pending(self, collection: Collection, fields: _Fields) -> PendingItem:
        title, starts_at = fields.needed("title") or "", fields.moment("starts_at")
        kind = _kind(collection, fields.text("kind"), title, at_a_time=starts_at is not None)
        return PendingItem(
            key=fields.needed("id") or f"{kind}:{comparable_text(title)}",
            kind=kind,
            title=title,
            description=fields.text("description"),
            due_on=fields.day("due_on"),
            starts_at=starts_at,
            place=fields.text("place"),
            state=ItemState.OPEN if comparable_text(fields.text("answered") or "") in _NO else ItemState.ANSWERED,
        )

    def notice(self, _collection: Collection, fields: _Fields) -> Notice:
        title, dated = fields.needed("title") or "", fields.day("dated")
        key = fields.needed("id") or f"{dated}:{comparable_text(title)}"
        return Notice(key=key, title=title, dated=dated, download=self._download(fields.text("download")))

    def history(self, _collection: Collection, fields: _Fields) -> HistoryEntry:
        title, at = fields.needed("title") or "", fields.moment("at")
        key = fields.needed("id") or f"{at.isoformat() if at else at}:{comparable_text(title)}"
        return HistoryEntry(key=key, title=title, at=at, code=fields.text("code"))

    def _spots(self, collection: Collection) -> list[PageLocation]:
        if collection.request is None:
            check_expected(self._recipe, self._spot, key_path=collection.key_path, expect=collection.expect)
            return locations(collection.each, self._spot)
        page = self._pages.get(collection.key_path)
        if page is None:
            raise UnexpectedAnswer(f"{self._recipe.name}: there is no answer to {collection.key_path}")
        raise_if_unexpected(self._recipe, page, key_path=collection.key_path, expect=collection.expect)
        return locations(collection.each, page)

    def _download(self, address: str | None) -> str | None:
        """A path on the portal, or an address on one of its other hosts; None for anything else."""
        if address is None or address.startswith("/"):
            return None if address is None or address.startswith("//") else address
        try:
            target, here = urlsplit(address), urlsplit(self._spot.page.url)
        except ValueError:
            return None
        if (target.scheme, target.netloc) == (here.scheme, here.netloc):
            return target._replace(scheme="", netloc="", fragment="").geturl()
        known = self._recipe.hosts | {host_of(self._recipe.base_url)}
        return address if target.scheme == "https" and target.hostname in known else None


def _kind(collection: Collection, text: str | None, title: str, *, at_a_time: bool) -> ItemKind:
    if (named := comparable_text(text or "")) in collection.kinds:
        return collection.kinds[named]
    for said in (named, comparable_text(title)):
        if said.replace(" ", "_") in set(ItemKind):
            return ItemKind(said.replace(" ", "_"))
    meant = meaning_of(text or title, vocabulary=VOCABULARY).asks or meaning_of(title, vocabulary=VOCABULARY).asks
    return meant or (ItemKind.APPOINTMENT if at_a_time else ItemKind.TASK)


def _keyed(entries: list[_T]) -> tuple[_T, ...]:
    """Ordered by key. The same entry twice on a page is one; different ones of the same key are numbered."""
    keyed: dict[str, _T] = {}
    for entry in sorted(dict.fromkeys(entries), key=repr):
        key, number = entry.key, 1
        while key in keyed:
            number += 1
            key = f"{entry.key}#{number}"
        keyed[key] = replace(entry, key=key)
    return tuple(keyed[key] for key in sorted(keyed))
