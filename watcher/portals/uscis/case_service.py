"""The pages and endpoints of my.uscis.gov: the list of receipts, and the answers about each case.

The case service answers 401, or 200 without content, both if the session has ended and for a case of another account
(which can also be 403, 404, or 500). The list of cases tells the two apart: it answers, empty or not, as long as the
session is valid.
"""

import re
from collections.abc import Iterator
from shlex import quote
from typing import Any

from watcher.errors import CaseNotFound, CodeNeeded, PortalUnavailable, ReadFailed, SessionEnded, UnexpectedAnswer
from watcher.http.client import PortalHttp, TooManyRequests
from watcher.http.response import Response
from watcher.messages import _, mark
from watcher.portal import CaseFailed, CaseRead, CaseResult, PortalContext
from watcher.portals.uscis.answers import read_case, read_documents, read_status, unwrap
from watcher.portals.uscis.handover import LISTED, SERVICE
from watcher.portals.uscis.sign_in_pages import APPLICANT, UscisOrigins, is_sign_in_address
from watcher.portals.uscis.snapshot import snapshot
from watcher.privacy.personal_fields import without_personal_fields
from watcher.text.html import plain_text

_LISTED = re.compile(LISTED, re.IGNORECASE)
_SERVER_ERRORS = frozenset(range(500, 600)) - {502, 503, 504}  # those of the service itself, not of its gateway
_OK = 200
_FORBIDDEN = 403
_NOT_FOUND = 404
_DENIED = frozenset({401, _FORBIDDEN})
_EMPTY = frozenset({204, _NOT_FOUND})
# An answer other than that for the case itself, and what is said of it.
_UNREADABLE = {
    "status": mark("cannot read the status of {receipt}: {reason}"),
    "documents": mark("cannot read the documents of {receipt}: {reason}"),
}
_UNEXPECTED_STATUS = {
    "status": mark("USCIS online account: the status of {receipt} returned HTTP {status}"),
    "documents": mark("USCIS online account: the documents of {receipt} returned HTTP {status}"),
}


