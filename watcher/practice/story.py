"""The demo's story as data: fourteen months of an I-485, day by day, and a second case that does not change.

Events are at least six days apart, so that a daily check sees every state even if the clock runs a million times too
fast. Each event happens at its own time of the clock, however late the portal is asked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from threading import Lock

from watcher.practice.site.faults import Fault, FaultBoard
from watcher.practice.state.case_book import CaseBook
from watcher.practice.state.case_record import local_date

MAIN_CASE = "IOE0000000001"
QUIET_CASE = "IOE0000000002"
BIOMETRICS_PLACE = "Application Support Center, 1 Example Plaza, Springfield"
INTERVIEW_PLACE = "Field Office, 2 Example Plaza, Springfield"
_BIOMETRICS, _INTERVIEW, _RFE = "appointment-1", "appointment-2", "request-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a story can change."""

    cases: CaseBook
    faults: FaultBoard


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryEvent:
    """One event, `day` days after the story began. `what` describes it in a few words."""

    day: int
    what: str
    happens: Callable[[Scene, datetime], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The events in order, and the length of the story in days."""

    events: tuple[StoryEvent, ...]
    days: int


class StoryPlayer:
    """Applies each event of a story once, in order, when it is due."""

    def __init__(self, story: Story, scene: Scene, start: datetime) -> None:
        """Start at `start`, with the events of day 0 applied."""
        self._scene, self._start, self._lock = scene, start, Lock()
        self._waiting = list(story.events)
        self.catch_up(start)

    def catch_up(self, now: datetime) -> None:
        """Apply all events that are due at `now`."""
        with self._lock:
            while self._waiting and self._when(self._waiting[0]) <= now:
                event = self._waiting.pop(0)
                event.happens(self._scene, self._when(event))

    def _when(self, event: StoryEvent) -> datetime:
        return self._start + timedelta(days=event.day)


def _received(scene: Scene, at: datetime) -> None:
    quiet = scene.cases.add(QUIET_CASE, form="I-765", at=at - timedelta(days=200), in_history=True)
    quiet.set_status("Case Was Approved", at=at - timedelta(days=60), in_history=True)
    quiet.set_status("Card Was Delivered To Me By The Post Office", at=at - timedelta(days=40), in_history=True)
    case = scene.cases.add(MAIN_CASE, form="I-485", at=at, in_history=True)
    case.add_notice("Receipt Notice (Form I-797C)", at=at)


def _biometrics_scheduled(scene: Scene, at: datetime) -> None:
    case = scene.cases[MAIN_CASE]
    case.set_status("Fingerprint and Biometrics Appointment Was Scheduled", at=at, in_history=True)
    case.add_item(
        "Biometrics",
        "Biometrics appointment",
        key=_BIOMETRICS,
        starts_at=_on(at, days=22, hour=10),
        place=BIOMETRICS_PLACE,
        at=at,
    )
    case.add_notice("Biometrics Appointment Notice", at=at)


def _biometrics_moved(scene: Scene, at: datetime) -> None:
    scene.cases[MAIN_CASE].move_appointment(_BIOMETRICS, _on(at, days=18, hour=13), at=at)


def _fingerprints_taken(scene: Scene, at: datetime) -> None:
    case = scene.cases[MAIN_CASE]
    case.answer_item(_BIOMETRICS, at=at)
    case.set_status("Case Was Updated To Show Fingerprints Were Taken", at=at, in_history=True)


def _actively_reviewed(scene: Scene, at: datetime) -> None:
    scene.cases[MAIN_CASE].set_status("Case Is Being Actively Reviewed By USCIS", at=at, in_history=True)


def _silent_update(scene: Scene, at: datetime) -> None:
    scene.cases[MAIN_CASE].touch(at=at)


def _evidence_requested(scene: Scene, at: datetime) -> None:
    case = scene.cases[MAIN_CASE]
    case.request_evidence(key=_RFE, due_on=local_date(at + timedelta(days=84)), at=at)
    case.add_notice("Request for Evidence", at=at)


def _portal_down(scene: Scene, _at: datetime) -> None:
    scene.faults.throw(Fault.MAINTENANCE)


def _portal_back(scene: Scene, _at: datetime) -> None:
    scene.faults.clear(Fault.MAINTENANCE)


def _response_received(scene: Scene, at: datetime) -> None:
    case = scene.cases[MAIN_CASE]
    case.answer_item(_RFE, at=at)
    case.set_status("Response To USCIS' Request For Evidence Was Received", at=at, in_history=True)


def _interview_scheduled(scene: Scene, at: datetime) -> None:
    case = scene.cases[MAIN_CASE]
    case.set_status("Interview Was Scheduled", at=at, in_history=True)
    case.add_item(
        "Interview", "Interview", key=_INTERVIEW, starts_at=_on(at, days=36, hour=9), place=INTERVIEW_PLACE, at=at
    )
    case.add_notice("Interview Notice", at=at)


def _interviewed(scene: Scene, at: datetime) -> None:
    case = scene.cases[MAIN_CASE]
    case.answer_item(_INTERVIEW, at=at)
    case.set_status("Interview Was Completed And My Case Must Be Reviewed", at=at, in_history=True)


def _approved(scene: Scene, at: datetime) -> None:
    case = scene.cases[MAIN_CASE]
    case.set_status("Case Was Approved", at=at, in_history=True)
    case.add_notice("Approval Notice (Form I-797)", at=at)


def _card_mailed(scene: Scene, at: datetime) -> None:
    scene.cases[MAIN_CASE].set_status("Card Was Mailed To Me", at=at, in_history=True)


def _on(at: datetime, *, days: int, hour: int) -> datetime:
    """Return a full hour in the portal's local time, some days later."""
    return datetime.combine(local_date(at + timedelta(days=days)), time(hour))


ADJUSTMENT_OF_STATUS = Story(
    events=(
        StoryEvent(day=0, what="the application is received", happens=_received),
        StoryEvent(day=16, what="a biometrics appointment is made", happens=_biometrics_scheduled),
        StoryEvent(day=28, what="the appointment is moved", happens=_biometrics_moved),
        StoryEvent(day=48, what="fingerprints are taken", happens=_fingerprints_taken),
        StoryEvent(day=64, what="the case is under review", happens=_actively_reviewed),
        StoryEvent(day=82, what="only the portal's timestamp moves", happens=_silent_update),
        StoryEvent(day=100, what="evidence is requested, within 84 days", happens=_evidence_requested),
        StoryEvent(day=124, what="the portal goes down for maintenance", happens=_portal_down),
        StoryEvent(day=133, what="the portal is back", happens=_portal_back),
        StoryEvent(day=173, what="the response is received; then nothing, for 110 days", happens=_response_received),
        StoryEvent(day=283, what="an interview is scheduled", happens=_interview_scheduled),
        StoryEvent(day=321, what="the interview has taken place", happens=_interviewed),
        StoryEvent(day=370, what="the case is approved", happens=_approved),
        StoryEvent(day=400, what="the card is mailed", happens=_card_mailed),
    ),
    days=425,
)
"""The demo's story. The pause after the response is longer than the default stall threshold of 90 days, and shorter
than the 120 days after which the alert would be repeated."""
