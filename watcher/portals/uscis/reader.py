"""One read of a USCIS online account: with the session there is, or with a new one where that is allowed.

Reads go through plain HTTP with the session's cookies, also those that a browser signed in for: a read is a handful of
JSON requests, and a browser for each of them would be slower, heavier and no more welcome. Where the portal does not
accept that, it says so, and a person is asked for a session.
"""

from collections.abc import Callable, Iterator

from watcher.errors import CodeNeeded, PortalUnavailable, SessionEnded, UnexpectedAnswer
from watcher.http.client import PortalHttp
from watcher.portal import CaseRead, CaseResult, CaseResults, PortalContext
from watcher.portals.uscis.account import UscisAccount
from watcher.portals.uscis.case_service import CaseService, embedded_cases
from watcher.sign_in.cookie_files import cookie_jar
from watcher.sign_in.cookie_session import cookies_in, dump_cookies, load_cookies


class UscisReader:
    """Reads one account. `renew` signs in afresh and saves the session; it raises what a person has to know."""

    def __init__(self, account: UscisAccount, surroundings: PortalContext, renew: Callable[[], None]) -> None:
        self._account, self._surroundings, self._renew = account, surroundings, renew

    def read(self) -> CaseResults:
        """Every case, those on the applicant's page first. Signs in at most once.

        Raises `CodeNeeded` where only a person can bring a session, and what a sign-in raises.
        """
        done: set[str] = set()
        if self._has_session():
            try:
                yield from self._cases(done)
            except SessionEnded:
                self._check_stop()
            else:
                return
        self._renew()
        try:
            yield from self._cases(done)
        except SessionEnded:
            raise UnexpectedAnswer(
                "USCIS online account: the session that was just made is not accepted; it is not signed in again"
            ) from None

    def _has_session(self) -> bool:
        return bool(self._cookies())

    def _cookies(self) -> tuple[object, ...]:
        now = self._surroundings.clock.now().timestamp()
        return load_cookies(self._surroundings.session, hosts=self._account.origins.hosts, now=now)

    def _check_stop(self) -> None:
        if self._surroundings.stop.is_set():
            raise PortalUnavailable("USCIS online account: the watcher is stopping; nobody was signed in")

    def _cases(self, done: set[str]) -> Iterator[CaseResult]:
        """The cases that are not in `done` yet, which grows; cookies that the portal renewed are kept at the end."""
        origins, around = self._account.origins, self._surroundings
        now = around.clock.now().timestamp()
        jar = cookie_jar(load_cookies(around.session, hosts=origins.hosts, now=now))
        before = dump_cookies(cookies_in(jar))
        http = PortalHttp(
            portal="USCIS online account",
            hosts=origins.hosts,
            clock=around.clock,
            stop=around.stop,
            trace=around.trace,
            ca_file=self._account.ca_file,
            cookies=jar,
        )
        with http:
            try:
                service = CaseService(http, origins, around, name=self._account.name)
                yield from self._every_case(service, done)
            finally:
                if (after := dump_cookies(cookies_in(jar))) != before:
                    around.session.save(after)

    def _every_case(self, service: CaseService, done: set[str]) -> Iterator[CaseResult]:
        listed = service.receipts()
        wanted = list(self._account.cases) or [*listed, *sorted(self._surroundings.known_cases - set(listed))]
        if not wanted:
            raise UnexpectedAnswer(
                "USCIS online account: the applicant's page lists no receipt number; name your receipts in `cases`"
            )
        within: dict[str, object] = {}
        for receipt in wanted:
            if receipt not in done:
                found = within.get(receipt) if receipt not in listed and not self._account.cases else None
                yield from self._one(service, receipt, found, within, done)
        if not self._account.cases:
            for receipt in sorted(within.keys() - set(wanted) - done):
                yield from self._one(service, receipt, within[receipt], {}, done)

    def _one(
        self, service: CaseService, receipt: str, found: object, within: dict[str, object], done: set[str]
    ) -> Iterator[CaseResult]:
        for reading in service.read(receipt, found):
            if isinstance(reading, CaseRead):
                within.update(embedded_cases(reading.answers["case"]))
            done.add(receipt)
            yield reading


def ask_for_session(account: UscisAccount) -> None:
    """What renews a session that only a person can make: raises `CodeNeeded` with what to do."""
    raise CodeNeeded(
        "USCIS online account: no session, or it has ended. Sign in with your own browser, export its cookies, then: "
        f"watcher login {account.name} --cookies FILE"
    )
