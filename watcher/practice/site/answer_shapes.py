"""Responses in other shapes: the same data in another order or under other names."""

from dataclasses import dataclass, replace
from typing import Any

from watcher.practice.state.case_record import CaseRecord

_NEW_KEYS = {
    "cases": "results",
    "case": "application",
    "status": "state",
    "case_status": "caseStatus",
    "current_case_status_text_en": "statusTextEn",
    "current_case_status_text_es": "statusTextEs",
}
_NEW_MARKS = {
    'id="cases"': 'id="applications"',
    'id="case-detail"': 'id="application"',
    'class="status"': 'class="state"',
    'class="receipt"': 'class="number"',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseShape:
    """Variations of the data in one response."""

    reordered: bool = False
    renamed: bool = False
    empty: bool = False

    def records(self, records: tuple[CaseRecord, ...]) -> tuple[CaseRecord, ...]:
        """Return the cases of a list."""
        if self.empty:
            return ()
        return records[::-1] if self.reordered else records

    def record(self, record: CaseRecord) -> CaseRecord:
        """Return a case, with its lists reversed if `reordered` is set."""
        if not self.reordered:
            return record
        return replace(record, items=record.items[::-1], notices=record.notices[::-1], events=record.events[::-1])

    def document(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return a JSON document with its keys reversed or renamed."""
        altered: dict[str, Any] = self._alter(document)
        return altered

    def page(self, text: str) -> str:
        """Return a page with its ids and classes renamed."""
        for old, new in _NEW_MARKS.items() if self.renamed else ():
            text = text.replace(old, new)
        return text

    def _alter(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._alter(entry) for entry in node]
        if not isinstance(node, dict):
            return node
        pairs = [(_NEW_KEYS.get(key, key) if self.renamed else key, self._alter(entry)) for key, entry in node.items()]
        return dict(reversed(pairs) if self.reordered else pairs)
