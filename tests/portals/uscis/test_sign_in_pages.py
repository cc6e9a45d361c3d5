"""Where a sign-in stands is told from the page's address and its elements alone."""

import pytest

from watcher.portals.uscis.sign_in_pages import CAPTCHA, CODE, PASSWORD, State, UscisOrigins, is_signed_out, state_of

AUTH, CASES = "https://myaccount.uscis.gov", "https://my.uscis.gov"


@pytest.mark.parametrize(
    ("url", "elements", "state"),
    [
        (f"{AUTH}/sign-in", {PASSWORD}, State.SIGNED_OUT),
        (f"{AUTH}/sign-in?again=1", {PASSWORD}, State.SIGNED_OUT),
        (f"{AUTH}/sign-in", set(), State.LOADING),
        (f"{AUTH}/sign-in", {PASSWORD, CODE}, State.CODE_WANTED),
        (f"{AUTH}/oauth/authorize?client=my", set(), State.LOADING),
        (f"{AUTH}/auth", {CODE}, State.CODE_WANTED),
        (f"{AUTH}/auth", set(), State.LOADING),
        (f"{AUTH}/2fa/verify", {CODE}, State.CODE_WANTED),
        (f"{AUTH}/soft-locked", set(), State.LOCKED),
        (f"{AUTH}/sign-in?reason=soft-locked", {PASSWORD}, State.LOCKED),
        (f"{AUTH}/dashboard", set(), State.HALFWAY),
        (f"{CASES}/dashboard", set(), State.ELSEWHERE),
        (f"{CASES}/account/applicant", set(), State.SIGNED_IN),
        (f"{CASES}/account/applicant/cards", set(), State.SIGNED_IN),
        (f"{AUTH}/account/applicant", set(), State.ELSEWHERE),
        (f"{CASES}/", set(), State.ELSEWHERE),
        (f"{CASES}/account/v1/needhelp", set(), State.ELSEWHERE),
        (f"{AUTH}/authors", set(), State.ELSEWHERE),
        (f"{AUTH}/sign-in", {PASSWORD, CAPTCHA}, State.CAPTCHA),
    ],
)
def test_every_page_of_the_sign_in_is_known(url: str, elements: set[str], state: State) -> None:
    assert state_of(url, elements, UscisOrigins()) is state


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
def test_a_redirect_tells_whether_somebody_must_sign_in(url: str, *, out: bool) -> None:
    assert is_signed_out(url) is out
