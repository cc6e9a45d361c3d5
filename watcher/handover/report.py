"""What the person's tab shows after a hand-over: what was read, and what changed."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from watcher.messages import _, plural
from watcher.model.change import RecordedChange
from watcher.model.ledger import UserCase
from watcher.text.case_numbers import normalized_number

if TYPE_CHECKING:
    from watcher.handover.take import (
        Taken,
    )  # loads what writes to the database, and the page's process does not need it


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A headline, and a line for each change and each case that was not read. `is_taken`: it was not refused."""

    headline: str
    lines: tuple[str, ...] = ()
    is_taken: bool = True

    def to_json(self) -> str:
        """Return the report as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: bytes) -> "Report":
        """Return the report. Raises ValueError if it is incomplete, because the process that wrote it was killed."""
        content = json.loads(text)
        if not isinstance(content, dict) or content.keys() != {"headline", "lines", "is_taken"}:
            raise ValueError(text)
        return cls(headline=content["headline"], lines=tuple(content["lines"]), is_taken=content["is_taken"])


def report_of(taken: "Taken", said: Mapping[str, UserCase]) -> Report:
    """Return the report of a hand-over. `said` is what the user calls cases, by normalized number."""
    result = taken.result
    cases = plural("{n} case read", "{n} cases read", result.cases_read)
    changes = plural("{n} change", "{n} changes", len(result.changes)) if result.changes else _("no changes")
    return Report(
        headline=_("{cases}, {changes}.", cases=cases, changes=changes),
        lines=(
            *(_change_line(change, said) for change in result.changes),
            *(
                _("{case}: not shown to the person who is signed in; hand it over from their account.", case=number)
                for number in taken.elsewhere
            ),
            *(_("{case}: {reason}", case=failure.case_number, reason=failure.error) for failure in taken.unreadable),
        ),
    )


def _change_line(change: RecordedChange, said: Mapping[str, UserCase]) -> str:
    number = change.change.case_number
    if number is None:
        return change.summary
    user = said.get(normalized_number(number))
    name = user.label if user is not None and user.label else number
    return _("{case}: {what}", case=name, what=change.summary)
