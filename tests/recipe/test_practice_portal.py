"""The two recipes for the practice portal, walked over real TLS through every fault that it can have."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from tests.portals.surroundings import World
from tests.practice.visitor import HandClock
from tests.recipe.account import RECIPES, Codes, Household, account_of
from watcher.case import ItemKind, ItemState, Stage
from watcher.errors import (
    AccountLocked,
    CodeNeeded,
    PortalUnavailable,
    SignInRejected,
    UnexpectedAnswer,
)
from watcher.portals.recipe import PORTAL
from watcher.practice import Fault, PracticePortal
from watcher.practice.totp import code_at

FIRST, SECOND = "IOE0000000001", "IOE0000000002"


class CodeClock:
    """The time by which codes are made and checked; each sign-in takes the next step, so that none is used twice."""

    def __init__(self) -> None:
        self.step = 59_000_000

    def unix_time(self) -> float:
        return self.step * 30.0

    def code(self, secret: str) -> str:
        self.step += 1
        return code_at(secret, self.step)


@pytest.fixture
def code_clock() -> CodeClock:
    return CodeClock()


@pytest.fixture
def portal(code_clock: CodeClock) -> Iterator[PracticePortal]:
    from watcher.practice import Terms

    with PracticePortal(HandClock(), terms=Terms(unix_time=code_clock.unix_time, cases_per_page=1)) as portal:
        portal.cases.add(FIRST)
        portal.cases.add(SECOND, form="N-400")
        yield portal


@pytest.fixture(params=["practice.toml", "practice-json.toml"])
def family(request: pytest.FixtureRequest, portal: PracticePortal, code_clock: CodeClock) -> Household:
    secret = portal.account.totp_secret
    assert secret is not None
    account = account_of(
        RECIPES / request.param,
        base_url=portal.base_url,
        ca_file=portal.ca_file,
        username=portal.account.username,
        password=portal.account.password,
        totp_secret=secret,
    )
    return Household(account=account, codes=Codes(make=lambda: code_clock.code(secret)))


def sign_ins(portal: PracticePortal) -> int:
    return sum(one.method == "POST" and one.path == "/login" for one in portal.requests)


def test_every_case_on_every_page_of_the_list_is_read(family: Household) -> None:
    cases = family.read()

    assert set(cases) == {FIRST, SECOND}
    assert cases[SECOND].form == "N-400"
    assert cases[FIRST].stage is Stage.RECEIVED
    assert cases[FIRST].submitted_on is not None
    assert family.world.gate.submissions == [True]
    assert family.world.gate.accepted_ones == 1


def test_the_session_serves_until_the_portal_ends_it_and_then_one_sign_in_follows(
    family: Household, portal: PracticePortal
) -> None:
    family.read()
    family.read()
    assert sign_ins(portal) == 1

    portal.desk.revoke_sessions()
    assert set(family.read()) == {FIRST, SECOND}
    assert sign_ins(portal) == 2
