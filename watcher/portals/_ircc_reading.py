"""The trackers' answers about one application, read to a snapshot. Pure.

The stage comes from the status of the application alone, by the words of `watcher/vocabulary/ircc.toml`. History codes
never decide it: what they mean is other people's reading. "completed" says that it is over and not how.

No name of a person is kept. Where an application holds several people, what concerns the principal applicant bears no
mark; the others are told apart by a short digest of their UCI in the key and its last two digits in the title.
"""

from dataclasses import replace
from typing import Final

from watcher.case import Snapshot
from watcher.errors import UnexpectedAnswer
from watcher.portals import Answers
from watcher.portals._ircc_answers import Application, ImmigrationDetails, read_details, read_profile
from watcher.portals._ircc_asked import pending_of
from watcher.portals._ircc_citizenship import read_citizenship
from watcher.portals._ircc_immigration import read_immigration
from watcher.portals._ircc_words import language_of

PROFILE: Final = "get-profile-summary"
DETAILS: Final = "get-application-details"


def read_case(answers: Answers, language: str) -> Snapshot:
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
        pending=pending_of(actions, tasks, tongue),
    )


def _listed(answers: Answers, number: str) -> Application | None:
    if PROFILE not in answers:
        return None
    return next((app for app in read_profile(answers[PROFILE]).apps if app.number == number), None)
