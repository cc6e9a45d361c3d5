"""What the person's tab shows after a hand-over: what was read, and what changed."""

from collections.abc import Mapping

from watcher.handover.take import Taken
from watcher.messages import _, plural
from watcher.model.change import RecordedChange
from watcher.model.ledger import UserCase
from watcher.text.case_numbers import normalized_number


def report_of(taken: Taken, said: Mapping[str, UserCase]) -> tuple[str, ...]:
    """Return a headline, then a line for each change and for each case that was not read.

    `said` is what the user calls cases, by normalized number.
    """
    result = taken.result
    cases = plural("{n} case read", "{n} cases read", result.cases_read)
    changes = plural("{n} change", "{n} changes", len(result.changes)) if result.changes else _("no changes")
    return (
        _("{cases}, {changes}.", cases=cases, changes=changes),
        *(_change_line(change, said) for change in result.changes),
        *(
            _("{case}: not shown to the person who is signed in; hand it over from their account.", case=number)
            for number in taken.elsewhere
        ),
        *(_("{case}: {reason}", case=failure.case_number, reason=failure.error) for failure in taken.unreadable),
    )


def _change_line(change: RecordedChange, said: Mapping[str, UserCase]) -> str:
    number = change.change.case_number
    if number is None:
        return change.summary
    user = said.get(normalized_number(number))
    name = user.label if user is not None and user.label else number
    return _("{case}: {reason}", case=name, reason=change.summary)
