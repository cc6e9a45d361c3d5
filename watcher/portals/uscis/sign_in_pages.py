"""Where a browser is on its way into the USCIS online account: pages told apart by address and elements. Pure.

Two origins take part: myaccount.uscis.gov signs in, my.uscis.gov has the cases, and only a visit to
my.uscis.gov/account/applicant carries the one's sign-in over to the other.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

EMAIL = "#email-address, input[type=email]"
PASSWORD = "#password, [data-testid=test-password]"  # noqa: S105 - a selector
TERMS = "#checkbox"
SUBMIT = "#sign-in-btn, [data-testid=sign-in-btn]"
CODE = "#secure-verification-code, [data-testid=test-secure-verification-code], [autocomplete=one-time-code]"
SUBMIT_CODE = "[id='2fa-submit-btn']"  # an id that begins with a digit is no `#id` in CSS
CAPTCHA = (
    "iframe[src*=captcha], #captcha, .g-recaptcha, .h-captcha, #amzn-captcha-verify-button, awswaf-captcha, "
    "#captcha-container"
)
ELEMENTS = (EMAIL, PASSWORD, TERMS, SUBMIT, CODE, SUBMIT_CODE, CAPTCHA)
"""What is looked for on a page."""

_LOGGED_OUT = ("/sign-in", "/oidc/login", "/oauth/authorize")
_CODE_PAGES = ("/auth", "/mfa", "/2fa")
APPLICANT = "/account/applicant"


class State(Enum):
    """How far the sign-in has come."""

    LOADING = "loading"
    SIGNED_OUT = "signed out"
    CODE_WANTED = "code wanted"
    HALFWAY = "signed in at myaccount.uscis.gov alone"
    SIGNED_IN = "signed in"
    LOCKED = "locked"
    CAPTCHA = "captcha"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class UscisOrigins:
    """The two origins, without a slash at the end: `auth` signs in, `cases` has the cases."""

    auth: str = "https://myaccount.uscis.gov"
    cases: str = "https://my.uscis.gov"

    @property
    def hosts(self) -> frozenset[str]:
        """The only hosts that are ever spoken to."""
        return frozenset(urlsplit(origin).hostname or "" for origin in (self.auth, self.cases))


def state_of(url: str, elements: Collection[str], origins: UscisOrigins) -> State:
    """Where a browser is that shows `url` and of `ELEMENTS` these `elements`.

    A sign-in page that has not drawn its form yet, as while the portal's own check of the browser runs, is `LOADING`.
    The bare my.uscis.gov is public and says nothing.
    """
    if "soft-locked" in url:
        return State.LOCKED
    if CAPTCHA in elements:
        return State.CAPTCHA
    if CODE in elements:
        return State.CODE_WANTED
    if is_signed_out(url):
        return State.SIGNED_OUT if PASSWORD in elements else State.LOADING
    return _state_by_origin(url, origins)


def _state_by_origin(url: str, origins: UscisOrigins) -> State:
    origin, path = _taken_apart(url)
    if origin == origins.cases and _below(path, APPLICANT):
        return State.SIGNED_IN
    if origin == origins.auth and _below(path, "/dashboard"):
        return State.HALFWAY
    return State.ELSEWHERE


def is_signed_out(url: str) -> bool:
    """Whether an address, or the path of one, is that of a page where somebody still has to sign in."""
    _, path = _taken_apart(url)
    return path.startswith(_LOGGED_OUT) or any(_below(path, page) for page in _CODE_PAGES) or "soft-locked" in url


def _taken_apart(url: str) -> tuple[str, str]:
    """Origin and path, of whatever a portal may call an address."""
    found = re.match(r"((?:https?:)?//[^/?#]*)?([^?#]*)", url, re.IGNORECASE)
    return ((found.group(1) or "").lower(), found.group(2)) if found else ("", "")


def _below(path: str, page: str) -> bool:
    return path == page or path.startswith(f"{page}/")
