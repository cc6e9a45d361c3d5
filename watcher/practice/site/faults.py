"""Faults of a portal that can be switched on from any thread while the portal runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from threading import Lock

from watcher.practice.site.exchange import Response


class Page(StrEnum):
    """What a request asks for. A fault affects only the pages on which it can happen."""

    SIGN_IN = "sign_in"
    LIST = "list"
    CASE = "case"
    NOTICE = "notice"
    JSON_LIST = "json_list"
    JSON_CASE = "json_case"
    TOKEN = "token"  # noqa: S105 -- the name of a page
    CASE_STATUS = "case_status"
    NOWHERE = "nowhere"

    @property
    def speaks_json(self) -> bool:
        """Return whether the response is JSON."""
        return self in _JSON


_JSON = frozenset({Page.JSON_LIST, Page.JSON_CASE, Page.TOKEN, Page.CASE_STATUS})


class Fault(StrEnum):
    """The kinds of faults."""

    MAINTENANCE = "maintenance"
    """A maintenance page with status 200 for every request."""
    UNAVAILABLE = "unavailable"
    """503 in the form of the page: HTML, or the Case Status API's own JSON."""
    BAD_GATEWAY = "bad_gateway"
    """502 with plain text."""
    SERVER_ERROR = "server_error"
    """500; for JSON in the newer `errors[]` form."""
    TOO_MANY_REQUESTS = "too_many_requests"
    """429, with Retry-After if `retry_after` is set."""
    VERBATIM = "verbatim"
    """Exactly the given `answer`."""
    SIGN_IN_PAGE = "sign_in_page"
    """The sign-in page with status 200 instead of the page."""
    HTML_FOR_JSON = "html_for_json"
    """An HTML page with status 200 instead of JSON."""
    INVALID_JSON = "invalid_json"
    """Status 200 and JSON with an unescaped quotation mark."""
    NO_ANSWER = "no_answer"
    """The connection is closed without a response."""
    CUT_OFF = "cut_off"
    """The connection is closed in the middle of the body."""
    SLOW = "slow"
    """The correct response, after `delay`."""
    CHANGED_SHAPE = "changed_shape"
    """The correct response with its fields, ids, and classes renamed."""
    EMPTY_LIST = "empty_list"
    """An empty list of cases; for the Case Status API, only an empty list."""
    REORDERED = "reordered"
    """The correct response with every key and list in reverse order."""


_SHOWING = frozenset({Page.LIST, Page.CASE, Page.JSON_LIST, Page.JSON_CASE, Page.CASE_STATUS})
_REACH: dict[Fault, frozenset[Page]] = {
    Fault.SIGN_IN_PAGE: _SHOWING | {Page.NOTICE},
    Fault.HTML_FOR_JSON: _JSON,
    Fault.INVALID_JSON: _JSON,
    Fault.CHANGED_SHAPE: _SHOWING,
    Fault.EMPTY_LIST: frozenset({Page.LIST, Page.JSON_LIST, Page.CASE_STATUS}),
    Fault.REORDERED: _SHOWING,
}
_ANYWHERE = frozenset(Page)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveFault:
    """One active fault. `path` is a shell pattern (`/cases/*`); `delay` is real time; `answer` is for `VERBATIM`."""

    fault: Fault
    path: str = "*"
    retry_after: timedelta | None = None
    delay: timedelta = timedelta(0)
    answer: Response | None = None

    def affects(self, page: Page, path: str) -> bool:
        """Return whether it affects a request for this page."""
        return page in _REACH.get(self.fault, _ANYWHERE) and fnmatchcase(path, self.path)


class FaultBoard:
    """The active faults. There are none at first."""

    def __init__(self) -> None:
        """Start without faults."""
        self._lock = Lock()
        self._active: list[tuple[ActiveFault, int | None]] = []

    def throw(
        self,
        fault: Fault,
        *,
        path: str = "*",
        times: int | None = None,
        retry_after: timedelta | None = None,
        delay: timedelta = timedelta(0),
        answer: Response | None = None,
    ) -> None:
        """Activate a fault for the next `times` requests that it affects, or until it is cleared."""
        if (fault is Fault.VERBATIM) is not (answer is not None):
            raise ValueError("an answer goes with Fault.VERBATIM, and with nothing else")
        active = ActiveFault(fault=fault, path=path, retry_after=retry_after, delay=delay, answer=answer)
        with self._lock:
            self._active.append((active, times))

    def clear(self, fault: Fault | None = None) -> None:
        """Clear every fault of this kind, or all."""
        with self._lock:
            self._active = [entry for entry in self._active if fault is not None and entry[0].fault is not fault]

    def faults_for(self, page: Page, path: str) -> tuple[ActiveFault, ...]:
        """Return the faults of this request in the order of activation, and count the request."""
        with self._lock:
            met = [active for active, _ in self._active if active.affects(page, path)]
            counted = [
                (active, times - 1 if times is not None and active.affects(page, path) else times)
                for active, times in self._active
            ]
            self._active = [entry for entry in counted if entry[1] is None or entry[1] > 0]
        return tuple(met)


def first_of(faults_met: Iterable[ActiveFault], faults: frozenset[Fault]) -> ActiveFault | None:
    """Return the first fault of one of these kinds, or None."""
    return next((active for active in faults_met if active.fault in faults), None)
