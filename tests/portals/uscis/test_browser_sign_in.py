"""Signing in with a real Chromium to the double: one password, one code, and nothing after a refusal."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest
from pydantic import SecretStr

from tests.doubles import uscis_answers as said
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
    code_: str = CODE
    asked_at: list[datetime] = field(default_factory=list)

    def code(self, *, asked_at: datetime) -> str:
        self.asked_at.append(asked_at)
        return self.code_


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


def around(fakes: PortalFakes, codes: Codes | None = None) -> PortalContext:
    return replace(fakes.context(), codes=codes or Codes())


def read(account: UscisAccount, surroundings: PortalContext) -> list[str]:
    with find("uscis").open(account, surroundings) as reader:
        return [reading.snapshot.case_number for reading in reader.read() if isinstance(reading, CaseRead)]


def test_it_signs_in_once_and_then_reads_without_a_browser(portal: FakeUscis, fakes: PortalFakes) -> None:
    codes = Codes()
    assert read(account(portal), around(fakes, codes)) == [said.RECEIPT]
    assert (portal.passwords, portal.codes) == ([PASSWORD], [CODE])
    assert (fakes.sign_in_guard.submissions, fakes.sign_in_guard.acceptances) == ([True], 1)
    assert codes.asked_at == [fakes.clock.now()]
    agents = set(portal.user_agents)
    assert read(account(portal), around(fakes)) == [said.RECEIPT]
    assert (portal.passwords, portal.user_agents) == ([PASSWORD], agents)


def test_a_session_that_has_ended_is_made_anew_within_the_same_read(portal: FakeUscis, fakes: PortalFakes) -> None:
    fakes.session.content = portal.cookie_file()
    portal.end_sessions()
    assert read(account(portal), around(fakes)) == [said.RECEIPT]
    assert portal.passwords == [PASSWORD]


def test_cookies_that_are_still_good_for_a_browser_spare_the_password(portal: FakeUscis, fakes: PortalFakes) -> None:
    fakes.session.content = portal.cookie_file()
    sign_in(account(portal), around(fakes), page_timeout=PAGE_TIMEOUT)
    assert (portal.passwords, fakes.sign_in_guard.submissions) == ([], [])


def test_a_portal_that_asks_for_no_code_gets_none(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.faults.add(Fault.NO_CODE)
    sign_in(account(portal, mfa="none"), around(fakes), page_timeout=PAGE_TIMEOUT)
    assert (portal.passwords, portal.codes, fakes.sign_in_guard.acceptances) == ([PASSWORD], [], 1)


def test_half_a_sign_in_of_earlier_is_begun_afresh(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.awaiting_code.add("half")
    fakes.session.content = b'{"cookies":[{"name":"_half","value":"half","domain":"127.0.0.1","path":"/"}]}'
    sign_in(account(portal), around(fakes), page_timeout=PAGE_TIMEOUT)
    assert (portal.passwords, portal.codes) == ([PASSWORD], [CODE])


@pytest.mark.parametrize(
    ("fault", "error", "passwords"),
    [
        pytest.param(Fault.LOCKED, AccountLocked, 1, id="locked"),
        pytest.param(Fault.CHALLENGE, SignInRejected, 1, id="challenged"),
        pytest.param(Fault.CAPTCHA, CodeNeeded, 0, id="captcha"),
        pytest.param(Fault.FORM_NEVER_DRAWN, UnexpectedAnswer, 0, id="never drawn"),
        pytest.param(Fault.UNKNOWN_PAGE, UnexpectedAnswer, 0, id="unknown page"),
        pytest.param(Fault.LEADS_AWAY, ForeignHost, 0, id="led away"),
        pytest.param(Fault.MAINTENANCE, PortalUnavailable, 0, id="maintenance"),
    ],
)
def test_what_stands_in_the_way_is_named_and_nothing_is_submitted_twice(
    portal: FakeUscis, fakes: PortalFakes, fault: Fault, error: type[ReadFailed], passwords: int
) -> None:
    portal.faults.add(fault)
    with pytest.raises(error):
        sign_in(account(portal), around(fakes), page_timeout=PAGE_TIMEOUT)
    assert len(portal.passwords) == len(fakes.sign_in_guard.submissions) == passwords
    assert (fakes.sign_in_guard.acceptances, fakes.session.content) == (0, None)


def test_a_wrong_password_is_submitted_once_and_never_shown(portal: FakeUscis, fakes: PortalFakes) -> None:
    with pytest.raises(SignInRejected) as rejected:
        sign_in(account(portal, password=SecretStr("mule")), around(fakes), page_timeout=PAGE_TIMEOUT)
    assert portal.passwords == ["mule"]
    assert "mule" not in str(rejected.value)


def test_a_credential_that_was_rejected_before_is_not_typed(portal: FakeUscis, fakes: PortalFakes) -> None:
    fakes.sign_in_guard.rejects = True
    with pytest.raises(SignInRejected):
        sign_in(account(portal), around(fakes), page_timeout=PAGE_TIMEOUT)
    assert portal.passwords == []


def test_a_code_that_is_not_taken_is_the_only_one(portal: FakeUscis, fakes: PortalFakes) -> None:
    codes = Codes("999999")
    with pytest.raises(CodeNeeded, match="code was not taken"):
        sign_in(account(portal), around(fakes, codes), page_timeout=PAGE_TIMEOUT)
    assert (len(portal.passwords), len(portal.codes), fakes.sign_in_guard.acceptances) == (1, 1, 1)


def test_a_code_that_nobody_can_give_waits_for_a_person(portal: FakeUscis, fakes: PortalFakes) -> None:
    with pytest.raises(CodeNeeded):
        sign_in(account(portal), fakes.context(), page_timeout=PAGE_TIMEOUT)
    assert portal.codes == []


def test_a_session_that_plain_http_cannot_use_is_not_signed_in_again_and_again(
    portal: FakeUscis, fakes: PortalFakes
) -> None:
    portal.faults.add(Fault.DEAF_TO_COOKIES)
    with pytest.raises(UnexpectedAnswer, match="not accepted"):
        read(account(portal), around(fakes))
    assert portal.passwords == [PASSWORD]


def test_a_daemon_that_stops_signs_nobody_in(portal: FakeUscis, fakes: PortalFakes) -> None:
    fakes.stop.set()
    with pytest.raises(PortalUnavailable, match="stopping"):
        sign_in(account(portal), around(fakes), page_timeout=PAGE_TIMEOUT)
    assert portal.passwords == []
