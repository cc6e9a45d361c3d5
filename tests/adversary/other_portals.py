"""The portals `uscis` and `ircc` of a run: their doubles behind the attacked line, and cases for an author."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

from tests.adversary.portal import HostilePortal
from tests.doubles import uscis_answers
from tests.doubles.ircc import CLIENT_ID, PASSWORD, UCI, Cognito, Tracker, citizenship, run_tracker
from tests.doubles.loopback import serve
from tests.doubles.uscis import FakeUscis, running_uscis

USCIS_NUMBERS = ("IOE0900000031", "IOE0900000032")
IRCC_NUMBERS = ("C000000041",)


@dataclass(frozen=True, slots=True)
class UscisCase:
    """A case of the USCIS account."""

    portal: FakeUscis
    number: str

    def set_status(self, title: str) -> None:
        """Show this title from now on."""
        self.portal.add_case(self.number, status=uscis_answers.status(title, receipt=self.number))


@dataclass(frozen=True, slots=True)
class IrccCase:
    """An application of the citizenship tracker. Requests are known by their title."""

    tracker: Tracker
    number: str
    times: Iterator[int]

    def add_event(self, title: str) -> None:
        """Add a line to the history, a second after the one before."""
        application = self.tracker.applications[self.number]
        event = {
            "time": 1767225600000 + 1000 * next(self.times),
            "type": "note",
            "activity": "application",
            "isNew": True,
            "isWaiting": False,
            "title": {"en": title, "fr": title},
            "text": {"en": "", "fr": ""},
        }
        self._replace(history=[*application["history"], event])

    def add_request(self, title: str) -> None:
        """Ask for something."""
        request = {"activity": "application", "title": {"en": title, "fr": title}}
        self._replace(actions=[*self.tracker.applications[self.number]["actions"], request])

    def remove_request(self, title: str) -> None:
        """Ask for it no longer."""
        actions = self.tracker.applications[self.number]["actions"]
        self._replace(actions=[action for action in actions if action["title"]["en"] != title])

    def _replace(self, **changed: object) -> None:
        self.tracker.applications[self.number] = {**self.tracker.applications[self.number], **changed}


@dataclass(frozen=True, slots=True)
class OtherPortals:
    """Both portals. `settings` are their accounts in the configuration."""

    uscis: FakeUscis
    tracker: Tracker
    settings: str

    def uscis_cases(self) -> list[UscisCase]:
        return [UscisCase(self.uscis, number) for number in USCIS_NUMBERS]

    def ircc_cases(self) -> list[IrccCase]:
        return [IrccCase(self.tracker, number, count(1)) for number in IRCC_NUMBERS]

    def write_session(self, file: Path) -> None:
        """Write what a person exports from a browser after having signed in at USCIS."""
        file.write_bytes(self.uscis.cookie_file())

    def sessions(self) -> set[str]:
        """Return every secret that was issued."""
        cognito = self.tracker.cognito
        return {*self.uscis.sessions, *cognito.refresh_tokens, *cognito.id_tokens}


@contextmanager
def other_portals(line: HostilePortal) -> Iterator[OtherPortals]:
    """Run the doubles behind the line until the context ends."""
    tracker = Tracker(program="citizenship", cognito=Cognito(now=line.clock.now))
    tracker.applications.update({number: citizenship(number) for number in IRCC_NUMBERS})
    with running_uscis() as uscis, run_tracker(tracker) as servers:
        uscis.cases.clear()
        with (
            serve(partial(line.answer, upstream=uscis.origin)) as cases,
            serve(partial(line.answer, upstream=servers.api.origin)) as api,
            serve(partial(line.answer, upstream=servers.auth.origin, signs_in=True)) as auth,
        ):
            for server in (cases, api, auth, servers.api, servers.auth):
                line.forget_requests(server)
            uscis.origin = cases.origin
            for number in USCIS_NUMBERS:
                uscis.add_case(number)
            yield OtherPortals(uscis, tracker, _settings(uscis, api.origin, auth.origin))


def _settings(uscis: FakeUscis, api: str, auth: str) -> str:
    return f"""
[accounts.uscis]
portal = "uscis"
base_url = "{uscis.origin}"
auth_url = "{uscis.auth}"
[accounts.ircc]
portal = "ircc"
program = "citizenship"
username = "{UCI}"
password = {json.dumps(PASSWORD)}
client_id = "{CLIENT_ID}"
base_url = "{api}"
auth_url = "{auth}"
"""
