"""Checks of an account that signs in to the double with a browser of its own."""

import pytest

from tests.doubles import uscis_answers as fake
from tests.doubles.uscis import CODE, PASSWORD, FakeUscis, Fault
from tests.portals.context import PortalFakes
from tests.portals.uscis.browser_account import Codes, account, context_with
from tests.sign_in.test_browser import needs_chromium
from watcher.errors import UnexpectedAnswer
from watcher.portal import CaseRead, PortalContext
from watcher.portals import find
from watcher.portals.uscis import UscisAccount

pytestmark = needs_chromium


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


def test_session_that_plain_http_cannot_use_does_not_repeat_the_sign_in(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.faults.add(Fault.COOKIES_REJECTED)
    with pytest.raises(UnexpectedAnswer, match="not accepted"):
        check(account(portal), context_with(fakes))
    assert portal.passwords == [PASSWORD]
