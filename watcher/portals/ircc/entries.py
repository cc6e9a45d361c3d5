"""Keys, titles, and order of entries, for both trackers. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from watcher.model.case import HistoryEntry, Part, PendingItem
from watcher.portals.ircc.wording import Language, relative_title

_Keyed = TypeVar("_Keyed", HistoryEntry, PendingItem)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The prefix of the keys and the label in the titles that distinguish one person's entries from another's.

    Both are empty for the principal applicant and for an only applicant.
    """

    key_prefix: str = ""
    label: str = ""

    def key(self, key: str) -> str:
        """Return the key of this person's entry."""
        return f"{self.key_prefix}/{key}" if self.key_prefix else key

    def title(self, title: str, language: Language) -> str:
        """Return the title of this person's entry."""
        return f"{title} ({relative_title(language)} {self.label})" if self.label else title


def sorted_parts(parts: Iterable[Part]) -> tuple[Part, ...] | None:
    """Sort by key. None if there are none: an application always has parts, so the answer is incomplete."""
    by_key = {part.key: part for part in parts}
    return tuple(by_key[key] for key in sorted(by_key)) or None


def with_unique_keys(entries: Iterable[_Keyed]) -> tuple[_Keyed, ...]:
    """Sort by key. Repeated keys are numbered in the order of their titles, so that no entry is lost."""
    unique: dict[str, _Keyed] = {}
    for entry in sorted(entries, key=lambda one: (one.key, one.title)):
        number, key = 1, entry.key
        while key in unique:
            number += 1
            key = f"{entry.key} #{number}"
        unique[key] = replace(entry, key=key)
    return tuple(unique[key] for key in sorted(unique))
