"""Signing in to a USCIS online account with a browser.

Each sign-in submits one password and one code and never tries twice: anything that the portal rejects, and every
captcha, is left to the user. Accepting the portal's terms of use is part of every sign-in; by setting
`sign_in = "browser"` the user agrees that the program accepts them.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime
from typing import Any, Protocol

from watcher.errors import AccountLocked, CodeNeeded, PortalUnavailable, SignInRejected, UnexpectedAnswer
from watcher.messages import _
from watcher.model.cookie import Cookie
from watcher.portal import PortalContext
from watcher.portals.uscis import sign_in_pages as page
from watcher.portals.uscis.account import UscisAccount
from watcher.portals.uscis.sign_in_pages import APPLICANT, ELEMENTS, SignInState, detect_state
from watcher.sign_in.browser import Browser, open_browser
from watcher.sign_in.cookie_session import load_cookies, save_cookies

_PAGE_TIMEOUT = 30.0
"""Seconds for a page to become one that is known."""
_POLL_INTERVAL = 0.25
"""Seconds between two checks of the page."""
_MAX_STEPS = 12
_TRANSIENT = frozenset({SignInState.LOADING, SignInState.UNKNOWN_PAGE})


class OpenBrowser(Protocol):
    """Opens a browser as `open_browser` does."""

    def __call__(
        self, *, hosts: Collection[str], path: str, cookies: Sequence[Mapping[str, Any]]
    ) -> AbstractContextManager[Browser]:
        """See `open_browser`."""
        ...


def sign_in(
    account: UscisAccount,
    context: PortalContext,
    *,
    page_timeout: float = _PAGE_TIMEOUT,
    opened: OpenBrowser = open_browser,
) -> None:
    """Sign in and save the session's cookies. `page_timeout` is in seconds, for each page.

    Starts with the saved cookies: if they are still valid for a browser, nothing is submitted. Raises
    `SignInRejected`, `AccountLocked`, `CodeNeeded` (a code, a captcha, a missing browser), `UnexpectedAnswer`,
    `PortalUnavailable`, or `ForeignHost`.
    """
    hosts, now = account.origins.hosts, context.clock.now().timestamp()
    saved = [_for_browser(cookie) for cookie in load_cookies(context.session, hosts=hosts, now=now)]
    with opened(hosts=hosts, path=account.browser_path, cookies=saved) as browser:
        _SignIn(browser, account, context, page_timeout).run()
        save_cookies(context.session, browser.cookies(), began_at=context.clock.now())


def _for_browser(cookie: Cookie) -> dict[str, Any]:
    fields = asdict(cookie)
    return {
        **{name: fields[name] for name in ("name", "value", "path", "secure")},
        "domain": cookie.domain if cookie.host_only else f".{cookie.domain}",
        "httpOnly": cookie.http_only,
        "expires": -1 if cookie.expires is None else cookie.expires,
    }


class _SignIn:
    """One sign-in in progress."""

    def __init__(self, browser: Browser, account: UscisAccount, context: PortalContext, page_timeout: float) -> None:
        self._browser, self._account, self._context = browser, account, context
        self._origins, self._page_timeout = account.origins, page_timeout
        self._submitted_at: datetime | None = None
        self._code_submitted = self._restarted = False

    def run(self) -> None:
        """Go from page to page until the applicant's page is shown."""
        self._visit_applicant()
        for _attempt in range(_MAX_STEPS):
            state = self._wait_for(set(SignInState) - _TRANSIENT)
            if state is SignInState.SIGNED_IN:
                return
            if state is SignInState.PARTLY_SIGNED_IN:
                self._visit_applicant()
            elif state is SignInState.SIGNED_OUT:
                self._submit_password()
            elif state is SignInState.CODE_REQUIRED:
                self._submit_code()
            else:
                self._fail(state)
        raise UnexpectedAnswer(_("USCIS online account: the sign-in keeps returning to the same page"))

    def _visit_applicant(self) -> None:
        self._browser.visit(f"{self._origins.cases}{APPLICANT}")

    def _wait_for(self, states: Collection[SignInState]) -> SignInState:
        """Return the first of `states` that the page reaches, or its state when the time is up."""
        until = time.monotonic() + self._page_timeout
        while True:
            if self._context.stop.is_set():
                raise PortalUnavailable(_("USCIS online account: the program is stopping, so the sign-in was ended"))
            state = detect_state(self._browser.url, self._browser.visible(ELEMENTS), self._origins)
            if state in states or time.monotonic() > until:
                return state
            self._browser.wait(_POLL_INTERVAL)

    def _submit_password(self) -> None:
        if self._submitted_at is not None:
            raise _rejected()
        password = self._account.password.get_secret_value() if self._account.password else ""
        self._browser.write(page.EMAIL, self._account.username)
        if page.TERMS in self._browser.visible([page.TERMS]):
            self._browser.tick(page.TERMS)
        self._context.sign_in_guard.before_submission()  # may wait for other accounts that share the mailbox
        self._submitted_at = self._context.clock.now()
        self._browser.write(page.PASSWORD, password)
        self._browser.press(page.SUBMIT)
        state = self._wait_for(set(SignInState) - {SignInState.SIGNED_OUT, *_TRANSIENT})
        if state is SignInState.SIGNED_OUT:
            raise _rejected()
        if state in (SignInState.CODE_REQUIRED, SignInState.PARTLY_SIGNED_IN, SignInState.SIGNED_IN):
            self._context.sign_in_guard.accepted()

    def _submit_code(self) -> None:
        """Submit one code. If a code is required before any password, the cookies are of an incomplete sign-in."""
        if self._submitted_at is None and not self._restarted:
            self._restarted = True
            self._browser.clear_cookies()
            self._visit_applicant()
            return
        manual_sign_in = self._account.manual_sign_in
        if self._submitted_at is None or self._account.mfa == "none":
            raise CodeNeeded(
                _(
                    "USCIS online account: USCIS asks for a one-time code. {manual_sign_in}",
                    manual_sign_in=manual_sign_in,
                )
            )
        if self._code_submitted:
            raise CodeNeeded(
                _(
                    "USCIS online account: USCIS did not accept the one-time code. No other code was tried. "
                    "{manual_sign_in}",
                    manual_sign_in=manual_sign_in,
                )
            )
        code = self._context.codes.code(asked_at=self._submitted_at)
        self._code_submitted = True
        self._browser.write(page.CODE, code)
        self._browser.press(page.SUBMIT_CODE)
        self._wait_for(set(SignInState) - {SignInState.CODE_REQUIRED, *_TRANSIENT})

    def _fail(self, state: SignInState) -> None:
        manual_sign_in = self._account.manual_sign_in
        if state is SignInState.LOCKED:
            raise AccountLocked(
                _(
                    "USCIS online account: USCIS has locked the account. Wait 20 minutes, then sign in with your "
                    "own browser. If that does not work, reset the password or contact the USCIS help desk"
                )
            )
        if state is SignInState.CAPTCHA:
            raise CodeNeeded(
                _(
                    "USCIS online account: USCIS shows a captcha, which only you can solve. {manual_sign_in}",
                    manual_sign_in=manual_sign_in,
                )
            )
        raise UnexpectedAnswer(
            _(
                "USCIS online account: the sign-in led to an unknown page, or the page never finished "
                "loading. {manual_sign_in}",
                manual_sign_in=manual_sign_in,
            )
        )


def _rejected() -> SignInRejected:
    return SignInRejected(
        _(
            "USCIS online account: the password was submitted once and not accepted: it is wrong, or USCIS does not "
            "accept this browser. Sign in with your own browser to find out. The password is not submitted again"
        )
    )
