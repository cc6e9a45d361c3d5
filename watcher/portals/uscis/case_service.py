"""The pages and endpoints of my.uscis.gov: which receipts there are, and what is said about each.

The case service says 401, or 200 with nothing in it, both when the session has ended and for a case of another
account (which also comes as 403, 404 and 500). Which of the two it is, the list of cases tells: it answers, empty or
not, as long as the session lives.
"""

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from watcher.errors import CaseNotFound, CodeNeeded, PortalUnavailable, SessionEnded, UnexpectedAnswer
from watcher.http.answer import Response
from watcher.http.client import PortalHttp, TooManyRequests
from watcher.portal import CaseFailed, CaseRead, CaseResult, PortalContext
from watcher.portals.uscis.answers import RECEIPT, content, read_case, read_documents, read_status
from watcher.portals.uscis.sign_in_pages import APPLICANT, UscisOrigins, is_signed_out
from watcher.portals.uscis.snapshot import snapshot
from watcher.privacy.personal_fields import without_personal_fields

SERVICE = "/account/case-service/api"

_LISTED = re.compile(rf"Receipt\s*(?:#|number)?\s*:?\s*({RECEIPT})\b", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,2000}>")
_NOT_THE_GATEWAY = frozenset(range(500, 600)) - {502, 503, 504}
_OK = 200
_FORBIDDEN = 403
_NOT_FOUND = 404
_NOT_SHOWN = frozenset({401, _FORBIDDEN})
_NOTHING = frozenset({204, _NOT_FOUND})
_ME = "USCIS online account"


class CaseService:
    """What a session's cookies open. `name` is the account's, for what a person is told to do."""

    def __init__(self, http: PortalHttp, origins: UscisOrigins, surroundings: PortalContext, *, name: str) -> None:
        """`http` carries the cookies."""
        self._http, self._origins, self._surroundings, self._name = http, origins, surroundings, name

    def receipts(self) -> list[str]:
        """The receipts on the applicant's page, each once, as they stand there.

        The visit also carries a sign-in at myaccount.uscis.gov over to my.uscis.gov. Raises `SessionEnded` where it
        leads to a sign-in.
        """
        headers = {"Accept": "text/html", "Referer": f"{self._origins.auth}/dashboard"}
        answer = self._http.send("GET", f"{self._origins.cases}{APPLICANT}", headers=headers)
        self._check_for_wall(answer)
        if is_signed_out(answer.url) or answer.status in _NOT_SHOWN:
            raise _ended()
        if answer.status != _OK:
            raise UnexpectedAnswer(f"{_ME}: the applicant's page came with HTTP {answer.status}")
        text = " ".join(html.unescape(_TAG.sub(" ", answer.text())).split())
        return list(dict.fromkeys(found.upper() for found in _LISTED.findall(text)))

    def read(self, receipt: str, embedded: Any = None) -> Iterator[CaseResult]:
        """One case; then what of it could not be read, where its status or its documents failed.

        `embedded` is the case as it came within another one; then it is not asked for again. Raises `SessionEnded`,
        and `PortalUnavailable` where the portal as a whole is not to be had.
        """
        try:
            answers = {"case": without_personal_fields({"data": self._case(receipt) if embedded is None else embedded})}
            _check_receipt(read_case(answers["case"]).receipt_number, receipt)
        except (CaseNotFound, UnexpectedAnswer, _Unreadable) as error:
            yield CaseFailed(case_number=receipt, error=error)
            return
        troubles = [trouble for name in ("status", "documents") if (trouble := self._add(name, receipt, answers))]
        yield CaseRead(snapshot=snapshot(answers, self._surroundings.language), answers=answers)
        yield from troubles

    def _case(self, receipt: str) -> Any:
        answer = self._ask(f"/cases/{receipt}", allow=_NOT_THE_GATEWAY)
        said = _said(answer)
        if said is not None:
            return said
        if answer.status != _NOT_FOUND:
            self._check_session()
        if answer.status in _NOT_THE_GATEWAY:
            raise _Unreadable(
                f"{_ME}: {receipt} cannot be read (HTTP {answer.status}); the portal answers so when it is in "
                "trouble, and also for a case of another account"
            )
        if answer.status in _NOT_SHOWN | _NOTHING | {_OK}:
            raise CaseNotFound(f"{_ME}: {receipt} is not shown to this account")
        raise UnexpectedAnswer(f"{_ME}: {receipt} came with HTTP {answer.status}")

    def _check_session(self) -> None:
        """Raises `SessionEnded` where even the list of cases does not answer, though the portal does."""
        if not isinstance(_said(self._ask("/cases")), list):
            raise _ended()

    def _add(self, name: str, receipt: str, answers: dict[str, bytes]) -> CaseFailed | None:
        """Asks for what goes with a case. What fails is left out, so that its part stays as it was, and reported."""
        path = {"status": f"/case_status/{receipt}", "documents": f"/cases/{receipt}/documents"}[name]
        try:
            answer = self._ask(path)
            if answer.status not in _NOTHING:
                answers[name] = _checked(name, receipt, answer)
        except (UnexpectedAnswer, PortalUnavailable) as error:
            if isinstance(error, TooManyRequests) or self._surroundings.stop.is_set():
                raise
            return CaseFailed(case_number=receipt, error=error)
        return None

    def _ask(self, path: str, allow: frozenset[int] = frozenset()) -> Response:
        headers = {"Accept": "application/json", "Referer": f"{self._origins.cases}{APPLICANT}"}
        url = f"{self._origins.cases}{SERVICE}{path}"
        answer = self._http.send("GET", url, headers=headers, follow=False, allow=allow)
        self._check_for_wall(answer)
        if is_signed_out(answer.headers.get("location", "")):
            raise _ended()
        return answer

    def _check_for_wall(self, answer: Response) -> None:
        """A wall against programs is neither news nor a rejection; only a person's browser gets past it."""
        barred = answer.status == _FORBIDDEN and "html" in answer.headers.get("content-type", "")
        if barred or "x-amzn-waf-action" in answer.headers:
            raise CodeNeeded(
                f"{_ME}: the portal answers only a person's browser now. Sign in with yours, export its cookies, then: "
                f"watcher login {self._name} --cookies FILE"
            )


