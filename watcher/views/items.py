"""What is to be done about an item, in a few words."""

from watcher.language.catalogue import load_catalogue
from watcher.messages import current_language
from watcher.model.case import ItemKind
from watcher.model.ledger import TrackedItem

_OWN_WORDS = frozenset({ItemKind.TASK, ItemKind.REMINDER})


def task_text(item: TrackedItem) -> str:
    """Return what is to be done, in a few words."""
    if item.item.kind in _OWN_WORDS:
        return item.item.title
    return load_catalogue(current_language()).message("item", item.item.kind, "name")
