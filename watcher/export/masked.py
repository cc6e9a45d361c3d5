"""Documents that can be shared: numbers are masked; names of people and places and the user's texts are left out."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from watcher.alerts.change_lines import line_of
from watcher.alerts.style import TextStyle
from watcher.export.json_documents import change_document
from watcher.language.catalogue import load_catalogue
from watcher.model.case import ItemKind
from watcher.model.change import ChangeKind, Json, RecordedChange
from watcher.privacy.masking import mask_case_number
from watcher.settings import Settings

_SHARED_KEYS = frozenset(
    {"kind", "state", "stage", "status", "title", "form", "code", "at", "dated", "due_on", "due_by_estimate", "source"}
    | {
        "starts_at",
        "starts_on",
        "since",
        "after",
        "days",
        "threshold_days",
        "published_days",
        "touched_on",
        "inquiry_from",
        "inquiry_date",
        "received_on",
        "as_of",
        "chart",
        "bulletin",
        "cutoff",
        "cutoff_on",
        "accepted",
        "reads",
    }
)
"""The keys of a change's old and new values that are kept: they name neither a person nor a place."""
_REMOVED_KEYS = ("place", "description")
_DOCUMENT_KINDS = frozenset({"notice_added", "notice_changed", "notice_removed"})


class Mask:
    """Removes what identifies a person from documents. The same case is masked in the same way in all of an export."""

    def __init__(self, accounts: Iterable[str], *, settings: Settings) -> None:
        """Create a mask that replaces the names in `accounts`, which may be those of people, by numbers."""
        self._accounts = {name: f"account {number}" for number, name in enumerate(sorted(accounts), start=1)}
        self._catalogue, self._settings = load_catalogue(settings.language), settings

    def case(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Mask a case of `watcher status --json`."""
        style = self._style(document["account"], document["case_number"])
        masked = self.item(document)
        masked |= dict.fromkeys(("label", "person", "priority", "inquiry", "place_in_line"))
        masked["status"] = style.portal_text(document["status"]) or None
        masked["parts"] = [self._texts(part, style) for part in document["parts"]]
        masked["pending"] = [self._without_details(item, style) for item in document["pending"]]
        masked["notices"] = [
            {**notice, "title": style.document_title(notice["title"]) or None, "saved_as": None}
            for notice in document["notices"]
        ]
        return masked

    def item(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Mask an item of `watcher pending --json`, or another document with a case number, account, and title."""
        number = document["case_number"]
        masked = self._without_details(document, self._style(document["account"], number))
        masked["account"] = self._accounts.get(document["account"], "account")
        masked["case_number"] = mask_case_number(number)
        return masked

    def change(self, recorded: RecordedChange) -> dict[str, Any]:
        """Mask a change of `watcher history --json`."""
        number = recorded.change.case_number
        style = self._style(recorded.account, number or "")
        names_document = recorded.change.kind.value in _DOCUMENT_KINDS
        old, new = (
            _masked(value, style, names_document=names_document) for value in (recorded.change.old, recorded.change.new)
        )
        if recorded.change.kind is ChangeKind.REMINDER and isinstance(new, dict):
            new = {key: value for key, value in new.items() if key != "title"}
        change = replace(recorded.change, old=old, new=new)
        document = change_document(replace(recorded, change=change, summary=line_of(change, style)))
        document["account"] = self._accounts.get(recorded.account, "account")
        document["case_number"] = number and mask_case_number(number)
        return document

    def _style(self, account: str, case_number: str) -> TextStyle:
        return TextStyle(
            catalogue=self._catalogue,
            zone=self._settings.timezone,
            office_zone=self._settings.office_zone(account),
            privacy="masked",
            case_number=case_number,
        )

    def _without_details(self, document: Mapping[str, Any], style: TextStyle) -> dict[str, Any]:
        is_own = document.get("kind") == ItemKind.REMINDER
        masked = {**document, "title": None if is_own else style.portal_text(document["title"]) or None}
        return masked | {key: None for key in _REMOVED_KEYS if key in document}

    def _texts(self, part: Mapping[str, str], style: TextStyle) -> dict[str, str]:
        return {key: style.portal_text(value) for key, value in part.items()}


def _masked(value: Json, style: TextStyle, *, names_document: bool) -> Json:
    """Return the old or new values that name nobody. A single value could be anything, so it is left out."""
    if not isinstance(value, dict):
        return None
    mask = style.document_title if names_document else style.portal_text
    return {
        key: mask(entry) if isinstance(entry, str) else entry for key, entry in value.items() if key in _SHARED_KEYS
    }
