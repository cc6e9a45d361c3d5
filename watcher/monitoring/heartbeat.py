"""The heartbeat: a request after every successful batch of checks, to a service that alerts the user when it stops.

The addresses are those of healthchecks servers (https://healthchecks.io/docs/http_api/): the page itself after a
successful batch, `/start` below it when a batch starts, `/fail` when one failed. A service that knows only the page
itself refuses the other two, which does no harm.

It uses the standard library's urllib and not `watcher.http`, which limits requests to a portal's hosts and turns
answers into errors of a check. This is one request whose answer is ignored and which must never affect a check.
Certificates are verified, redirects are not followed, and the address, which is a secret, is never logged.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from http.client import HTTPException
from queue import SimpleQueue
from threading import Lock, Thread
from urllib.parse import urlsplit, urlunsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request, UnknownHandler

import structlog
from pydantic import SecretStr

from watcher import __version__
from watcher.model.account_health import AccountHealth, AccountState, ReadOutcome

_TIMEOUT = 10.0
_RETRY_PAUSES = (2.0, 10.0)
_QUEUE_SIZE = 16
_SUCCESS_STATUSES = range(200, 300)
_SUCCESSES = frozenset({ReadOutcome.OK, ReadOutcome.PARTIAL})
_NOT_FAILING = frozenset({AccountState.OK, AccountState.NEVER_READ})
_log = structlog.get_logger(__name__)

CLOSE_LIMIT = 3.0
"""Real seconds in which a process that ends sends the beats that are queued."""


class Beat(StrEnum):
    """A kind of heartbeat. The value is added to the path of the address."""

    START = "/start"
    SUCCESS = ""
    FAIL = "/fail"


def beat_url(url: str, beat: Beat) -> str:
    """Return the address for a beat: below the path of `url`, before its query."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/") + beat.value if beat.value else parts.path
    return urlunsplit(parts._replace(path=path, fragment=""))


class CheckBatches:
    """Groups checks that overlap in time into batches.

    A batch succeeds if the latest check of every account read a case, so a failing account is not hidden by a working
    one. A case that cannot be read while others can does not fail it. The accounts that are not in the batch are judged
    by their stored health, because another process may have checked them.
    Thread-safe.
    """

    def __init__(self) -> None:
        """Start without a running check."""
        self._lock = Lock()
        self._running: set[str] = set()
        self._failed: set[str] = set()

    def started(self, account: str) -> Beat | None:
        """Note the start of a check. Return the beat to send."""
        with self._lock:
            first = not self._running
            self._running.add(account)
            return Beat.START if first else None

    def finished(
        self, account: str, outcome: ReadOutcome | None, stored: Callable[[], Iterable[AccountHealth]]
    ) -> Beat | None:
        """Note the end of a check. Return the beat to send.

        `outcome` is None if the check was interrupted or left to another process, which says nothing about the account.
        `stored` returns the health of every configured account as it is stored now; called at the end of a batch.
        """
        with self._lock:
            self._running.discard(account)
            if outcome in _SUCCESSES:
                self._failed.discard(account)
            elif outcome is not None:
                self._failed.add(account)
            if self._running or outcome is None:
                return None
            failed = self._failed or any(health.state not in _NOT_FAILING for health in stored())
            self._failed = set()
            return Beat.FAIL if failed else Beat.SUCCESS


class Heartbeat:
    """Sends heartbeats in its own thread. A process that ends calls `close`, or beats that are queued are lost."""

    def __init__(self, url: SecretStr, *, wait: Callable[[float], object]) -> None:
        """Start nothing yet. `wait` waits for the seconds between two attempts."""
        self._url, self._wait = url, wait
        self._beats: SimpleQueue[Beat | None] = SimpleQueue()
        self._opener = _opener()
        self._reachable = True
        self._thread = Thread(target=self._work, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Start to send queued beats."""
        self._thread.start()

    def send(self, beat: Beat) -> None:
        """Queue a beat and return at once. Beats are dropped while too many are queued."""
        if self._beats.qsize() < _QUEUE_SIZE:
            self._beats.put(beat)
        else:
            _log.debug("heartbeat_dropped")

    def close(self, seconds: float = CLOSE_LIMIT) -> bool:
        """End after the queued beats. Wait up to so many seconds (monotonic). Return whether all of them were tried.

        With 0 seconds the thread goes on until it has tried them, or the process ends.
        """
        self._beats.put(None)
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (beat := self._beats.get()) is not None:
            self._send(beat)

    def _send(self, beat: Beat) -> None:
        """Send one beat, with two retries except for START. Log only when the service stops or starts to respond."""
        error = self._attempt(beat)
        for pause in () if beat is Beat.START else _RETRY_PAUSES:
            if error is None:
                break
            self._wait(pause)
            error = self._attempt(beat)
        if beat is not Beat.SUCCESS:
            # A service that is not a healthchecks server does not know these two.
            if error is not None:
                _log.debug("heartbeat_refused", beat=beat.name, reason=error)
            return
        if error is None and not self._reachable:
            _log.info("heartbeat_restored")
        elif error is not None and self._reachable:
            _log.warning("heartbeat_failed", reason=error)
        self._reachable = error is None

    def _attempt(self, beat: Beat) -> str | None:
        """Send one request. Return an error text without the address, or None."""
        request = Request(  # noqa: S310 - the settings allow only http and https
            beat_url(self._url.get_secret_value(), beat), headers={"User-Agent": f"case-watcher/{__version__}"}
        )
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as answer:
                status: int = answer.status
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None)
            return type(reason if isinstance(reason, Exception) else error).__name__
        return None if status in _SUCCESS_STATUSES else f"it answered {status}"


def _opener() -> OpenerDirector:
    """Return an opener without redirects, cookies, files, and FTP, which uses the proxies of the environment."""
    opener = OpenerDirector()
    for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler(), UnknownHandler()):
        opener.add_handler(handler)
    return opener
