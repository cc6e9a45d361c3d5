"""Pending items: a tracker's actions, or the mere number of waiting tasks. Pure."""

import hashlib
from typing import Final

from watcher.language.status_meaning import meaning_of
from watcher.model.case import TASK_COUNT_SOURCE, ItemKind, PendingItem
from watcher.portals.ircc.answers import CitizenshipAction, ImmigrationAction, Text
from watcher.portals.ircc.entries import Person, with_unique_keys
from watcher.portals.ircc.wording import Language, tasks_title, text_in, unnamed_action_title

VOCABULARY: Final = "ircc"
ACTIONS_SOURCE: Final = "actions"
_SOURCES: Final = frozenset({ACTIONS_SOURCE})
_KINDS: Final = (
    ("biometric", ItemKind.BIOMETRICS),
    ("medical", ItemKind.MEDICAL),
    ("oath", ItemKind.OATH_CEREMONY),
)


def combine_pending(
    actions: list[PendingItem] | None, tasks: int | None, language: Language
) -> tuple[PendingItem, ...] | None:
    """Return the pending items. The number of tasks is used only if no action describes them."""
    if actions:
        return with_unique_keys(actions)
    if tasks:
        title = tasks_title(tasks, language)
        return (PendingItem(key="tasks", kind=ItemKind.TASK, title=title, sources=frozenset({TASK_COUNT_SOURCE})),)
    return None if actions is None or tasks is None else ()


def citizenship_item(action: CitizenshipAction, language: Language) -> PendingItem:
    """Return the item for an action of the citizenship tracker, identified by its activity and English title.

    The key contains none of its times, because they change when IRCC reloads its data.
    """
    title = text_in(language, action.title) or action.activity
    return PendingItem(
        key=f"action {_digest(action.activity, action.title.en)}",
        kind=_kind(action.activity, action.title.en),
        title=title,
        description=_unless_equal(title, text_in(language, action.content)),
        sources=_SOURCES,
    )


def immigration_item(action: ImmigrationAction, person: Person, language: Language) -> PendingItem:
    """Return the item for an action of the immigration tracker, as far as its unpublished format is understood.

    The key is "unnamed" if nothing distinguishes the action from others.
    """
    english = text_in("en", action.title)
    digest = _digest(action.key or "", action.activity or "", english or "")
    name = action.id if action.id is not None else digest if english or action.activity or action.key else "unnamed"
    title = text_in(language, action.title) or text_in(language, action.content) or unnamed_action_title(language)
    return PendingItem(
        key=person.key(f"action {name}"),
        kind=_kind(f"{action.activity or ''} {action.key or ''}", english),
        title=person.title(title, language),
        description=_unless_equal(title, text_in(language, action.content)),
        sources=_SOURCES,
    )


def _kind(code: str, title: Text) -> ItemKind:
    for word, kind in _KINDS:
        if word in code.lower():
            return kind
    return meaning_of(text_in("en", title) or "", vocabulary=VOCABULARY).asks or ItemKind.TASK


def _unless_equal(title: str, content: str | None) -> str | None:
    return None if content == title else content


def _digest(*fields: str) -> str:
    return hashlib.sha256("\0".join(fields).encode()).hexdigest()[:12]
