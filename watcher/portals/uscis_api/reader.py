"""One read of an account at the USCIS Case Status API: several requests in flight, one limiter, one day's budget."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from queue import SimpleQueue
from threading import Event, Lock, Thread
from zoneinfo import ZoneInfo

from watcher.errors import CaseNotFound, PortalUnavailable, ReadFailed, UnexpectedAnswer
from watcher.http.answer import Response
from watcher.http.client import PortalHttp, TooManyRequests
from watcher.http.hosts import host_of
from watcher.http.rate_limits import DailyAllowance, RateLimit
from watcher.portal import CaseFailed, CaseRead, CaseResult, CaseResults, CaseUnchanged, PortalContext
from watcher.portals.uscis_api.account import UscisApiAccount
from watcher.portals.uscis_api.snapshot import ENDPOINT, error_message, read
from watcher.portals.uscis_api.token import ClientCredentials, TokenProvider

EASTERN = ZoneInfo("America/New_York")
"""Where the API's day begins at midnight (developer.uscis.gov)."""

_GIVE_UP_AFTER = 5  # requests in a row that get no answer; the rest of the cases is left for the next turn
_TRIES = 3
_NOBODY_WAITS = 0.2  # seconds for which cases that are the same as before are gathered
_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _MALFORMED = 200, 401, 403, 404, 422


@contextmanager
def open_reader(account: UscisApiAccount, around: PortalContext) -> Iterator["CaseReader"]:
    """A reader of this account; leaving the context closes its connections."""
    with PortalHttp(
        portal="USCIS Case Status API",
        hosts={host_of(account.origin), host_of(account.token_endpoint)},
        clock=around.clock,
        stop=around.stop,
        trace=around.trace,
        ca_file=account.ca_file,
    ) as http:
        yield CaseReader(account, http, around)


class CaseReader:
    """Reads every case of the account's list."""

    def __init__(self, account: UscisApiAccount, http: PortalHttp, around: PortalContext) -> None:
        self._account, self._http, self._around = account, http, around
        credentials = ClientCredentials(
            token_url=account.token_endpoint,
            client_id=account.client_id,
            client_secret=account.client_secret.get_secret_value(),
        )
        self._tokens = TokenProvider(credentials, http, around)
        self._headers = {"Accept": "application/json", **({"demo_id": account.demo_id} if account.demo_id else {})}
        self._rate = RateLimit(account.rate, pause=around.stop.wait)

    def read(self) -> CaseResults:
        """Every case, as its answer arrives. Where the day's budget ends, the rest comes out unread until midnight.

        Raises `SignInRejected` where the client credential is refused, `ForeignHost`, `PortalUnavailable` where no
        token can be had or the daemon stops, `UnexpectedAnswer` where the API refuses its own token.
        """
        cases, limit, clock = self._account.cases, self._account.daily_limit, self._around.clock
        with DailyAllowance(self._around.quota, len(cases), daily_limit=limit, zone=EASTERN, clock=clock) as allowance:
            today, later = _share(cases, allowance.granted, clock.now().astimezone(EASTERN).date())
            yield from _Round(self, today, allowance).readings()
        spent = _budget_spent(limit, allowance.renewed_in)
        for case in later:
            yield CaseFailed(case_number=case, error=spent)

    @property
    def concurrency(self) -> int:
        """How many requests may be in flight at once."""
        return self._account.concurrency

    def ask(self, case: str, allowance: DailyAllowance) -> CaseResult:
        """One case, read or not. Raises `ReadFailed` for what concerns the whole account."""
        token = self._tokens.token()
        for _ in range(_TRIES):
            try:
                answer = self._send(case, token, allowance)
            except (PortalUnavailable, UnexpectedAnswer) as error:
                if self._around.stop.is_set():
                    raise
                return CaseFailed(case_number=case, error=error)
            if answer.status != _UNAUTHORIZED:
                return _reading(case, answer, self._around)
            token = self._tokens.after_refusal(token)
        raise UnexpectedAnswer("the API goes on refusing tokens that it has just issued (HTTP 401)")

    def _send(self, case: str, token: str, allowance: DailyAllowance) -> Response:
        if not allowance.use():
            raise _budget_spent(self._account.daily_limit, allowance.renewed_in)
        if not self._rate.wait():
            raise PortalUnavailable("the watcher is stopping; the read was given up")
        headers = {"Authorization": f"Bearer {token}", **self._headers}
        return self._http.send("GET", f"{self._account.origin}/case-status/{case}", headers=headers)


