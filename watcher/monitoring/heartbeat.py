"""The heartbeat: a page that is fetched after every good round of reads, at a service that tells you when it stops.

The addresses are those of healthchecks servers (https://healthchecks.io/docs/http_api/): the page itself after a good
round, `/start` below it when a round begins, `/fail` when it was not good. A service that knows only the page itself
refuses the other two, which does no harm.

It goes through the standard library's urllib, not through the portals' door to HTTP: that one belongs to a portal's
own hosts, keeps its limits and turns answers into errors of a read. This is one request whose answer nobody reads,
and nothing that befalls it may ever touch a read. Certificates are verified, redirects are not followed, and the
address, which is a secret, is never logged.
"""

from collections.abc import Callable
from enum import StrEnum
from http.client import HTTPException
from queue import Full, Queue
from threading import Lock, Thread
from urllib.parse import urlsplit, urlunsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request, UnknownHandler

import structlog
from pydantic import SecretStr

from watcher import __version__
from watcher.model.account_health import ReadOutcome

_TIMEOUT = 10.0
_PAUSES = (2.0, 10.0)
_AT_MOST = 16
_GOOD, _REDIRECTED = 200, 300
_log = structlog.get_logger(__name__)


class Beat(StrEnum):
    """What is said, and where below the address."""

    START = "/start"
    GOOD = ""
    FAIL = "/fail"


def address_of(url: str, beat: Beat) -> str:
    """Where a beat goes: below the path of `url`, before its query."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/") + beat.value if beat.value else parts.path
    return urlunsplit(parts._replace(path=path, fragment=""))


class Rounds:
    """Tells rounds from single reads: a round is what lies between two moments at which nothing is being read.

    A round is good when every account's latest read was: one account that fails is not hidden by another that does
    not. Safe to call from several threads.
    """

    def __init__(self) -> None:
        """Nothing is being read."""
        self._lock = Lock()
        self._reading: set[str] = set()
        self._failing: set[str] = set()

    def began(self, account: str) -> Beat | None:
        """A read begins; returns what is to be said of it."""
        with self._lock:
            first = not self._reading
            self._reading.add(account)
            return Beat.START if first else None

    def ended(self, account: str, outcome: ReadOutcome | None) -> Beat | None:
        """A read ended; `outcome` None: it was cut off, or another process has the turn, which says nothing here."""
        with self._lock:
            self._reading.discard(account)
            if outcome is ReadOutcome.OK:
                self._failing.discard(account)
            elif outcome is not None:
                self._failing.add(account)
            if self._reading or outcome is None:
                return None
            return Beat.FAIL if self._failing else Beat.GOOD

    def forget_all_but(self, accounts: frozenset[str]) -> None:
        """Accounts that the configuration no longer has do not count any more."""
        with self._lock:
            self._failing &= accounts


class Heartbeat:
    """Fetches the page, in a thread of its own."""

    def __init__(self, url: SecretStr, *, wait: Callable[[float], object]) -> None:
        """Nothing is fetched before `start`. `wait` passes the seconds between two attempts."""
        self._url, self._wait = url, wait
        self._beats: Queue[Beat | None] = Queue(_AT_MOST)
        self._opener = _opener()
        self._heard = True
        self._thread = Thread(target=self._work, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begins to send what is said."""
        self._thread.start()

    def send(self, beat: Beat) -> None:
        """Has the beat sent; returns at once. Beats that pile up because none can be sent are dropped."""
        self._put(beat)

    def stop(self) -> None:
        """Sends what was said before, and ends; nobody waits for it."""
        self._put(None)

    def _put(self, beat: Beat | None) -> None:
        try:
            self._beats.put_nowait(beat)
        except Full:
            _log.debug("heartbeats pile up; one was dropped")

    def _work(self) -> None:
        while (beat := self._beats.get()) is not None:
            self._send(beat)

    def _send(self, beat: Beat) -> None:
        """Sends one beat, what matters up to three times; whether the service hears is logged once down, once up."""
        trouble = self._attempt(beat)
        for pause in () if beat is Beat.START else _PAUSES:
            if trouble is None:
                break
            self._wait(pause)
            trouble = self._attempt(beat)
        if beat is not Beat.GOOD:
            # A service that is no healthchecks server does not know these two; that is no trouble.
            if trouble is not None:
                _log.debug("a heartbeat was not taken", beat=beat.name, reason=trouble)
            return
        if trouble is None and not self._heard:
            _log.info("the heartbeat is heard again")
        elif trouble is not None and self._heard:
            _log.warning("the heartbeat could not be sent; reads go on without it", reason=trouble)
        self._heard = trouble is None

    def _attempt(self, beat: Beat) -> str | None:
        """One request. Returns what went wrong, in words that do not show the address."""
        request = Request(  # noqa: S310 - the settings take http and https only
            address_of(self._url.get_secret_value(), beat), headers={"User-Agent": f"case-watcher/{__version__}"}
        )
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as answer:
                status: int = answer.status
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None)
            return type(reason if isinstance(reason, Exception) else error).__name__
        return None if _GOOD <= status < _REDIRECTED else f"it answered {status}"


def _opener() -> OpenerDirector:
    """An urllib without redirects, cookies, files and FTP; through the proxies of the environment."""
    opener = OpenerDirector()
    for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler(), UnknownHandler()):
        opener.add_handler(handler)
    return opener
