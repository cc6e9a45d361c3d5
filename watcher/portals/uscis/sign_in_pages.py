"""The pages of the sign-in to the USCIS online account, recognized by address and elements. Pure.

There are two origins: myaccount.uscis.gov signs in, and my.uscis.gov has the cases. Only a visit to
my.uscis.gov/account/applicant carries a sign-in over from the first to the second.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlsplit

EMAIL = "#email-address, input[type=email]"
PASSWORD = "#password, [data-testid=test-password]"  # noqa: S105 - a selector
TERMS = "#checkbox"
SUBMIT = "#sign-in-btn, [data-testid=sign-in-btn]"
CODE = "#secure-verification-code, [data-testid=test-secure-verification-code], [autocomplete=one-time-code]"
SUBMIT_CODE = "[id='2fa-submit-btn']"  # an ID that begins with a digit is not a valid `#id` in CSS
CAPTCHA = (
    "iframe[src*=captcha], #captcha, .g-recaptcha, .h-captcha, #amzn-captcha-verify-button, awswaf-captcha, "
    "#captcha-container"
)
ELEMENTS = (EMAIL, PASSWORD, TERMS, SUBMIT, CODE, SUBMIT_CODE, CAPTCHA)
"""The selectors to look for on a page."""

_SIGN_IN_PATHS = ("/sign-in", "/oidc/login", "/oauth/authorize")
_CODE_PATHS = ("/auth", "/mfa", "/2fa")
APPLICANT = "/account/applicant"


class SignInState(Enum):
    """How far the sign-in has progressed."""

    LOADING = auto()
    SIGNED_OUT = auto()
    CODE_REQUIRED = auto()
    PARTLY_SIGNED_IN = auto()  # at myaccount.uscis.gov, not yet at my.uscis.gov
    SIGNED_IN = auto()
    LOCKED = auto()
    CAPTCHA = auto()
    UNKNOWN_PAGE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class UscisOrigins:
    """The two origins, without a trailing slash: `auth` signs in, `cases` has the cases."""

    auth: str = "https://myaccount.uscis.gov"
    cases: str = "https://my.uscis.gov"

    @property
    def hosts(self) -> frozenset[str]:
        """The only hosts that requests may go to."""
        return frozenset(urlsplit(origin).hostname or "" for origin in (self.auth, self.cases))


def detect_state(url: str, elements: Collection[str], origins: UscisOrigins) -> SignInState:
    """Return the state of a browser that is at `url`; `elements` are those of `ELEMENTS` that the page shows.

    A sign-in page without its form is `LOADING`: the portal's own check of the browser may still be running. The
    home page of my.uscis.gov is public and reveals no state.
    """
    if "soft-locked" in url:
        return SignInState.LOCKED
    if CAPTCHA in elements:
        return SignInState.CAPTCHA
    if CODE in elements:
        return SignInState.CODE_REQUIRED
    if is_sign_in_address(url):
        return SignInState.SIGNED_OUT if PASSWORD in elements else SignInState.LOADING
    return _state_by_origin(url, origins)


def _state_by_origin(url: str, origins: UscisOrigins) -> SignInState:
    origin, path = _split(url)
    if origin == origins.cases and _is_under(path, APPLICANT):
        return SignInState.SIGNED_IN
    if origin == origins.auth and _is_under(path, "/dashboard"):
        return SignInState.PARTLY_SIGNED_IN
    return SignInState.UNKNOWN_PAGE


def is_sign_in_address(url: str) -> bool:
    """Return whether an address, or its path alone, is that of a page where a sign-in has to be completed."""
    _, path = _split(url)
    return path.startswith(_SIGN_IN_PATHS) or any(_is_under(path, page) for page in _CODE_PATHS) or "soft-locked" in url


def _split(url: str) -> tuple[str, str]:
    """Return origin and path of any text that a portal sends as an address."""
    match = re.match(r"((?:https?:)?//[^/?#]*)?([^?#]*)", url, re.IGNORECASE)
    return ((match.group(1) or "").lower(), match.group(2)) if match else ("", "")


def _is_under(path: str, page: str) -> bool:
    return path == page or path.startswith(f"{page}/")
