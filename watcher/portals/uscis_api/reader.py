"""One check of an account at the USCIS Case Status API: concurrent requests, one rate limit, one daily allowance."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from queue import SimpleQueue
from threading import Event, Lock, Thread
from zoneinfo import ZoneInfo

from watcher.errors import CaseNotFound, PortalUnavailable, ReadFailed, UnexpectedAnswer
from watcher.http.client import PortalHttp, TooManyRequests
from watcher.http.hosts import host_of
from watcher.http.rate_limits import DailyAllowance, RateLimit
from watcher.http.response import Response
from watcher.messages import _
from watcher.portal import CaseFailed, CaseRead, CaseResult, CaseResults, CaseUnchanged, PortalContext
from watcher.portals.uscis_api.account import UscisApiAccount
from watcher.portals.uscis_api.snapshot import ENDPOINT, error_message, read
from watcher.portals.uscis_api.token import ClientCredentials, TokenProvider

EASTERN = ZoneInfo("America/New_York")
"""The time zone at whose midnight the API's day begins (developer.uscis.gov)."""

_MAX_UNANSWERED = 5  # consecutive requests without an answer; the remaining cases are left for the next check
_MAX_ATTEMPTS = 3
_BATCH_SECONDS = 0.2  # how long results of unchanged cases are collected
_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _MALFORMED = 200, 401, 403, 404, 422


@contextmanager
def open_reader(account: UscisApiAccount, context: PortalContext) -> Iterator["CaseReader"]:
    """Yield a reader of this account. Its connections are closed on exit."""
    with PortalHttp(
        portal=_("USCIS Case Status API"),
        hosts={host_of(account.origin), host_of(account.token_endpoint)},
        origins=(account.origin, account.token_endpoint),
        clock=context.clock,
        stop=context.stop,
        trace=context.trace,
        ca_file=account.ca_file,
    ) as http:
        yield CaseReader(account, http, context)


class CaseReader:
    """Reads every case that the account lists and that is not finished."""

    def __init__(self, account: UscisApiAccount, http: PortalHttp, context: PortalContext) -> None:
        self._account, self._http, self._context = account, http, context
        credentials = ClientCredentials(
            token_url=account.token_endpoint,
            client_id=account.client_id,
            client_secret=account.client_secret.get_secret_value(),
        )
        self._tokens = TokenProvider(credentials, http, context)
        self._headers = {"Accept": "application/json", **({"demo_id": account.demo_id} if account.demo_id else {})}
        self._rate = RateLimit(account.rate, pause=context.stop.wait)

    def read(self) -> CaseResults:
        """Yield every case as its answer arrives. Cases beyond the daily allowance fail until midnight.

        Raises `SignInRejected` if the client credential is rejected, `ForeignHost`, `PortalUnavailable` if no token is
        available or the daemon stops, and `UnexpectedAnswer` if the API rejects its own token.
        """
        cases = [case for case in self._account.cases if not self._context.is_finished(case)]
        limit, clock = self._account.daily_limit, self._context.clock
        with DailyAllowance(self._context.quota, len(cases), daily_limit=limit, zone=EASTERN, clock=clock) as allowance:
            today, later = _select_cases(cases, allowance.granted, clock.now().astimezone(EASTERN).date())
            yield from _ConcurrentRequests(self, today, allowance, self._account.concurrency).results()
        error = _allowance_used(limit, allowance.resets_in)
        for case in later:
            yield CaseFailed(case_number=case, error=error)

    def request_case(self, case: str, allowance: DailyAllowance) -> CaseResult:
        """Request one case. Raises `ReadFailed` for errors of the whole account."""
        token = self._tokens.token()
        for _attempt in range(_MAX_ATTEMPTS):
            try:
                answer = self._send(case, token, allowance)
            except (PortalUnavailable, UnexpectedAnswer) as error:
                if self._context.stop.is_set():
                    raise
                return CaseFailed(case_number=case, error=error)
            if answer.status != _UNAUTHORIZED:
                return _result(case, answer, self._context)
            token = self._tokens.replace_rejected(token)
        raise UnexpectedAnswer(_("the API keeps refusing tokens that it has just issued (HTTP 401)"))

    def _send(self, case: str, token: str, allowance: DailyAllowance) -> Response:
        if not allowance.use():
            raise _allowance_used(self._account.daily_limit, allowance.resets_in)
        if not self._rate.wait():
            raise PortalUnavailable(_("the program is stopping, so the check was ended"))
        headers = {"Authorization": f"Bearer {token}", **self._headers}
        return self._http.send("GET", f"{self._account.origin}/case-status/{case}", headers=headers)


