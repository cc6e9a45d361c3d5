"""Snapshots of the trackers' answers about one application. Pure.

The stage depends only on the status of the application (`language/vocabulary/ircc.toml`). History codes never decide
it, because their meanings are unofficial. "completed" means that the application is closed, not how it was decided.

No person's name is stored. If an application covers several people, the principal applicant's entries are unmarked;
those of the others have a short digest of the UCI in the key and its last two digits in the title.
"""

from dataclasses import replace
from typing import Final

from watcher.errors import UnexpectedAnswer
from watcher.messages import _
from watcher.model.case import Snapshot
from watcher.portal import RawAnswers
from watcher.portals.ircc.account import normalize_number
from watcher.portals.ircc.answers import Application, ImmigrationDetails, read_details, read_profile
from watcher.portals.ircc.citizenship import read_citizenship
from watcher.portals.ircc.immigration import read_immigration
from watcher.portals.ircc.pending_items import ACTIONS_SOURCE, combine_pending
from watcher.portals.ircc.wording import language_of

PROFILE: Final = "get-profile-summary"
DETAILS: Final = "get-application-details"


def read_case(answers: RawAnswers, language: str) -> Snapshot:
    """Return the snapshot of one application.

    `answers` must contain `get-application-details`; `get-profile-summary` adds the type of the application and the
    number of waiting tasks. Raises `UnexpectedAnswer`.
    """
    if DETAILS not in answers:
        raise UnexpectedAnswer(_("the answer to {endpoint} is missing", endpoint=DETAILS))
    portal_language = language_of(language)
    details = read_details(answers[DETAILS])
    if isinstance(details, ImmigrationDetails):
        snapshot, actions = read_immigration(details, portal_language)
        always_lists_actions = False
    else:
        snapshot, actions = read_citizenship(details, portal_language)
        always_lists_actions = True
    entry = _profile_entry(answers, snapshot.case_number)
    tasks = None if entry is None or (actions is None and always_lists_actions) else entry.tasks
    return replace(
        snapshot,
        language=portal_language,
        title=None if entry is None else entry.app_type or None,
        silent=snapshot.silent | (frozenset({ACTIONS_SOURCE}) if actions is None else frozenset()),
        pending=combine_pending(actions, tasks, portal_language),
    )


def _profile_entry(answers: RawAnswers, number: str) -> Application | None:
    if PROFILE not in answers:
        return None
    return next((app for app in read_profile(answers[PROFILE]).apps if normalize_number(app.number) == number), None)
