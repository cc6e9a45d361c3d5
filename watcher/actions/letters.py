"""A letter of the user's own: kept, with the dates that it names."""

from collections.abc import Sequence
from datetime import date

from watcher.actions import Refused
from watcher.actions.cases import described_case
from watcher.app import App
from watcher.context.known_cases import KnownCase
from watcher.messages import _, mark
from watcher.model.ledger import TrackedItem
from watcher.notices.own_letter import AddedLetter, add_letter
from watcher.store import Busy

_ADDED = mark("Letter {number} was added to {case}.")
_KNOWN = mark("{case} has this letter already, as letter {number}.")
_MAX_DATES = 5


def keep_letter(app: App, known: KnownCase, file_name: str, content: bytes) -> tuple[AddedLetter, str]:
    """Keep a PDF among the letters of a case. Return it, and what to say.

    Raises `NotADocument`, OSError, and `Refused`.
    """
    try:
        letter = add_letter(app.context, known.account, known.case_number, file_name, content)
    except Busy:
        raise Refused(
            _("Another process is using account {account}. Try again in a moment.", account=known.account)
        ) from None
    return letter, _(_ADDED if letter.is_new else _KNOWN, number=letter.number, case=described_case(known))


def dates_ahead(app: App, known: KnownCase, letter: AddedLetter) -> tuple[Sequence[date], str]:
    """Return the dates from today on that a letter names, and what to say if there is none."""
    if not letter.has_text:
        return (), _("It has no text that can be read, so no date was looked for: it may be a scan.")
    today = app.clock.now().astimezone(app.settings.office_zone(known.account)).date()
    ahead = [day for day in letter.dates if day >= today][:_MAX_DATES]
    return ahead, "" if ahead else _("It names no date from today on.")


def items_of_letters(app: App, known: KnownCase) -> list[TrackedItem]:
    """Return the open items of the case that can have a due date in a letter."""
    return [
        item
        for case in app.store.tracked_cases(case_number=known.case_number)
        for item in case.items
        if item.can_be_in_letter
    ]
