"""The JSON documents of cases that commands show."""

from typing import Any

from watcher.context.read_only import ReadOnlyContext
from watcher.export.json_documents import case_document
from watcher.model.ledger import TrackedCase
from watcher.views.cases import case_stalls


def case_document_of(case: TrackedCase, context: ReadOnlyContext) -> dict[str, Any]:
    """Return a case as in `watcher status --json`."""
    return case_document(case, stalled=case_stalls(case, context), lists=context.lists.of_case(case, context.today))
