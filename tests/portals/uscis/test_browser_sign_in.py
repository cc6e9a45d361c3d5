"""Sign-ins to the double in windows of a real Chromium: one password, one code, and nothing after a rejection."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from tests.doubles.uscis import CODE, PASSWORD, FakeUscis, Fault
from tests.portals.context import PortalFakes
from tests.portals.uscis.browser_account import Codes, account, context_with
from tests.sign_in.test_browser import needs_chromium
from watcher.errors import (
    AccountLocked,
    CodeNeeded,
    ForeignHost,
    PortalUnavailable,
    ReadFailed,
    SignInRejected,
    UnexpectedAnswer,
)
from watcher.portal import PortalContext
from watcher.portals.uscis import UscisAccount
from watcher.portals.uscis.browser_sign_in import sign_in
from watcher.sign_in.browser import Browser, open_window, running_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser as Chromium

pytestmark = needs_chromium
PAGE_TIMEOUT = 1.5
"""Seconds; the double is quick."""
Attempt = Callable[[UscisAccount, PortalContext], None]


@pytest.fixture(scope="module")
def chromium() -> Iterator["Chromium"]:
    """One Chromium for all tests; each sign-in opens a window with cookies of its own."""
    with running_chromium() as chromium:
        yield chromium


@pytest.fixture
def attempt(chromium: "Chromium") -> Attempt:
    def open_browser(
        *, hosts: Collection[str], path: str, cookies: Sequence[Mapping[str, Any]]
    ) -> AbstractContextManager[Browser]:
        assert not path
        return open_window(chromium, hosts=hosts, cookies=cookies)

    return partial(sign_in, page_timeout=PAGE_TIMEOUT, opened=open_browser)


def test_valid_cookies_make_the_password_unnecessary(attempt: Attempt, portal: FakeUscis, fakes: PortalFakes) -> None:
    fakes.session.content = portal.cookie_file()
    attempt(account(portal), context_with(fakes))
    assert (portal.passwords, fakes.sign_in_guard.submissions) == ([], [])


def test_no_code_is_submitted_if_none_is_required(attempt: Attempt, portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.faults.add(Fault.NO_CODE)
    attempt(account(portal, mfa="none"), context_with(fakes))
    assert (portal.passwords, portal.codes, fakes.sign_in_guard.acceptances) == ([PASSWORD], [], 1)


def test_incomplete_earlier_sign_in_is_restarted(attempt: Attempt, portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.awaiting_code.add("half")
    fakes.session.content = b'{"cookies":[{"name":"_half","value":"half","domain":"127.0.0.1","path":"/"}]}'
    attempt(account(portal), context_with(fakes))
    assert (portal.passwords, portal.codes) == ([PASSWORD], [CODE])


@pytest.mark.parametrize(
    ("fault", "error", "passwords"),
    [
        pytest.param(Fault.LOCKED, AccountLocked, 1, id="locked"),
        pytest.param(Fault.CHALLENGE, SignInRejected, 1, id="challenged"),
        pytest.param(Fault.CAPTCHA, CodeNeeded, 0, id="captcha"),
        pytest.param(Fault.FORM_NEVER_DRAWN, UnexpectedAnswer, 0, id="never drawn"),
        pytest.param(Fault.UNKNOWN_PAGE, UnexpectedAnswer, 0, id="unknown page"),
        pytest.param(Fault.FOREIGN_REDIRECT, ForeignHost, 0, id="led away"),
        pytest.param(Fault.MAINTENANCE, PortalUnavailable, 0, id="maintenance"),
    ],
)
def test_obstacle_is_reported_and_nothing_is_submitted_twice(
    attempt: Attempt, portal: FakeUscis, fakes: PortalFakes, fault: Fault, error: type[ReadFailed], passwords: int
) -> None:
    portal.faults.add(fault)
    with pytest.raises(error):
        attempt(account(portal), context_with(fakes))
    assert len(portal.passwords) == len(fakes.sign_in_guard.submissions) == passwords
    assert (fakes.sign_in_guard.acceptances, fakes.session.content) == (0, None)


def test_wrong_password_is_submitted_once_and_never_shown(
    attempt: Attempt, portal: FakeUscis, fakes: PortalFakes
) -> None:
    with pytest.raises(SignInRejected) as rejected:
        attempt(account(portal, password=SecretStr("mule")), context_with(fakes))
    assert portal.passwords == ["mule"]
    assert "mule" not in str(rejected.value)


def test_previously_rejected_credential_is_not_submitted(
    attempt: Attempt, portal: FakeUscis, fakes: PortalFakes
) -> None:
    fakes.sign_in_guard.rejects = True
    with pytest.raises(SignInRejected):
        attempt(account(portal), context_with(fakes))
    assert portal.passwords == []


def test_rejected_code_is_not_followed_by_another(attempt: Attempt, portal: FakeUscis, fakes: PortalFakes) -> None:
    codes = Codes("999999")
    with pytest.raises(CodeNeeded, match="did not accept the one-time code"):
        attempt(account(portal), context_with(fakes, codes))
    assert (len(portal.passwords), len(portal.codes), fakes.sign_in_guard.acceptances) == (1, 1, 1)


def test_missing_code_requires_the_user(attempt: Attempt, portal: FakeUscis, fakes: PortalFakes) -> None:
    with pytest.raises(CodeNeeded):
        attempt(account(portal), fakes.context())
    assert portal.codes == []


def test_stopping_daemon_does_not_sign_in(attempt: Attempt, portal: FakeUscis, fakes: PortalFakes) -> None:
    fakes.stop.set()
    with pytest.raises(PortalUnavailable, match="stopping"):
        attempt(account(portal), context_with(fakes))
    assert portal.passwords == []
