"""What a tracker asks of the applicant: its actions, and the bare number of waiting tasks. Pure."""

import hashlib
from typing import Final

from watcher.language.status_meaning import meaning_of
from watcher.model.case import ItemKind, PendingItem
from watcher.portals.ircc.answers import CitizenshipAction, ImmigrationAction, Text
from watcher.portals.ircc.entries import Person, with_unique_keys
from watcher.portals.ircc.wording import Language, tasks_title, text_in, unnamed_action_title

VOCABULARY: Final = "ircc"
_KINDS: Final = (
    ("biometric", ItemKind.BIOMETRICS),
    ("medical", ItemKind.MEDICAL),
    ("oath", ItemKind.OATH_CEREMONY),
)


def combine_pending(
    actions: list[PendingItem] | None, tasks: int | None, language: Language
) -> tuple[PendingItem, ...] | None:
    """What is asked for. The bare number of tasks counts only where no action says what they are."""
    if actions:
        return with_unique_keys(actions)
    if tasks:
        return (PendingItem(key="tasks", kind=ItemKind.TASK, title=tasks_title(tasks, language)),)
    return None if actions is None or tasks is None else ()


def citizenship_item(action: CitizenshipAction, language: Language) -> PendingItem:
    """An action of the citizenship tracker, known by its activity and English title.

    Its times are left out of the key: they move when IRCC loads its data anew.
    """
    title = text_in(language, action.title) or action.activity
    return PendingItem(
        key=f"action {_digest(action.activity, action.title.en)}",
        kind=_kind(action.activity, action.title.en),
        title=title,
        description=_unlike(title, text_in(language, action.content)),
    )


def immigration_item(action: ImmigrationAction, person: Person, language: Language) -> PendingItem:
    """An action of the immigration tracker, of which nobody has published one: it is shown as far as it is understood.

    Where it says nothing that could tell it from another, its key is the same whatever it holds.
    """
    english = text_in("en", action.title)
    about = _digest(action.key or "", action.activity or "", english or "")
    named = action.id if action.id is not None else about if english or action.activity or action.key else "unnamed"
    title = text_in(language, action.title) or text_in(language, action.content) or unnamed_action_title(language)
    return PendingItem(
        key=person.key(f"action {named}"),
        kind=_kind(f"{action.activity or ''} {action.key or ''}", english),
        title=person.title(title, language),
        description=_unlike(title, text_in(language, action.content)),
    )


def _kind(about: str, title: Text) -> ItemKind:
    for word, kind in _KINDS:
        if word in about.lower():
            return kind
    return meaning_of(text_in("en", title) or "", vocabulary=VOCABULARY).asks or ItemKind.TASK


def _unlike(title: str, content: str | None) -> str | None:
    return None if content == title else content


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:12]
