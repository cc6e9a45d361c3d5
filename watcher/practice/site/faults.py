"""The switches for everything that goes wrong with portals, to be thrown from any thread while the portal runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from threading import Lock

from watcher.practice.site.exchange import Response


class Page(StrEnum):
    """What a request was for; a fault reaches only the pages on which it can happen."""

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
        """Whether a program reads it, not a person."""
        return self in _JSON


_JSON = frozenset({Page.JSON_LIST, Page.JSON_CASE, Page.TOKEN, Page.CASE_STATUS})


class Fault(StrEnum):
    """What can go wrong."""

    MAINTENANCE = "maintenance"
    """A friendly page with status 200, whatever was asked."""
    UNAVAILABLE = "unavailable"
    """503, in the manner of the place: a page, or the Case Status API's own odd JSON."""
    BAD_GATEWAY = "bad_gateway"
    """502 in bare text."""
    SERVER_ERROR = "server_error"
    """500; for JSON in the newer `errors[]` style."""
    TOO_MANY_REQUESTS = "too_many_requests"
    """429, with Retry-After where `retry_after` says so."""
    VERBATIM = "verbatim"
    """Exactly the `answer` that was given with the switch."""
    SIGN_IN_PAGE = "sign_in_page"
    """The sign-in page with status 200 in place of what was asked."""
    HTML_FOR_JSON = "html_for_json"
    """A page with status 200 in place of JSON."""
    INVALID_JSON = "invalid_json"
    """Status 200 and JSON with a quotation mark that nobody escaped."""
    NO_ANSWER = "no_answer"
    """The connection ends without a word."""
    CUT_OFF = "cut_off"
    """The connection ends halfway through the body."""
    SLOW = "slow"
    """The right answer, after `delay`."""
    CHANGED_SHAPE = "changed_shape"
    """The right answer with its fields, ids and classes renamed."""
    EMPTY_LIST = "empty_list"
    """The list of cases without a case; for the Case Status API, nothing but an empty list."""
    REORDERED = "reordered"
    """The right answer, every key and every list in the opposite order."""


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
class Trouble:
    """One thrown switch. `path` is a shell pattern (`/cases/*`); `delay` is in real time, `answer` for `VERBATIM`."""

    fault: Fault
    path: str = "*"
    retry_after: timedelta | None = None
    delay: timedelta = timedelta(0)
    answer: Response | None = None

    def reaches(self, page: Page, path: str) -> bool:
        """Whether a request for this page meets it."""
        return page in _REACH.get(self.fault, _ANYWHERE) and fnmatchcase(path, self.path)


class FaultBoard:
    """The switches. Nothing is wrong until one is thrown."""

    def __init__(self) -> None:
        """Begins with every switch off."""
        self._lock = Lock()
        self._troubles: list[tuple[Trouble, int | None]] = []

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
        """From now on this goes wrong, for the next `times` requests it reaches, or until it is cleared."""
        if (fault is Fault.VERBATIM) is not (answer is not None):
            raise ValueError("an answer goes with Fault.VERBATIM, and with nothing else")
        trouble = Trouble(fault=fault, path=path, retry_after=retry_after, delay=delay, answer=answer)
        with self._lock:
            self._troubles.append((trouble, times))

    def clear(self, fault: Fault | None = None) -> None:
        """Puts right every fault of this kind, or all."""
        with self._lock:
            self._troubles = [entry for entry in self._troubles if fault is not None and entry[0].fault is not fault]

    def meet(self, page: Page, path: str) -> tuple[Trouble, ...]:
        """What goes wrong with this request, in the order the switches were thrown; counts it off."""
        with self._lock:
            met = [trouble for trouble, _ in self._troubles if trouble.reaches(page, path)]
            counted = [
                (trouble, times - 1 if times is not None and trouble.reaches(page, path) else times)
                for trouble, times in self._troubles
            ]
            self._troubles = [entry for entry in counted if entry[1] is None or entry[1] > 0]
        return tuple(met)


def first_of(troubles: Iterable[Trouble], faults: frozenset[Fault]) -> Trouble | None:
    """The first trouble of one of these kinds, or None."""
    return next((trouble for trouble in troubles if trouble.fault in faults), None)