class _Unreadable(PortalUnavailable):
    """A server error that may be about one case alone."""


def _ended() -> SessionEnded:
    return SessionEnded(f"{_ME}: the session has ended")


def _said(answer: Response) -> Any:
    """What is in the envelope of a good answer; None where nothing is, or where it is no good answer."""
    if answer.status != _OK:
        return None
    said = answer.json()
    return said.get("data") if isinstance(said, dict) else None


def _check_receipt(said: str, asked: str) -> None:
    if said != asked:
        raise UnexpectedAnswer(f"{_ME}: asked for {asked}, got another case")


def _checked(name: str, receipt: str, answer: Response) -> bytes:
    """The answer as it is kept. Raises `UnexpectedAnswer` where it cannot be read or is about another case."""
    if answer.status != _OK:
        raise UnexpectedAnswer(f"{_ME}: the {name} of {receipt} came with HTTP {answer.status}")
    body = without_personal_fields({"data": content(answer.body, name)})
    if name == "documents":
        read_documents(body)
    else:
        _check_receipt(read_status(body).receipt_number, receipt)
    return body


def embedded_cases(case: bytes) -> Mapping[str, Any]:
    """The cases that came whole within another one (`concurrentCases`), by receipt."""
    said = content(case, "case")
    listed = said.get("concurrentCases") if isinstance(said, dict) else None
    return {
        receipt: entry
        for entry in (listed if isinstance(listed, list) else ())
        if isinstance(entry, dict)
        and isinstance(receipt := entry.get("receiptNumber"), str)
        and re.fullmatch(RECEIPT, receipt, re.ASCII)
    }
