"""The state of a sign-in is detected from the page's address and its elements alone."""

import pytest

from watcher.portals.uscis.sign_in_pages import (
    CAPTCHA,
    CODE,
    PASSWORD,
    SignInState,
    UscisOrigins,
    detect_state,
    is_sign_in_address,
)

AUTH, CASES = "https://myaccount.uscis.gov", "https://my.uscis.gov"


@pytest.mark.parametrize(
    ("url", "elements", "state"),
    [
        (f"{AUTH}/sign-in", {PASSWORD}, SignInState.SIGNED_OUT),
        (f"{AUTH}/sign-in?again=1", {PASSWORD}, SignInState.SIGNED_OUT),
        (f"{AUTH}/sign-in", set(), SignInState.LOADING),
        (f"{AUTH}/sign-in", {PASSWORD, CODE}, SignInState.CODE_REQUIRED),
        (f"{AUTH}/oauth/authorize?client=my", set(), SignInState.LOADING),
        (f"{AUTH}/auth", {CODE}, SignInState.CODE_REQUIRED),
        (f"{AUTH}/auth", set(), SignInState.LOADING),
        (f"{AUTH}/2fa/verify", {CODE}, SignInState.CODE_REQUIRED),
        (f"{AUTH}/soft-locked", set(), SignInState.LOCKED),
        (f"{AUTH}/sign-in?reason=soft-locked", {PASSWORD}, SignInState.LOCKED),
        (f"{AUTH}/dashboard", set(), SignInState.PARTLY_SIGNED_IN),
        (f"{CASES}/dashboard", set(), SignInState.UNKNOWN_PAGE),
        (f"{CASES}/account/applicant", set(), SignInState.SIGNED_IN),
        (f"{CASES}/account/applicant/cards", set(), SignInState.SIGNED_IN),
        (f"{AUTH}/account/applicant", set(), SignInState.UNKNOWN_PAGE),
        (f"{CASES}/", set(), SignInState.UNKNOWN_PAGE),
        (f"{CASES}/account/v1/needhelp", set(), SignInState.UNKNOWN_PAGE),
        (f"{AUTH}/authors", set(), SignInState.UNKNOWN_PAGE),
        (f"{AUTH}/sign-in", {PASSWORD, CAPTCHA}, SignInState.CAPTCHA),
    ],
)
def test_each_sign_in_page_has_a_state(url: str, elements: set[str], state: SignInState) -> None:
    assert detect_state(url, elements, UscisOrigins()) is state


@pytest.mark.parametrize(
    ("url", "out"),
    [
        (f"{AUTH}/sign-in", True),
        (f"{CASES}/oidc/login", True),
        (f"{AUTH}/auth", True),
        (f"{CASES}/account/applicant", False),
        (f"{CASES}/account/applicant?next=/sign-in", False),
        ("", False),
    ],
)
def test_sign_in_addresses_are_recognized(url: str, *, out: bool) -> None:
    assert is_sign_in_address(url) is out
