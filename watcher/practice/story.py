"""The demo's story as data: fourteen months in the life of an I-485, day by day, beside a case that stays quiet.

Between two beats lie at least six days, so that even a daily read by a clock that runs a million times too fast sees
every state. Whatever happens, happens at its own time of the clock, however late the portal is asked.
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
    """What a story can move."""

    cases: CaseBook
    faults: FaultBoard


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One thing that happens, `day` days after the story began; `what` says it in a few words."""

    day: int
    what: str
    happens: Callable[[Scene, datetime], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What happens, in order of days, and how many days it all lasts."""

    beats: tuple[Beat, ...]
    days: int


class StoryPlayer:
    """A story being told: each beat once, in order, as soon as its time has come."""

    def __init__(self, story: Story, scene: Scene, start: datetime) -> None:
        """Begins at `start`, with what happens on day 0 already done."""
        self._scene, self._start, self._lock = scene, start, Lock()
        self._waiting = list(story.beats)
        self.catch_up(start)

    def catch_up(self, now: datetime) -> None:
        """Lets happen whatever is due by `now`."""
        with self._lock:
            while self._waiting and self._when(self._waiting[0]) <= now:
                beat = self._waiting.pop(0)
                beat.happens(self._scene, self._when(beat))

    def _when(self, beat: Beat) -> datetime:
        return self._start + timedelta(days=beat.day)


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
    """So many days later at a full hour of the portal's wall clock."""
    return datetime.combine(local_date(at + timedelta(days=days)), time(hour))


ADJUSTMENT_OF_STATUS = Story(
    beats=(
        Beat(day=0, what="the application is received", happens=_received),
        Beat(day=16, what="a biometrics appointment is made", happens=_biometrics_scheduled),
        Beat(day=28, what="the appointment is moved", happens=_biometrics_moved),
        Beat(day=48, what="fingerprints are taken", happens=_fingerprints_taken),
        Beat(day=64, what="the case is under review", happens=_actively_reviewed),
        Beat(day=82, what="only the portal's timestamp moves", happens=_silent_update),
        Beat(day=100, what="evidence is requested, within 84 days", happens=_evidence_requested),
        Beat(day=124, what="the portal goes down for maintenance", happens=_portal_down),
        Beat(day=133, what="the portal is back", happens=_portal_back),
        Beat(day=173, what="the response is received; then nothing, for 110 days", happens=_response_received),
        Beat(day=283, what="an interview is scheduled", happens=_interview_scheduled),
        Beat(day=321, what="the interview has taken place", happens=_interviewed),
        Beat(day=370, what="the case is approved", happens=_approved),
        Beat(day=400, what="the card is mailed", happens=_card_mailed),
    ),
    days=425,
)
"""The one the demo plays. The stall after the response is longer than the default threshold of 90 days, and shorter
than the 120 at which it would be told again."""
