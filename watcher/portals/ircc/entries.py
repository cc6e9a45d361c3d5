"""What both trackers' entries have in common: whose they are, and their order. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from watcher.model.case import HistoryEntry, Part, PendingItem
from watcher.portals.ircc.wording import Language, relative_title

_Keyed = TypeVar("_Keyed", HistoryEntry, PendingItem)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """How one person's entries are told from another's: by what stands before the key and after the title.

    The principal applicant, or whoever is alone, bears no mark.
    """

    key_prefix: str = ""
    label: str = ""

    def key(self, key: str) -> str:
        """The key of this person's entry."""
        return f"{self.key_prefix}/{key}" if self.key_prefix else key

    def title(self, title: str, language: Language) -> str:
        """The title of this person's entry."""
        return f"{title} ({relative_title(language)} {self.label})" if self.label else title


def sorted_parts(parts: Iterable[Part]) -> tuple[Part, ...] | None:
    """By key. None where there is none: an application always has parts, so an empty list is half an answer."""
    by_key = {part.key: part for part in parts}
    return tuple(by_key[key] for key in sorted(by_key)) or None


def with_unique_keys(entries: Iterable[_Keyed]) -> tuple[_Keyed, ...]:
    """By key; a key that comes again gets a number, in the order of the words, so that no entry is lost."""
    kept: dict[str, _Keyed] = {}
    for entry in sorted(entries, key=lambda one: (one.key, one.title)):
        number, key = 1, entry.key
        while key in kept:
            number += 1
            key = f"{entry.key} #{number}"
        kept[key] = replace(entry, key=key)
    return tuple(kept[key] for key in sorted(kept))
