"""The answers about one case, as a `Snapshot`. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Final, TypeVar
from urllib.parse import urlsplit

from watcher.errors import CaseNotFound, PortalUnavailable, SessionEnded, UnexpectedAnswer
from watcher.http.hosts import host_of
from watcher.language.status_meaning import meaning_of
from watcher.messages import _
from watcher.model.appointment_time import appointment_time
from watcher.model.case import (
    PORTAL_ITEM_KINDS,
    STATUS_SOURCE,
    HistoryEntry,
    ItemKind,
    ItemState,
    Notice,
    PendingItem,
    Snapshot,
    Stage,
)
from watcher.portal import RawAnswers
from watcher.recipe.model import Collection, Recipe, comparable_text
from watcher.recipe.page.page import Page, PageLocation, Value
from watcher.recipe.page.selectors import Selector
from watcher.recipe.run.case_list import comparable_number, locations, rows
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
_ITEM_OF_STAGE: Final = {
    Stage.EVIDENCE_REQUESTED: ItemKind.RFE,
    Stage.BIOMETRICS: ItemKind.BIOMETRICS,
    Stage.INTERVIEW: ItemKind.INTERVIEW,
}
_T = TypeVar("_T", PendingItem, Notice, HistoryEntry)


def read(answers: RawAnswers, _language: str) -> Snapshot:
    """Parse the raw answers about one case. Raises `UnexpectedAnswer` or `CaseNotFound`."""
    recipe, pages, case_number = load_pages(answers)
    try:
        for page in pages.values():
            raise_if_unavailable(recipe, page)
            raise_if_signed_out(recipe, page)
    except (PortalUnavailable, SessionEnded) as error:
        raise UnexpectedAnswer(str(error)) from None
    return read_case(recipe, pages, case_number)


def read_case(recipe: Recipe, pages: Mapping[str, Page], case_number: str) -> Snapshot:
    """Parse the pages of one case: that of the list or of the case, and those of its collections by `key_path`.

    Raises `UnexpectedAnswer` if the recipe does not fit the pages, `CaseNotFound` if they lack the case. The caller
    must have checked that the portal is available and the session has not ended.
    """
    location = _case_location(recipe, pages, case_number)
    fields = _Fields(recipe, location)
    status = fields.text("status")
    if status is None:
        name, key = recipe.name, fields.key_path("status")
        raise UnexpectedAnswer(_("{recipe}: {key} finds nothing, but every case has a status", recipe=name, key=key))
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
    return _with_collections(recipe, pages, location, replace(snapshot, stage=_stage(recipe, snapshot)))


def _case_location(recipe: Recipe, pages: Mapping[str, Page], case_number: str) -> PageLocation:
    if recipe.case.request is None:
        return _row(recipe, pages.get(LIST), case_number)
    page = pages.get(CASE)
    if page is None:
        raise UnexpectedAnswer(_("{recipe}: there is no answer about the case", recipe=recipe.name))
    raise_if_case_missing(recipe, page, key_path="case", expect=recipe.case.expect)
    _check_number(recipe, page, case_number)
    return page


def _row(recipe: Recipe, page: Page | None, case_number: str) -> PageLocation:
    if page is None or recipe.cases is None:
        raise UnexpectedAnswer(_("{recipe}: there is no answer with the list of cases", recipe=recipe.name))
    raise_if_unexpected(recipe, page, key_path="cases", expect=recipe.cases.expect)
    for number, location in rows(recipe, page):
        if comparable_number(number) == comparable_number(case_number):
            check_expected(recipe, location, key_path="case", expect=recipe.case.expect)
            return location
    raise CaseNotFound(_("{recipe} no longer lists this case", recipe=recipe.name))


def _check_number(recipe: Recipe, page: Page, case_number: str) -> None:
    selector = recipe.case.case_number
    if selector and comparable_number(selector.text_at(page) or "") != comparable_number(case_number):
        fields = {"recipe": recipe.name, "selector": selector.text}
        raise UnexpectedAnswer(_("{recipe}: case.case_number {selector!r} does not find the requested case", **fields))


def _stage(recipe: Recipe, snapshot: Snapshot) -> Stage:
    status = snapshot.status or ""
    known = recipe.case.stages.get(comparable_text(status))
    return known or meaning_of(status, vocabulary=VOCABULARY, description=snapshot.description).stage


class _Fields:
    """The fields at one location. Errors name the key and its selector, never the content."""

    def __init__(
        self,
        recipe: Recipe,
        location: PageLocation,
        fields: Mapping[str, Selector] | None = None,
        key_path: str = "case.fields",
    ) -> None:
        self._recipe, self._location, self._key_path = recipe, location, key_path
        self._fields = recipe.case.fields if fields is None else fields

    def key_path(self, key: str) -> str:
        return f"{self._key_path}.{key} {self._fields[key].text!r}"

    def text(self, key: str) -> str | None:
        selector = self._fields.get(key)
        try:
            if selector is None or (key != "answered" and _is_boolean(selector.first(self._location))):
                return None
            return selector.text_at(self._location)
        except UnexpectedAnswer as error:
            raise UnexpectedAnswer(f"{self._recipe.name}: {self._key_path}.{key} {error}") from None

    def needed(self, key: str) -> str | None:
        """Return a text that must exist if the recipe has the key."""
        text = self.text(key)
        if text is None and key in self._fields:
            raise UnexpectedAnswer(_("{recipe}: {key} finds nothing", recipe=self._recipe.name, key=self.key_path(key)))
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
            fields = {"recipe": self._recipe.name, "key": self.key_path(key), "reason": error}
            raise UnexpectedAnswer(_("{recipe}: {key} is not a date: {reason}", **fields)) from None


def _with_collections(
    recipe: Recipe, pages: Mapping[str, Page], location: PageLocation, snapshot: Snapshot
) -> Snapshot:
    case = recipe.case
    collections = _Collections(recipe, pages, location)
    pending = collections.all(case.pending, collections.pending)
    asked = _status_items(recipe, snapshot)
    lists = (*case.pending, *case.notices, *case.history)
    return replace(
        snapshot,
        answered_sources=frozenset(collection.key_path for collection in lists),
        pending=None if pending is None and asked is None else (*(pending or ()), *(asked or ())),
        notices=collections.all(case.notices, collections.notice),
        history=collections.all(case.history, collections.history),
    )


def _status_items(recipe: Recipe, snapshot: Snapshot) -> tuple[PendingItem, ...] | None:
    """Return the item that a status implies by the recipe's table of stages; None if the table implies none at all.

    Statuses that the built-in rules know are left to them.
    """
    if not _ITEM_OF_STAGE.keys() & set(recipe.case.stages.values()):
        return None
    status = snapshot.status or ""
    kind = _ITEM_OF_STAGE.get(snapshot.stage)
    if (
        kind is None
        or comparable_text(status) not in recipe.case.stages
        or meaning_of(status, vocabulary=VOCABULARY).asks
    ):
        return ()
    since = snapshot.status_since
    key = f"asked:{kind}" + (f":{since}" if since else "")
    return (PendingItem(key=key, kind=kind, title=status, asked_on=since, sources=frozenset({STATUS_SOURCE})),)


class _Collections:
    """The lists within a case."""

    def __init__(self, recipe: Recipe, pages: Mapping[str, Page], location: PageLocation) -> None:
        self._recipe, self._pages, self._location = recipe, pages, location

    def all(
        self, collections: tuple[Collection, ...], make: Callable[[Collection, _Fields], _T]
    ) -> tuple[_T, ...] | None:
        """Return the entries of all collections of one kind, by key; None if the recipe has none."""
        if not collections:
            return None
        entries: list[_T] = []
        for index, collection in enumerate(collections):
            for location in self._entries(collection):
                entry = make(collection, _Fields(self._recipe, location, collection.fields, collection.key_path))
                entries.append(replace(entry, key=f"{index}:{entry.key}") if index else entry)
        return _with_unique_keys(entries)

    def pending(self, collection: Collection, fields: _Fields) -> PendingItem:
        title, stamp, own_id = fields.needed("title") or "", fields.moment("starts_at"), fields.needed("id")
        kind = _kind(collection, fields.text("kind"), title, at_a_time=stamp is not None)
        return PendingItem(
            key=own_id or f"{kind}:{comparable_text(title)}",
            kind=kind,
            title=title,
            description=fields.text("description"),
            due_on=fields.day("due_on"),
            starts_at=None if stamp is None else appointment_time(stamp),
            place=fields.text("place"),
            state=ItemState.OPEN if comparable_text(fields.text("answered") or "") in _NO else ItemState.ANSWERED,
            portal_id=own_id,
            sources=frozenset({collection.key_path}),
        )

    def notice(self, collection: Collection, fields: _Fields) -> Notice:
        title, dated = fields.needed("title") or "", fields.day("dated")
        key = fields.needed("id") or f"{dated}:{comparable_text(title)}"
        download = self._download(fields.text("download"))
        return Notice(key=key, title=title, dated=dated, download=download, source=collection.key_path)

    def history(self, collection: Collection, fields: _Fields) -> HistoryEntry:
        title, at = fields.needed("title") or "", fields.moment("at")
        key = fields.needed("id") or f"{at.isoformat() if at else at}:{comparable_text(title)}"
        return HistoryEntry(key=key, title=title, at=at, code=fields.text("code"), source=collection.key_path)

    def _entries(self, collection: Collection) -> list[PageLocation]:
        if collection.request is None:
            check_expected(self._recipe, self._location, key_path=collection.key_path, expect=collection.expect)
            return locations(collection.each, self._location)
        page = self._pages.get(collection.key_path)
        if page is None:
            raise UnexpectedAnswer(
                _("{recipe}: there is no answer to {key_path}", recipe=self._recipe.name, key_path=collection.key_path)
            )
        raise_if_unexpected(self._recipe, page, key_path=collection.key_path, expect=collection.expect)
        return locations(collection.each, page)

    def _download(self, address: str | None) -> str | None:
        """Return a path on the portal or an address on one of its other hosts; None for anything else."""
        if address is None or address.startswith("/"):
            return None if address is None or address.startswith("//") else address
        try:
            target, page = urlsplit(address), urlsplit(self._location.page.url)
        except ValueError:
            return None
        if (target.scheme, target.netloc) == (page.scheme, page.netloc):
            return target._replace(scheme="", netloc="", fragment="").geturl()
        hosts = self._recipe.hosts | {host_of(self._recipe.base_url)}
        return address if target.scheme == "https" and target.hostname in hosts else None


def _is_boolean(location: PageLocation | None) -> bool:
    """Return whether JSON has true or false here, which says nothing where a text belongs."""
    return isinstance(location, Value) and isinstance(location.json, bool)


def _kind(collection: Collection, text: str | None, title: str, *, at_a_time: bool) -> ItemKind:
    if (named := comparable_text(text or "")) in collection.kinds:
        return collection.kinds[named]
    for name in (named, comparable_text(title)):
        if name.replace(" ", "_") in PORTAL_ITEM_KINDS:
            return ItemKind(name.replace(" ", "_"))
    kind = meaning_of(text or title, vocabulary=VOCABULARY).asks or meaning_of(title, vocabulary=VOCABULARY).asks
    return kind or (ItemKind.APPOINTMENT if at_a_time else ItemKind.TASK)


def _with_unique_keys(entries: list[_T]) -> tuple[_T, ...]:
    """Return the entries ordered by key, equal ones once. Different ones with the same key get a number."""
    unique: dict[str, _T] = {}
    for entry in sorted(dict.fromkeys(entries), key=repr):
        key, number = entry.key, 1
        while key in unique:
            number += 1
            key = f"{entry.key}#{number}"
        unique[key] = replace(entry, key=key)
    return tuple(unique[key] for key in sorted(unique))
