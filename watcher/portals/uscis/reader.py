"""One check of a USCIS online account, with the saved session or with a new one if the account can sign in.

Checks use plain HTTP with the session's cookies, also after a browser signed in: a check is a handful of JSON requests,
and a browser for each would be slower, heavier, and no more welcome. If the portal does not accept plain HTTP, it says
so, and the user is asked for a session.
"""

from collections.abc import Callable, Iterator

from watcher.errors import CaseNotFound, PortalUnavailable, SessionEnded, UnexpectedAnswer
from watcher.http.client import PortalHttp
from watcher.language.uscis_wording import is_online_receipt
from watcher.messages import _
from watcher.model.cookie import Cookie, CookieJar
from watcher.portal import CaseFailed, CaseRead, CaseResult, CaseResults, PortalContext
from watcher.portals.uscis.account import UscisAccount
from watcher.portals.uscis.answers import embedded_cases, unwrap
from watcher.portals.uscis.case_service import CaseService
from watcher.sign_in.cookie_session import cookies_in, dump_cookies, load_cookies, session_began_at


class UscisReader:
    """Reads one account. `renew` creates and saves a new session, or raises what the user has to do."""

    def __init__(self, account: UscisAccount, context: PortalContext, renew: Callable[[], None]) -> None:
        self._account, self._context, self._renew = account, context, renew

    def read(self) -> CaseResults:
        """Yield every case, those on the applicant's page first. Signs in at most once.

        Raises `SessionEnded` if only the user can provide a session, and the errors of a sign-in.
        """
        done: set[str] = set()
        if self._cookies():
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
                _("USCIS online account: the new session was not accepted. No other sign-in was tried")
            ) from None

    def _cookies(self) -> tuple[Cookie, ...]:
        now = self._context.clock.now().timestamp()
        return load_cookies(self._context.session, hosts=self._account.origins.hosts, now=now)

    def _check_stop(self) -> None:
        if self._context.stop.is_set():
            raise PortalUnavailable(_("USCIS online account: the program is stopping, so the sign-in was not started"))

    def _cases(self, done: set[str]) -> Iterator[CaseResult]:
        """Yield the cases that are not in `done` and add them to it. Saves each cookie that the portal renews."""
        origins, context = self._account.origins, self._context
        jar, began_at = CookieJar(self._cookies()), session_began_at(context.session)
        saved = dump_cookies(cookies_in(jar), began_at=began_at)

        def save() -> None:
            nonlocal saved
            if (content := dump_cookies(cookies_in(jar), began_at=began_at)) != saved:
                context.session.save(content)
                saved = content

        http = PortalHttp(
            portal=_("USCIS online account"),
            hosts=origins.hosts,
            origins=(origins.auth, origins.cases),
            clock=context.clock,
            stop=context.stop,
            trace=context.trace,
            ca_file=self._account.ca_file,
            cookies=jar,
            on_cookies=save,
            blocked_ends_check=False,  # a session from the person's own browser passes the firewall
        )
        with http:
            yield from self._every_case(CaseService(http, origins, context, name=self._account.name), done)

    def _every_case(self, service: CaseService, done: set[str]) -> Iterator[CaseResult]:
        listed = service.listed_receipts()
        context, known = self._context, self._context.known_cases
        receipts = list(self._account.cases) or [*listed, *sorted(known - set(listed))]
        if not receipts:
            raise UnexpectedAnswer(
                _("USCIS online account: the applicant's page lists no receipt numbers. Add yours to `cases`")
            )
        receipts = [receipt for receipt in receipts if not context.is_finished(receipt)]
        for receipt in receipts:
            if not is_online_receipt(receipt):
                yield CaseFailed(case_number=receipt, error=_paper_receipt())
        receipts = list(filter(is_online_receipt, receipts))
        embedded: dict[str, object] = {}
        for receipt in receipts:
            if receipt not in done:
                case = embedded.get(receipt) if receipt not in listed and not self._account.cases else None
                expected = not listed or receipt in listed or receipt in known
                yield from self._one_case(service, receipt, case, embedded, done, expected=expected)
        if not self._account.cases:
            for receipt in sorted(embedded.keys() - set(receipts) - done):
                if context.is_finished(receipt):
                    continue
                yield from self._one_case(service, receipt, embedded[receipt], {}, done)

    def _one_case(
        self,
        service: CaseService,
        receipt: str,
        case: object,
        embedded: dict[str, object],
        done: set[str],
        *,
        expected: bool = True,
    ) -> Iterator[CaseResult]:
        for result in service.read(receipt, case, expected=expected):
            if isinstance(result, CaseRead):
                embedded.update(embedded_cases(unwrap(result.answers["case"], "case")))
            done.add(receipt)
            yield result


def _paper_receipt() -> CaseNotFound:
    return CaseNotFound(
        _(
            "the online account shows only cases whose receipt number begins with IOE; this is the number of a paper"
            ' case. An account with portal = "uscis-api", or with portal = "manual" and site = "egov", can watch it'
        ),
        out_of_reach=True,
    )


def request_session(account: UscisAccount) -> None:
    """Raise `SessionEnded` with what the user has to do. Renews the session of an account that cannot sign in."""
    raise SessionEnded(
        _(
            "USCIS online account: there is no session, or it has ended. {manual_sign_in}",
            manual_sign_in=account.manual_sign_in,
        )
    )
