"""The two recipes for the practice portal, over real TLS and with all faults that it can inject."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.practice.visitor import HandClock
from tests.recipe.account import RECIPES, FakeCodes, RecipeClient, account_of
from watcher.errors import AccountLocked, CodeNeeded, PortalUnavailable, SignInRejected, UnexpectedAnswer
from watcher.model.appointment_time import Moment
from watcher.model.case import ItemKind, ItemState, Stage
from watcher.portals.recipe import try_recipe
from watcher.practice import Fault, PracticePortal, Terms
from watcher.practice.state.totp import code_at

FIRST, SECOND = "IOE0000000001", "IOE0000000002"
WALL_CLOCK = datetime(2026, 3, 2, 9, 30)  # noqa: DTZ001 - as the portal shows it


class CodeClock:
    """The time for which codes are generated and checked. Each sign-in uses the next step, so that no code repeats."""

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
    with PracticePortal(HandClock(), terms=Terms(unix_time=code_clock.unix_time, cases_per_page=1)) as portal:
        portal.cases.add(FIRST)
        portal.cases.add(SECOND, form="N-400")
        yield portal


@pytest.fixture(params=["practice.toml", "practice-json.toml"])
def family(request: pytest.FixtureRequest, portal: PracticePortal, code_clock: CodeClock) -> RecipeClient:
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
    return RecipeClient(account=account, codes=FakeCodes(make=lambda: code_clock.code(secret)))


def sign_ins(portal: PracticePortal) -> int:
    return sum(request.method == "POST" and request.path == "/login" for request in portal.requests)


def test_every_case_on_every_page_of_the_list_is_read(family: RecipeClient) -> None:
    cases = family.read()

    assert set(cases) == {FIRST, SECOND}
    assert cases[SECOND].form == "N-400"
    assert cases[FIRST].stage is Stage.RECEIVED
    assert cases[FIRST].submitted_on is not None
    assert family.world.sign_in_guard.submissions == [True]
    assert family.world.sign_in_guard.acceptances == 1


def test_items_notices_and_history_of_a_case_are_read(family: RecipeClient, portal: PracticePortal) -> None:
    family.read()
    case = portal.cases[FIRST]
    case.request_evidence(key="item-7", due_on=date(2026, 4, 2))
    key = case.add_item("Interview", "Come to the interview", starts_at=WALL_CLOCK, place="26 Federal Plaza")
    case.add_notice("Request for Evidence")

    snapshot = family.read()[FIRST]

    assert snapshot.stage is Stage.EVIDENCE_REQUESTED
    items = {item.key: item for item in snapshot.pending or ()}
    assert items["item-7"].kind is ItemKind.RFE
    assert items["item-7"].due_on == date(2026, 4, 2)
    assert items["item-7"].state is ItemState.OPEN
    assert items[key].starts_at == Moment(WALL_CLOCK.replace(tzinfo=ZoneInfo("America/New_York")))
    assert items[key].place == "26 Federal Plaza"
    (notice,) = snapshot.notices or ()
    assert notice.dated == date(2026, 1, 5)
    assert notice.download
    assert notice.download.startswith("/")
    assert snapshot.history


def test_session_is_used_until_it_ends_and_then_replaced_by_one_sign_in(
    family: RecipeClient, portal: PracticePortal
) -> None:
    family.read()
    family.read()
    assert sign_ins(portal) == 1

    portal.desk.revoke_sessions()
    assert set(family.read()) == {FIRST, SECOND}
    assert sign_ins(portal) == 2


def test_try_reports_no_failure(family: RecipeClient, portal: PracticePortal) -> None:
    portal.cases[FIRST].request_evidence()
    context = replace(family.world.context(), codes=family.codes)

    results = list(try_recipe(family.account, context))

    assert [result for result in results if result.failed] == []
    assert {"sign_in[2]", "cases.each", "case.fields.status", "case.pending[0].title"} <= {
        result.key_path for result in results
    }


def test_wrong_password_is_submitted_once_and_never_shown(family: RecipeClient, portal: PracticePortal) -> None:
    portal.desk.change_password("another one")

    with pytest.raises(SignInRejected) as rejected:
        family.read()

    assert sign_ins(portal) == 1
    assert family.world.sign_in_guard.acceptances == 0
    assert portal.account.password not in str(rejected.value)


def test_password_is_not_submitted_if_the_guard_refuses(family: RecipeClient, portal: PracticePortal) -> None:
    family.world.sign_in_guard.rejects = True

    with pytest.raises(SignInRejected, match="rejected before"):
        family.read()

    assert sign_ins(portal) == 0


def test_locked_account_is_distinguished_from_a_wrong_password(family: RecipeClient, portal: PracticePortal) -> None:
    portal.desk.change_password("another one")
    for _ in range(portal.terms.wrong_passwords - 1):
        with pytest.raises(SignInRejected):
            family.read()

    with pytest.raises(AccountLocked):
        family.read()


def test_wrong_code_is_a_rejection(family: RecipeClient) -> None:
    family.codes.make = lambda: "000000"

    with pytest.raises(SignInRejected):
        family.read()


def test_missing_code_source_needs_a_person(family: RecipeClient) -> None:
    family.codes.make = None

    with pytest.raises(CodeNeeded):
        family.read()


def test_account_without_codes_needs_no_code(portal: PracticePortal) -> None:
    credential = replace(portal.account, totp_secret=None)
    with PracticePortal(HandClock(), account=credential) as plain:
        plain.cases.add(FIRST)
        account = account_of(
            RECIPES / "practice.toml",
            base_url=plain.base_url,
            ca_file=plain.ca_file,
            username=credential.username,
            password=credential.password,
        )

        assert set(RecipeClient(account=account).read()) == {FIRST}


@pytest.mark.parametrize(
    "fault", [Fault.MAINTENANCE, Fault.UNAVAILABLE, Fault.BAD_GATEWAY, Fault.SERVER_ERROR, Fault.TOO_MANY_REQUESTS]
)
def test_unavailable_portal_is_not_a_change(family: RecipeClient, portal: PracticePortal, fault: Fault) -> None:
    family.read()
    portal.faults.throw(fault)

    with pytest.raises((PortalUnavailable, UnexpectedAnswer)):
        family.read()

    portal.faults.clear()
    assert set(family.read()) == {FIRST, SECOND}
    assert sign_ins(portal) == 1


@pytest.mark.parametrize("fault", [Fault.CUT_OFF, Fault.NO_ANSWER])
def test_broken_answer_about_one_case_does_not_affect_the_others(
    family: RecipeClient, portal: PracticePortal, fault: Fault
) -> None:
    family.read()
    portal.faults.throw(fault, path=f"*/{FIRST}")

    failures = family.failures()

    assert list(failures) == [FIRST]
    assert isinstance(failures[FIRST].error, PortalUnavailable)


def test_redesigned_pages_are_unexpected(family: RecipeClient, portal: PracticePortal) -> None:
    family.read()
    portal.faults.throw(Fault.CHANGED_SHAPE, path="*/IOE*")

    failures = family.failures()

    assert set(failures) == {FIRST, SECOND}
    assert all(isinstance(failure.error, UnexpectedAnswer) for failure in failures.values())
    assert all(failure.answers for failure in failures.values())


def test_empty_list_is_unexpected_if_cases_are_known(family: RecipeClient, portal: PracticePortal) -> None:
    family.read()
    family.known = frozenset({FIRST, SECOND})
    portal.faults.throw(Fault.EMPTY_LIST)

    with pytest.raises(UnexpectedAnswer, match="finds no cases"):
        family.read()


def test_order_on_the_page_is_not_a_change(family: RecipeClient, portal: PracticePortal) -> None:
    case = portal.cases[FIRST]
    case.request_evidence()
    case.add_item("Interview", "Come to the interview", starts_at=WALL_CLOCK)
    before = family.read()
    portal.faults.throw(Fault.REORDERED)

    assert family.read() == before


def test_requested_case_that_is_not_listed_has_no_result(family: RecipeClient) -> None:
    family.account = family.account.model_copy(update={"cases": ("ioe 0000000002", "IOE0000000009")})

    assert set(family.read()) == {"ioe 0000000002"}, "as the account writes it"


def test_session_of_another_user_name_is_not_used(family: RecipeClient, portal: PracticePortal) -> None:
    family.read()
    family.account = account_of(
        family.account.recipe,
        base_url=portal.base_url,
        ca_file=portal.ca_file,
        username="somebody.else@example.org",
        password="something",
        totp_secret=portal.account.totp_secret,
    )

    with pytest.raises(SignInRejected):
        family.read()
