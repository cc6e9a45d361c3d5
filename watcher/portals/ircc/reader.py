"""One read of an account at a tracker: its list of applications, then each of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from watcher.errors import (
    AccountLocked,
    CaseNotFound,
    CodeNeeded,
    ForeignHost,
    PortalUnavailable,
    ReadFailed,
    SignInRejected,
    UnexpectedAnswer,
)
from watcher.http.client import PortalHttp
from watcher.http.hosts import host_of
from watcher.http.response import Response
from watcher.portal import CaseFailed, CaseRead, CaseResult, CaseResults, PortalContext
from watcher.portals.ircc.account import AUTH_URL, IrccAccount, normalize_number
from watcher.portals.ircc.answers import Application, read_profile
from watcher.portals.ircc.sign_in import SignIn
from watcher.portals.ircc.snapshot import DETAILS, PROFILE, read_case
from watcher.portals.ircc.tokens import blocked_by_firewall, is_firewall_answer

_MOST_APPLICATIONS: Final = "500"
_OK: Final = 200
_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404
_OF_THE_ACCOUNT: Final = (SignInRejected, AccountLocked, CodeNeeded, ForeignHost)


class IrccReader:
    """One account at one tracker."""

    def __init__(self, account: IrccAccount, around: PortalContext, http: PortalHttp) -> None:
        self._account, self._around, self._http = account, around, http
        self._sign_in = SignIn(account, around, http)
        self._url = f"{(account.base_url or account.tracker.api).rstrip('/')}/user"
        self._token = ""

    def read(self) -> CaseResults:
        """Every application of the profile, or those of `cases`."""
        self._token = self._sign_in.id_token()
        profile = self._ask({"method": PROFILE, "limit": _MOST_APPLICATIONS})
        for application in self._wanted(profile):
            yield self._one(application, profile)

    def _wanted(self, profile: Response) -> list[Application]:
        applications = read_profile(profile.body).apps
        wanted = frozenset(self._account.cases)
        if not applications and (wanted or self._around.known_cases):
            raise UnexpectedAnswer("the tracker's list of applications is empty, although some are known")
        return [one for one in applications if not wanted or normalize_number(one.number) in wanted]

    def _one(self, application: Application, profile: Response) -> CaseResult:
        answers = {PROFILE: profile.body}
        try:
            answers[DETAILS] = self._details(application).body
            snapshot = read_case(answers, self._around.language)
            if normalize_number(snapshot.case_number) != normalize_number(application.number):
                raise UnexpectedAnswer("the tracker answered with another application than the one asked for")
        except ReadFailed as error:
            if self._concerns_all(error):
                raise
            return CaseFailed(case_number=application.number, error=error, answers=answers)
        return CaseRead(snapshot=snapshot, answers=answers)

    def _concerns_all(self, error: ReadFailed) -> bool:
        """Whether there is no point, or no right, in asking about the next application."""
        told_to_wait = isinstance(error, PortalUnavailable) and error.retry_after is not None
        return told_to_wait or self._around.stop.is_set() or isinstance(error, _OF_THE_ACCOUNT)

    def _details(self, application: Application) -> Response:
        asked: dict[str, Any] = {"method": DETAILS, "applicationNumber": application.number}
        if self._account.program == "immigration":
            asked |= {"uci": application.uci or self._account.username, "isAgent": False}
        return self._ask(asked)

    def _ask(self, asked: dict[str, Any]) -> Response:
        """One question to the data service; a token that it no longer takes is renewed once."""
        answer = self._send(asked)
        if answer.status == _UNAUTHORIZED:
            self._token = self._sign_in.renew_id_token()
            answer = self._send(asked)
        if answer.status == _UNAUTHORIZED:
            raise PortalUnavailable("IRCC: the data service refuses a token that its own sign-in has just handed out")
        if is_firewall_answer(answer):
            raise blocked_by_firewall("its data service")
        if answer.status == _NOT_FOUND and asked["method"] == DETAILS:
            raise CaseNotFound("IRCC: the tracker does not know an application that its own list holds")
        if answer.status != _OK:
            raise UnexpectedAnswer(f"the data service answered {asked['method']} with HTTP {answer.status}")
        return answer

    def _send(self, asked: dict[str, Any]) -> Response:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Origin": self._account.tracker.site,
            "Referer": f"{self._account.tracker.site}/",
        }
        return self._http.send("POST", self._url, headers=headers, json=asked, follow=False)


@contextmanager
def open_reader(account: IrccAccount, surroundings: PortalContext) -> Iterator[IrccReader]:
    """A reader with its connections, which leaving the context closes."""
    hosts = {host_of(account.auth_url or AUTH_URL), host_of(account.base_url or account.tracker.api)}
    with PortalHttp(
        portal="IRCC",
        hosts=hosts,
        clock=surroundings.clock,
        stop=surroundings.stop,
        trace=surroundings.trace,
        ca_file=account.ca_file,
    ) as http:
        yield IrccReader(account, surroundings, http)
