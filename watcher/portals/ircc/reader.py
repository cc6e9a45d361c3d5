"""The reader: requests the list of applications, then each of them."""

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
from watcher.messages import _
from watcher.portal import CaseFailed, CaseRead, CaseResult, CaseResults, PortalContext
from watcher.portals.ircc.account import AUTH_URL, IrccAccount, normalize_number
from watcher.portals.ircc.answers import Application, read_profile
from watcher.portals.ircc.sign_in import SignIn
from watcher.portals.ircc.snapshot import DETAILS, PROFILE, read_case
from watcher.portals.ircc.tokens import DATA_SERVICE_BLOCKED, blocked_by_firewall, is_firewall_answer

_MOST_APPLICATIONS: Final = "500"
_OK: Final = 200
_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404
_ACCOUNT_ERRORS: Final = (SignInRejected, AccountLocked, CodeNeeded, ForeignHost)


class IrccReader:
    """An account at a tracker, open for one check."""

    def __init__(self, account: IrccAccount, context: PortalContext, http: PortalHttp) -> None:
        self._account, self._context, self._http = account, context, http
        self._sign_in = SignIn(account, context, http)
        self._url = f"{(account.base_url or account.tracker.api).rstrip('/')}/user"
        self._token = ""

    def read(self) -> CaseResults:
        """Yield every application of the profile, or those in `cases`."""
        self._token = self._sign_in.id_token()
        profile = self._ask({"method": PROFILE, "limit": _MOST_APPLICATIONS})
        for application in self._watched(profile):
            yield self._read_one(application, profile)

    def _watched(self, profile: Response) -> list[Application]:
        listed = read_profile(profile.body).apps
        watched = frozenset(self._account.cases)
        if not listed and (watched or self._context.known_cases):
            raise UnexpectedAnswer(_("the tracker's list of applications is empty, but it had applications before"))
        unique = {normalize_number(one.number): one for one in reversed(listed)}  # a profile may list one twice
        return [
            one
            for number, one in reversed(unique.items())
            if (not watched or number in watched) and not self._context.is_finished(number)
        ]

    def _read_one(self, application: Application, profile: Response) -> CaseResult:
        answers = {PROFILE: profile.body}
        try:
            answers[DETAILS] = self._details(application).body
            snapshot = read_case(answers, self._context.language)
            if snapshot.case_number != normalize_number(application.number):
                raise UnexpectedAnswer(_("the tracker returned a different application than requested"))
        except ReadFailed as error:
            if self._ends_check(error):
                raise
            return CaseFailed(case_number=normalize_number(application.number), error=error, answers=answers)
        return CaseRead(snapshot=snapshot, answers=answers)

    def _ends_check(self, error: ReadFailed) -> bool:
        """Return whether the next application must not be requested, or would fail the same way."""
        asked_to_wait = isinstance(error, PortalUnavailable) and error.retry_after is not None
        return asked_to_wait or self._context.stop.is_set() or isinstance(error, _ACCOUNT_ERRORS)

    def _details(self, application: Application) -> Response:
        query: dict[str, Any] = {"method": DETAILS, "applicationNumber": application.number}
        if self._account.program == "immigration":
            query |= {"uci": application.uci or self._account.username, "isAgent": False}
        return self._ask(query)

    def _ask(self, query: dict[str, Any]) -> Response:
        """Send a query to the data service. Renew a token that it no longer accepts, once."""
        answer = self._send(query)
        if answer.status == _UNAUTHORIZED:
            self._token = self._sign_in.renew_id_token()
            answer = self._send(query)
        if answer.status == _UNAUTHORIZED:
            raise PortalUnavailable(
                _("IRCC: the data service refuses a token that the sign-in service has just issued")
            )
        if is_firewall_answer(answer):
            raise blocked_by_firewall(DATA_SERVICE_BLOCKED)
        if answer.status == _NOT_FOUND and query["method"] == DETAILS:
            raise CaseNotFound(_("IRCC: the tracker does not know an application from its own list"))
        if answer.status != _OK:
            raise UnexpectedAnswer(
                _("the data service returned HTTP {status} for {method}", status=answer.status, method=query["method"])
            )
        return answer

    def _send(self, query: dict[str, Any]) -> Response:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Origin": self._account.tracker.site,
            "Referer": f"{self._account.tracker.site}/",
        }
        return self._http.send("POST", self._url, headers=headers, json=query, follow=False)


@contextmanager
def open_reader(account: IrccAccount, context: PortalContext) -> Iterator[IrccReader]:
    """Open a reader. Leaving the context closes its connections."""
    origins = (account.auth_url or AUTH_URL, account.base_url or account.tracker.api)
    with PortalHttp(
        portal="IRCC",
        hosts=set(map(host_of, origins)),
        origins=origins,
        clock=context.clock,
        stop=context.stop,
        trace=context.trace,
        ca_file=account.ca_file,
    ) as http:
        yield IrccReader(account, context, http)
