"""Documents that can be shared: case numbers masked, the names of people and places left out."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from watcher.alerts.change_lines import line_of
from watcher.alerts.style import TextStyle
from watcher.export.json_documents import change_document
from watcher.language.catalogue import load_catalogue
from watcher.model.change import Json, RecordedChange
from watcher.privacy.masking import mask_case_number

_TOLD = frozenset(
    {"kind", "state", "stage", "status", "title", "form", "code", "at", "dated", "due_on", "due_by_estimate", "source"}
    | {"starts_at", "since", "after", "days", "threshold_days", "published_days", "touched_on", "inquiry_from", "reads"}
)
"""What is told of a change's old and new values: what names neither a person nor a place."""
_LEFT_OUT = ("place", "description")
_DOCUMENT_TITLES = frozenset({"notice_added", "notice_changed", "notice_removed"})


class Mask:
    """Takes from documents what tells whose case it is. The same case is masked alike throughout one export."""

    def __init__(self, accounts: Iterable[str], *, language: str, zone: ZoneInfo) -> None:
        """`accounts` are the names in the books, which may be people's: they become numbers."""
        self._accounts = {name: f"account {number}" for number, name in enumerate(sorted(accounts), start=1)}
        self._words, self._zone = load_catalogue(language), zone

    def case(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """A case of `watcher status --json`."""
        teller = self._teller(document["case_number"])
        masked = self.item(document)
        masked["status"] = teller.portal_text(document["status"]) or None
        masked["parts"] = [self._texts(part, teller) for part in document["parts"]]
        masked["pending"] = [self._within(item, teller) for item in document["pending"]]
        masked["notices"] = [
            {**notice, "title": teller.document_title(notice["title"]) or None, "saved_as": None}
            for notice in document["notices"]
        ]
        return masked

    def item(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """An item of `watcher pending --json`, or whatever else has a case number, an account and a title."""
        number = document["case_number"]
        masked = self._within(document, self._teller(number))
        masked["account"] = self._accounts.get(document["account"], "account")
        masked["case_number"] = mask_case_number(number)
        return masked

    def change(self, recorded: RecordedChange) -> dict[str, Any]:
        """A change of `watcher history --json`."""
        number = recorded.change.case_number
        teller = self._teller(number or "")
        names_document = recorded.change.kind.value in _DOCUMENT_TITLES
        old, new = (
            _masked(value, teller, names_document=names_document)
            for value in (recorded.change.old, recorded.change.new)
        )
        change = replace(recorded.change, old=old, new=new)
        document = change_document(replace(recorded, change=change, summary=line_of(change, teller)))
        document["account"] = self._accounts.get(recorded.account, "account")
        document["case_number"] = number and mask_case_number(number)
        return document

    def _teller(self, case_number: str) -> TextStyle:
        return TextStyle(catalogue=self._words, zone=self._zone, privacy="masked", case_number=case_number)

    def _within(self, document: Mapping[str, Any], teller: TextStyle) -> dict[str, Any]:
        masked = {**document, "title": teller.portal_text(document["title"]) or None}
        return masked | {key: None for key in _LEFT_OUT if key in document}

    def _texts(self, part: Mapping[str, str], teller: TextStyle) -> dict[str, str]:
        return {key: teller.portal_text(value) for key, value in part.items()}


def _masked(value: Json, teller: TextStyle, *, names_document: bool) -> Json:
    """Old or new values with only what names nobody; a bare value may be anything, so it is left out."""
    if not isinstance(value, dict):
        return None
    tell = teller.document_title if names_document else teller.portal_text
    return {key: tell(one) if isinstance(one, str) else one for key, one in value.items() if key in _TOLD}
