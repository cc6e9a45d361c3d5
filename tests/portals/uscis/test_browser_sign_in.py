"""Sign-ins to the double with a real Chromium: one password, one code, and nothing after a rejection."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest
from pydantic import SecretStr

from tests.doubles import uscis_answers as fake
from tests.doubles.uscis import CODE, EMAIL, PASSWORD, FakeUscis, Fault, running_uscis
from tests.portals.context import PortalFakes
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
from watcher.portal import CaseRead, PortalContext
from watcher.portals import find
from watcher.portals.uscis import UscisAccount
from watcher.portals.uscis.browser_sign_in import sign_in

pytestmark = needs_chromium
PAGE_TIMEOUT = 1.5
"""Seconds; the double is quick."""


@dataclass(slots=True)
class Codes:
    value: str = CODE
    asked_at: list[datetime] = field(default_factory=list)

    def code(self, *, asked_at: datetime) -> str:
        self.asked_at.append(asked_at)
        return self.value


@pytest.fixture
def portal() -> Iterator[FakeUscis]:
    with running_uscis() as running:
        yield running


@pytest.fixture
def fakes() -> PortalFakes:
    return PortalFakes()


def account(portal: FakeUscis, **changed: Any) -> UscisAccount:
    keys: dict[str, Any] = {"username": EMAIL, "password": SecretStr(PASSWORD), "sign_in": "browser"}
    return UscisAccount(name="family", portal="uscis", base_url=portal.origin, auth_url=portal.auth, **keys | changed)


def context_with(fakes: PortalFakes, codes: Codes | None = None) -> PortalContext:
    return replace(fakes.context(), codes=codes or Codes())


def check(account: UscisAccount, context: PortalContext) -> list[str]:
    with find("uscis").open(account, context) as reader:
        return [result.snapshot.case_number for result in reader.read() if isinstance(result, CaseRead)]


def test_signs_in_once_and_then_checks_without_a_browser(portal: FakeUscis, fakes: PortalFakes) -> None:
    codes = Codes()
    assert check(account(portal), context_with(fakes, codes)) == [fake.RECEIPT]
    assert (portal.passwords, portal.codes) == ([PASSWORD], [CODE])
    assert (fakes.sign_in_guard.submissions, fakes.sign_in_guard.acceptances) == ([True], 1)
    assert codes.asked_at == [fakes.clock.now()]
    agents = set(portal.user_agents)
    assert check(account(portal), context_with(fakes)) == [fake.RECEIPT]
    assert (portal.passwords, portal.user_agents) == ([PASSWORD], agents)


def test_ended_session_is_renewed_within_the_same_check(portal: FakeUscis, fakes: PortalFakes) -> None:
    fakes.session.content = portal.cookie_file()
    portal.end_sessions()
    assert check(account(portal), context_with(fakes)) == [fake.RECEIPT]
    assert portal.passwords == [PASSWORD]


def test_valid_cookies_make_the_password_unnecessary(portal: FakeUscis, fakes: PortalFakes) -> None:
    fakes.session.content = portal.cookie_file()
    sign_in(account(portal), context_with(fakes), page_timeout=PAGE_TIMEOUT)
    assert (portal.passwords, fakes.sign_in_guard.submissions) == ([], [])


def test_no_code_is_submitted_if_none_is_required(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.faults.add(Fault.NO_CODE)
    sign_in(account(portal, mfa="none"), context_with(fakes), page_timeout=PAGE_TIMEOUT)
    assert (portal.passwords, portal.codes, fakes.sign_in_guard.acceptances) == ([PASSWORD], [], 1)


def test_incomplete_earlier_sign_in_is_restarted(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.awaiting_code.add("half")
    fakes.session.content = b'{"cookies":[{"name":"_half","value":"half","domain":"127.0.0.1","path":"/"}]}'
    sign_in(account(portal), context_with(fakes), page_timeout=PAGE_TIMEOUT)
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
    portal: FakeUscis, fakes: PortalFakes, fault: Fault, error: type[ReadFailed], passwords: int
) -> None:
    portal.faults.add(fault)
    with pytest.raises(error):
        sign_in(account(portal), context_with(fakes), page_timeout=PAGE_TIMEOUT)
    assert len(portal.passwords) == len(fakes.sign_in_guard.submissions) == passwords
    assert (fakes.sign_in_guard.acceptances, fakes.session.content) == (0, None)


def test_wrong_password_is_submitted_once_and_never_shown(portal: FakeUscis, fakes: PortalFakes) -> None:
    with pytest.raises(SignInRejected) as rejected:
        sign_in(account(portal, password=SecretStr("mule")), context_with(fakes), page_timeout=PAGE_TIMEOUT)
    assert portal.passwords == ["mule"]
    assert "mule" not in str(rejected.value)


def test_previously_rejected_credential_is_not_submitted(portal: FakeUscis, fakes: PortalFakes) -> None:
    fakes.sign_in_guard.rejects = True
    with pytest.raises(SignInRejected):
        sign_in(account(portal), context_with(fakes), page_timeout=PAGE_TIMEOUT)
    assert portal.passwords == []


def test_rejected_code_is_not_followed_by_another(portal: FakeUscis, fakes: PortalFakes) -> None:
    codes = Codes("999999")
    with pytest.raises(CodeNeeded, match="did not accept the one-time code"):
        sign_in(account(portal), context_with(fakes, codes), page_timeout=PAGE_TIMEOUT)
    assert (len(portal.passwords), len(portal.codes), fakes.sign_in_guard.acceptances) == (1, 1, 1)


def test_missing_code_requires_the_user(portal: FakeUscis, fakes: PortalFakes) -> None:
    with pytest.raises(CodeNeeded):
        sign_in(account(portal), fakes.context(), page_timeout=PAGE_TIMEOUT)
    assert portal.codes == []


def test_session_that_plain_http_cannot_use_does_not_repeat_the_sign_in(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.faults.add(Fault.COOKIES_REJECTED)
    with pytest.raises(UnexpectedAnswer, match="not accepted"):
        check(account(portal), context_with(fakes))
    assert portal.passwords == [PASSWORD]


def test_stopping_daemon_does_not_sign_in(portal: FakeUscis, fakes: PortalFakes) -> None:
    fakes.stop.set()
    with pytest.raises(PortalUnavailable, match="stopping"):
        sign_in(account(portal), context_with(fakes), page_timeout=PAGE_TIMEOUT)
    assert portal.passwords == []
