"""The lists within a case: pending items, notices, and history. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeVar
from urllib.parse import urlsplit

from watcher.errors import UnexpectedAnswer
from watcher.http.hosts import host_of
from watcher.language.status_meaning import meaning_of
from watcher.messages import _
from watcher.model.appointment_time import appointment_time
from watcher.model.case import PORTAL_ITEM_KINDS, HistoryEntry, ItemKind, ItemState, Notice, PendingItem
from watcher.recipe.model import Collection, Recipe, comparable_text
from watcher.recipe.page.page import Page, PageLocation
from watcher.recipe.run.case_list import locations
from watcher.recipe.run.fields import VOCABULARY, Fields
from watcher.recipe.run.refusals import check_expected, raise_if_unexpected

_NO: Final = frozenset({"", "false", "0"})
_T = TypeVar("_T", PendingItem, Notice, HistoryEntry)


class Collections:
    """The lists within a case."""

    def __init__(self, recipe: Recipe, pages: Mapping[str, Page], location: PageLocation) -> None:
        """`location` is that of the case."""
        self._recipe, self._pages, self._location = recipe, pages, location

    def all(
        self, collections: tuple[Collection, ...], make: Callable[[Collection, Fields], _T]
    ) -> tuple[_T, ...] | None:
        """Return the entries of all collections of one kind, by key; None if the recipe has none."""
        if not collections:
            return None
        entries: list[_T] = []
        for index, collection in enumerate(collections):
            for location in self._entries(collection):
                entry = make(collection, Fields(self._recipe, location, collection.fields, collection.key_path))
                entries.append(replace(entry, key=f"{index}:{entry.key}") if index else entry)
        return _with_unique_keys(entries)

    def pending(self, collection: Collection, fields: Fields) -> PendingItem:
        """Return one pending item."""
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

    def notice(self, collection: Collection, fields: Fields) -> Notice:
        """Return one notice."""
        title, dated = fields.needed("title") or "", fields.day("dated")
        key = fields.needed("id") or f"{dated}:{comparable_text(title)}"
        download = self._download(fields.text("download"))
        return Notice(key=key, title=title, dated=dated, download=download, source=collection.key_path)

    def history(self, collection: Collection, fields: Fields) -> HistoryEntry:
        """Return one entry of the history."""
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
