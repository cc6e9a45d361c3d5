"""The trackers' answers about one application, read to a snapshot. Pure.

The stage comes from the status of the application alone, by the words of `watcher/vocabulary/ircc.toml`. History codes
never decide it: what they mean is other people's reading. "completed" says that it is over and not how.

No name of a person is kept. Where an application holds several people, what concerns the principal applicant bears no
mark; the others are told apart by a short digest of their UCI in the key and its last two digits in the title.
"""

from dataclasses import replace
from typing import Final

from watcher.errors import UnexpectedAnswer
from watcher.model.case import Snapshot
from watcher.portal import RawAnswers
from watcher.portals.ircc.answers import Application, ImmigrationDetails, read_details, read_profile
from watcher.portals.ircc.citizenship import read_citizenship
from watcher.portals.ircc.immigration import read_immigration
from watcher.portals.ircc.pending_items import combine_pending
from watcher.portals.ircc.wording import language_of

PROFILE: Final = "get-profile-summary"
DETAILS: Final = "get-application-details"


def read_case(answers: RawAnswers, language: str) -> Snapshot:
    """What the trackers said about one application.

    `get-application-details` must be among the answers; `get-profile-summary` adds the type of the application and the
    number of waiting tasks. Raises `UnexpectedAnswer`.
    """
    if DETAILS not in answers:
        raise UnexpectedAnswer(f"the answer to {DETAILS} is missing")
    tongue = language_of(language)
    details = read_details(answers[DETAILS])
    if isinstance(details, ImmigrationDetails):
        snapshot, actions = read_immigration(details, tongue)
        always_lists_actions = False
    else:
        snapshot, actions = read_citizenship(details, tongue)
        always_lists_actions = True
    listed = _listed(answers, snapshot.case_number)
    tasks = None if listed is None or (actions is None and always_lists_actions) else listed.tasks
    return replace(
        snapshot,
        language=tongue,
        title=None if listed is None else listed.app_type or None,
        pending=combine_pending(actions, tasks, tongue),
    )


def _listed(answers: RawAnswers, number: str) -> Application | None:
    if PROFILE not in answers:
        return None
    return next((app for app in read_profile(answers[PROFILE]).apps if app.number == number), None)