class _Round:
    """The cases of one read, shared out among a few threads.

    What they bring is handed over in an unbounded queue: the rate limit bounds it better than any size would. Cases
    that are the same as before come a few at a time: nobody waits for them, and waking another thread for each costs
    more than all else that is done for it besides asking.
    """

    def __init__(self, reader: CaseReader, cases: Sequence[str], allowance: DailyAllowance) -> None:
        self._reader, self._allowance = reader, allowance
        self._rest, self._workers = iter(cases), min(reader.concurrency, len(cases))
        self._brought: SimpleQueue[Sequence[CaseResult] | Exception | None] = SimpleQueue()
        self._halt, self._lock = Event(), Lock()
        self._unanswered = 0
        self._reason: PortalUnavailable | None = None

    def readings(self) -> Iterator[CaseResult]:
        """What was read is always handed on, also where the round ends early; only then is that raised."""
        threads = [Thread(target=self._work, name="case-status", daemon=True) for _ in range(self._workers)]
        for thread in threads:
            thread.start()
        failure: Exception | None = None
        try:
            while self._workers:
                brought = self._brought.get()
                if brought is None:
                    self._workers -= 1
                elif isinstance(brought, Exception):
                    failure = failure or brought
                else:
                    yield from brought
        finally:
            self._halt.set()
            for thread in threads:
                thread.join()
        if failure is not None:
            raise failure
        if self._reason is not None:
            for case in self._rest:
                yield CaseFailed(case_number=case, error=self._reason)

    def _work(self) -> None:
        batch: list[CaseResult] = []
        handed = time.monotonic()
        try:
            while not self._halt.is_set() and (case := self._next()) is not None:
                batch.append(self._one(case))
                if not isinstance(batch[-1], CaseUnchanged) or time.monotonic() - handed > _NOBODY_WAITS:
                    self._brought.put(batch)
                    batch, handed = [], time.monotonic()
        except Exception as error:  # noqa: BLE001 - raised again in the thread that reads
            self._halt.set()
            self._brought.put(error)
        finally:
            self._brought.put(batch)
            self._brought.put(None)

    def _next(self) -> str | None:
        with self._lock:
            return next(self._rest, None)

    def _one(self, case: str) -> CaseResult:
        reading = self._reader.ask(case, self._allowance)
        if isinstance(reading, CaseFailed) and isinstance(reading.error, PortalUnavailable):
            self._count(reading.error)
        else:
            self._unanswered = 0
        return reading

    def _count(self, error: PortalUnavailable) -> None:
        """A single case may be out of order at the portal; a row of them, or a wait it asks for, ends the round."""
        with self._lock:
            self._unanswered += 1
            if (
                isinstance(error, TooManyRequests)
                or error.retry_after is not None
                or self._unanswered >= _GIVE_UP_AFTER
            ):
                self._reason = self._reason or error
                self._halt.set()


def _share(cases: Sequence[str], granted: int, today: date) -> tuple[Sequence[str], Sequence[str]]:
    """What is read today and what is not.

    Where a day's budget is too small for all, each day starts where the last one ended: every case has its turn.
    """
    if granted >= len(cases):
        return cases, ()
    start = today.toordinal() * granted % len(cases)
    turned = [*cases[start:], *cases[:start]]
    return turned[:granted], turned[granted:]


def _budget_spent(limit: int, renewed_in: timedelta) -> PortalUnavailable:
    return PortalUnavailable(
        f"today's {limit} requests are used up; the portal counts anew at midnight Eastern (daily_requests)",
        retry_after=renewed_in,
    )


def _reading(case: str, answer: Response, around: PortalContext) -> CaseResult:
    answers = {ENDPOINT: answer.body}
    try:
        if answer.status != _OK:
            raise _error_of(answer)
        if around.is_unchanged(case, answers):
            return CaseUnchanged(case_number=case)
        snapshot = read(answers, around.language)
        if snapshot.case_number != case:
            raise UnexpectedAnswer("the API answered about another case than the one asked for")
    except ReadFailed as error:
        if answer.status == _FORBIDDEN:
            raise
        return CaseFailed(case_number=case, error=error, answers=answers)
    return CaseRead(snapshot=snapshot, answers=answers)


def _error_of(answer: Response) -> ReadFailed:
    if answer.status == _NOT_FOUND and error_message(answer.body):
        return CaseNotFound(
            "USCIS does not know this receipt number, or may not speak of the case (8 U.S.C. 1367 protects some "
            "people; only the Contact Center answers for them); check the number for a typo"
        )
    if answer.status == _MALFORMED and error_message(answer.body):
        return UnexpectedAnswer("USCIS calls this receipt number malformed (HTTP 422); check it for a typo")
    if answer.status == _FORBIDDEN:
        return UnexpectedAnswer("USCIS refuses access to the API (HTTP 403); see the app's page at developer.uscis.gov")
    return UnexpectedAnswer(f"the API answered in an unknown way (HTTP {answer.status}); check base_url")
