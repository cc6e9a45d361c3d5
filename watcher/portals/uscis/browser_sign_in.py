"""Signing in to a USCIS online account with a browser, one careful step after the other.

One password and one code for each sign-in, and no second try: what the portal does not take, and every captcha, is a
person's. Ticking the box with the portal's terms of use is part of every sign-in there; the person who sets
`sign_in = "browser"` has it ticked.
"""

import time
from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from typing import Any

from watcher.errors import AccountLocked, CodeNeeded, PortalUnavailable, SignInRejected, UnexpectedAnswer
from watcher.portal import PortalContext
from watcher.portals.uscis import sign_in_pages as page
from watcher.portals.uscis.account import UscisAccount
from watcher.portals.uscis.sign_in_pages import APPLICANT, ELEMENTS, State, state_of
from watcher.sign_in.browser import Browser, open_browser
from watcher.sign_in.cookie_files import BrowserCookie
from watcher.sign_in.cookie_session import load_cookies, save_cookies

_PATIENCE = 30.0
"""Seconds for a page to become one that is known."""
_GLANCE = 0.25
"""Seconds between two looks at the page."""
_MOST_STEPS = 12
_ME = "USCIS online account"
_UNSETTLED = frozenset({State.LOADING, State.ELSEWHERE})


def sign_in(account: UscisAccount, surroundings: PortalContext, *, patience: float = _PATIENCE) -> None:
    """Signs in and saves the session's cookies. `patience` is in seconds, for each page.

    Starts with the cookies there are: where they are still good for a browser, nothing is submitted. Raises
    `SignInRejected`, `AccountLocked`, `CodeNeeded` (a code, a captcha, a browser that is missing), `UnexpectedAnswer`,
    `PortalUnavailable` or `ForeignHost`.
    """
    hosts, now = account.origins.hosts, surroundings.clock.now().timestamp()
    saved = [_for_browser(cookie) for cookie in load_cookies(surroundings.session, hosts=hosts, now=now)]
    with open_browser(hosts=hosts, path=account.browser_path, cookies=saved) as browser:
        _Walk(browser, account, surroundings, patience).to_the_applicant()
        save_cookies(surroundings.session, browser.cookies())


def _for_browser(cookie: BrowserCookie) -> dict[str, Any]:
    fields = asdict(cookie)
    return {
        **{name: fields[name] for name in ("name", "value", "path", "secure")},
        "domain": cookie.domain if cookie.host_only else f".{cookie.domain}",
        "httpOnly": cookie.http_only,
        "expires": -1 if cookie.expires is None else cookie.expires,
    }


class _Walk:
    """One sign-in while it is under way."""

    def __init__(self, browser: Browser, account: UscisAccount, surroundings: PortalContext, patience: float) -> None:
        self._browser, self._account, self._surroundings = browser, account, surroundings
        self._origins, self._patience = account.origins, patience
        self._submitted_at: datetime | None = None
        self._code_given = self._started_afresh = False

    def to_the_applicant(self) -> None:
        """Walks until the applicant's page is there."""
        self._visit_applicant()
        for _ in range(_MOST_STEPS):
            state = self._wait_for(set(State) - _UNSETTLED)
            if state is State.SIGNED_IN:
                return
            if state is State.HALFWAY:
                self._visit_applicant()
            elif state is State.SIGNED_OUT:
                self._give_password()
            elif state is State.CODE_WANTED:
                self._give_code()
            else:
                self._stop_at(state)
        raise UnexpectedAnswer(f"{_ME}: the sign-in goes round in a circle")

    def _visit_applicant(self) -> None:
        self._browser.visit(f"{self._origins.cases}{APPLICANT}")

    def _wait_for(self, states: Collection[State]) -> State:
        """The first of `states` that the page comes to, or what it is when patience is at an end."""
        until = time.monotonic() + self._patience
        while True:
            if self._surroundings.stop.is_set():
                raise PortalUnavailable(f"{_ME}: the watcher is stopping; the sign-in was given up")
            state = state_of(self._browser.url, self._browser.visible(ELEMENTS), self._origins)
            if state in states or time.monotonic() > until:
                return state
            self._browser.wait(_GLANCE)

    def _give_password(self) -> None:
        if self._submitted_at is not None:
            raise _rejected()
        password = self._account.password.get_secret_value() if self._account.password else ""
        self._browser.write(page.EMAIL, self._account.username)
        if page.TERMS in self._browser.visible([page.TERMS]):
            self._browser.tick(page.TERMS)
        self._submitted_at = self._surroundings.clock.now()
        self._surroundings.sign_in_guard.before_submission()
        self._browser.write(page.PASSWORD, password)
        self._browser.press(page.SUBMIT)
        state = self._wait_for(set(State) - {State.SIGNED_OUT, *_UNSETTLED})
        if state is State.SIGNED_OUT:
            raise _rejected()
        if state in (State.CODE_WANTED, State.HALFWAY, State.SIGNED_IN):
            self._surroundings.sign_in_guard.accepted()

    def _give_code(self) -> None:
        """One code. A browser that is asked for one before any password has the cookies of half a sign-in."""
        if self._submitted_at is None and not self._started_afresh:
            self._started_afresh = True
            self._browser.clear_cookies()
            self._visit_applicant()
            return
        if self._submitted_at is None or self._account.mfa == "none":
            raise CodeNeeded(f"{_ME}: a one-time code is asked for. {self._by_hand()}")
        if self._code_given:
            raise CodeNeeded(f"{_ME}: the one-time code was not taken; no other was tried. {self._by_hand()}")
        code = self._surroundings.codes.code(asked_at=self._submitted_at)
        self._code_given = True
        self._browser.write(page.CODE, code)
        self._browser.press(page.SUBMIT_CODE)
        self._wait_for(set(State) - {State.CODE_WANTED, *_UNSETTLED})

    def _stop_at(self, state: State) -> None:
        if state is State.LOCKED:
            raise AccountLocked(
                f"{_ME}: the portal has locked the account. Wait 20 minutes, then sign in with your own browser; where "
                "that does not help, reset the password or ask the portal's help desk"
            )
        if state is State.CAPTCHA:
            raise CodeNeeded(f"{_ME}: a captcha is shown, which is for a person. {self._by_hand()}")
        raise UnexpectedAnswer(f"{_ME}: the sign-in came to a page that is not known or never ready. {self._by_hand()}")

    def _by_hand(self) -> str:
        name = self._account.name
        return f"Sign in with your own browser, export its cookies, then: watcher login {name} --cookies FILE"


def _rejected() -> SignInRejected:
    return SignInRejected(
        f"{_ME}: the password was submitted once and not taken: it is wrong, or the portal does not want this browser. "
        "Sign in with your own to see which; nothing is submitted again"
    )