class _ConcurrentRequests:
    """The requests of one check, distributed over a few threads.

    Results pass through an unbounded queue, because the rate limit bounds it better than a size would. Results of
    unchanged cases are sent in batches: nothing depends on them, and waking the consumer for each of them costs more
    than everything else besides the request.
    """

    def __init__(self, reader: CaseReader, cases: Sequence[str], allowance: DailyAllowance, workers: int) -> None:
        self._reader, self._allowance = reader, allowance
        self._remaining, self._workers = iter(cases), min(workers, len(cases))
        self._queue: SimpleQueue[Sequence[CaseResult] | Exception | None] = SimpleQueue()
        self._cancelled, self._lock = Event(), Lock()
        self._unanswered = 0
        self._reason: PortalUnavailable | None = None

    def results(self) -> Iterator[CaseResult]:
        """Yield every result, also if a request ends the check early; its error is raised after the results."""
        threads = [Thread(target=self._work, name="case-status", daemon=True) for _attempt in range(self._workers)]
        for thread in threads:
            thread.start()
        failure: Exception | None = None
        try:
            while self._workers:
                batch = self._queue.get()
                if batch is None:
                    self._workers -= 1
                elif isinstance(batch, Exception):
                    failure = failure or batch
                else:
                    yield from batch
        finally:
            self._cancelled.set()
            for thread in threads:
                thread.join()
        if failure is not None:
            raise failure
        if self._reason is not None:
            for case in self._remaining:
                yield CaseFailed(case_number=case, error=self._reason)

    def _work(self) -> None:
        batch: list[CaseResult] = []
        sent_at = time.monotonic()
        try:
            while not self._cancelled.is_set() and (case := self._next()) is not None:
                batch.append(self._request(case))
                if not isinstance(batch[-1], CaseUnchanged) or time.monotonic() - sent_at > _BATCH_SECONDS:
                    self._queue.put(batch)
                    batch, sent_at = [], time.monotonic()
        except Exception as error:  # noqa: BLE001 - raised again in the thread that consumes the results
            self._cancelled.set()
            self._queue.put(error)
        finally:
            self._queue.put(batch)
            self._queue.put(None)

    def _next(self) -> str | None:
        with self._lock:
            return next(self._remaining, None)

    def _request(self, case: str) -> CaseResult:
        result = self._reader.request_case(case, self._allowance)
        if isinstance(result, CaseFailed) and isinstance(result.error, PortalUnavailable):
            self._count_unanswered(result.error)
        else:
            self._unanswered = 0
        return result

    def _count_unanswered(self, error: PortalUnavailable) -> None:
        """Cancel the check after several failures in a row, or if the portal asks to wait. One case may fail alone."""
        with self._lock:
            self._unanswered += 1
            if (
                isinstance(error, TooManyRequests)
                or error.retry_after is not None
                or self._unanswered >= _MAX_UNANSWERED
            ):
                self._reason = self._reason or error
                self._cancelled.set()


def _select_cases(cases: Sequence[str], granted: int, today: date) -> tuple[Sequence[str], Sequence[str]]:
    """Return the cases to request today, and the others.

    If the daily allowance is too small for all, each day starts where the previous one ended, so that every case is
    requested in turn.
    """
    if granted >= len(cases):
        return cases, ()
    start = today.toordinal() * granted % len(cases)
    rotated = [*cases[start:], *cases[:start]]
    return rotated[:granted], rotated[granted:]


def _allowance_used(limit: int, resets_in: timedelta) -> PortalUnavailable:
    return PortalUnavailable(
        _(
            "today's {limit} requests are used up (daily_requests). USCIS counts again from midnight Eastern Time",
            limit=limit,
        ),
        retry_after=resets_in,
    )


def _result(case: str, answer: Response, context: PortalContext) -> CaseResult:
    answers = {ENDPOINT: answer.body}
    try:
        if answer.status != _OK:
            raise _error_of(answer)
        if context.is_unchanged(case, answers):
            return CaseUnchanged(case_number=case)
        snapshot = read(answers, context.language)
        if snapshot.case_number != case:
            raise UnexpectedAnswer(_("the API answered about a different case than requested"))
    except ReadFailed as error:
        if answer.status == _FORBIDDEN:
            raise
        return CaseFailed(case_number=case, error=error, answers=answers)
    return CaseRead(snapshot=snapshot, answers=answers)


def _error_of(answer: Response) -> ReadFailed:
    if answer.status == _NOT_FOUND and error_message(answer.body):
        return CaseNotFound(
            _(
                "USCIS does not know this receipt number, or may not give information about the case (8 U.S.C. 1367"
                " protects some people; only the Contact Center answers for them). Check the number for a typo"
            )
        )
    if answer.status == _MALFORMED and error_message(answer.body):
        return UnexpectedAnswer(_("USCIS says that this receipt number is malformed (HTTP 422). Check it for a typo"))
    if answer.status == _FORBIDDEN:
        return UnexpectedAnswer(
            _("USCIS refuses access to the API (HTTP 403). See your app's page at developer.uscis.gov")
        )
    return UnexpectedAnswer(
        _("the API returned an unexpected answer (HTTP {status}). Check base_url", status=answer.status)
    )