class CaseService:
    """The case service, as seen with a session's cookies. `name` is the account's, for instructions to the user."""

    def __init__(self, http: PortalHttp, origins: UscisOrigins, context: PortalContext, *, name: str) -> None:
        """`http` carries the cookies."""
        self._http, self._origins, self._context, self._name = http, origins, context, name

    def listed_receipts(self) -> list[str]:
        """Return the receipts on the applicant's page, each once, in the order of the page; paper receipts too.

        The visit also carries a sign-in at myaccount.uscis.gov over to my.uscis.gov. Raises `SessionEnded` if it
        leads to a sign-in.
        """
        headers = {"Accept": "text/html", "Referer": f"{self._origins.auth}/dashboard"}
        answer = self._http.send("GET", f"{self._origins.cases}{APPLICANT}", headers=headers)
        self._check_firewall(answer)
        if is_sign_in_address(answer.url) or answer.status in _DENIED:
            raise _session_ended()
        if answer.status != _OK:
            raise UnexpectedAnswer(
                _("USCIS online account: the applicant's page returned HTTP {status}", status=answer.status)
            )
        text = plain_text(answer.text())
        return list(dict.fromkeys(receipt.upper() for receipt in _LISTED.findall(text)))

    def read(self, receipt: str, embedded: Any = None, *, expected: bool = True) -> Iterator[CaseResult]:
        """Yield the result for one case, then a failure for its status or its documents if they could not be read.

        `embedded` is the case as another one contained it; then it is not requested again. `expected`: the account is
        known to have the case, so a server error means trouble and not the case of another account. Raises
        `SessionEnded`, and `PortalUnavailable` if the portal as a whole is unavailable.
        """
        try:
            answers = {
                "case": without_personal_fields(
                    {"data": self._case(receipt, expected=expected) if embedded is None else embedded}
                )
            }
            _check_receipt(read_case(answers["case"]).receipt_number, receipt)
        except (CaseNotFound, UnexpectedAnswer, _CaseUnavailable) as error:
            yield CaseFailed(case_number=receipt, error=error)
            return
        failures = [failure for name in ("status", "documents") if (failure := self._add(name, receipt, answers))]
        yield CaseRead(snapshot=snapshot(answers, self._context.language), answers=answers)
        yield from failures

    def _case(self, receipt: str, *, expected: bool) -> Any:
        answer = self._get(f"/cases/{receipt}", allow=_SERVER_ERRORS)
        data = _data(answer)
        if data is not None:
            return data
        if answer.status != _NOT_FOUND:
            self._check_session()
        if answer.status in _SERVER_ERRORS and expected:
            raise _CaseUnavailable(
                _(
                    "USCIS online account: cannot read {receipt} (HTTP {status}). USCIS returns this when it has "
                    "technical problems, and for a case of another account",
                    receipt=receipt,
                    status=answer.status,
                )
            )
        if answer.status in _DENIED | _EMPTY | _SERVER_ERRORS | {_OK}:
            raise CaseNotFound(
                _(
                    "the online account does not show this case; check the number for a typo. If it is correct, "
                    'the case belongs to another account; one with portal = "uscis-api", or with portal = '
                    '"manual" and site = "egov", can watch it'
                ),
                out_of_reach=True,
            )
        raise UnexpectedAnswer(
            _("USCIS online account: {receipt} returned HTTP {status}", receipt=receipt, status=answer.status)
        )

    def _check_session(self) -> None:
        """Raise `SessionEnded` if the portal answers but does not list the account's cases."""
        if not isinstance(_data(self._get("/cases")), list):
            raise _session_ended()

    def _add(self, name: str, receipt: str, answers: dict[str, bytes]) -> CaseFailed | None:
        """Add the answer `name` to the case. If it fails, return the failure; that part of the case stays as it was."""
        path = {"status": f"/case_status/{receipt}", "documents": f"/cases/{receipt}/documents"}[name]
        try:
            answer = self._get(path)
            if answer.status not in _EMPTY:
                answers[name] = _validated(name, receipt, answer)
        except (UnexpectedAnswer, PortalUnavailable) as error:
            if isinstance(error, TooManyRequests) or self._context.stop.is_set():
                raise
            return CaseFailed(case_number=receipt, error=_of_part(name, receipt, error))
        return None

    def _get(self, path: str, allow: frozenset[int] = frozenset()) -> Response:
        headers = {"Accept": "application/json", "Referer": f"{self._origins.cases}{APPLICANT}"}
        url = f"{self._origins.cases}{SERVICE}{path}"
        answer = self._http.send("GET", url, headers=headers, follow=False, allow=allow)
        self._check_firewall(answer)
        if is_sign_in_address(answer.headers.get("location", "")):
            raise _session_ended()
        return answer

    def _check_firewall(self, answer: Response) -> None:
        """Raise `CodeNeeded` if the firewall blocks programs; only a person's browser passes it.

        That says nothing about a case, and it is not a rejected sign-in.
        """
        blocked = answer.status == _FORBIDDEN and "html" in answer.headers.get("content-type", "")
        if blocked or "x-amzn-waf-action" in answer.headers:
            raise CodeNeeded(
                _(
                    "USCIS online account: USCIS now answers only to a person's browser. Sign in with your own "
                    "browser, export its cookies, then run: watcher login {account} --cookies FILE",
                    account=quote(self._name),
                )
            )


class _CaseUnavailable(PortalUnavailable):
    """A server error that may concern one case only."""


def _of_part(name: str, receipt: str, error: UnexpectedAnswer | PortalUnavailable) -> ReadFailed:
    """Return the error with the part of the case that it concerns."""
    message = _(_UNREADABLE[name], receipt=receipt, reason=error)
    if isinstance(error, PortalUnavailable):
        return PortalUnavailable(message, retry_after=error.retry_after)
    return UnexpectedAnswer(message)


def _session_ended() -> SessionEnded:
    return SessionEnded(_("USCIS online account: the session has ended"))


def _data(answer: Response) -> Any:
    """Return the content of a successful answer's envelope, or None."""
    if answer.status != _OK:
        return None
    body = answer.json()
    return body.get("data") if isinstance(body, dict) else None


def _check_receipt(received: str, requested: str) -> None:
    if received != requested:
        raise UnexpectedAnswer(
            _("USCIS online account: requested {requested} but received another case", requested=requested)
        )


def _validated(name: str, receipt: str, answer: Response) -> bytes:
    """Return the answer as it is stored. Raises `UnexpectedAnswer` if it is unreadable or about another case."""
    if answer.status != _OK:
        raise UnexpectedAnswer(_(_UNEXPECTED_STATUS[name], receipt=receipt, status=answer.status))
    body = without_personal_fields({"data": unwrap(answer.body, name)})
    if name == "documents":
        read_documents(body)
    else:
        _check_receipt(read_status(body).receipt_number, receipt)
    return body
