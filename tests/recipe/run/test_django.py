"""A sign-in written by others: Django's admin, with its form, CSRF tokens, and sessions."""

from collections.abc import Iterator

import pytest

from tests.doubles.django_office.server import PASSWORD, USERNAME, Office, run_office
from tests.recipe.account import RECIPES, RecipeClient, account_of
from watcher.errors import PortalUnavailable, SignInRejected, UnexpectedAnswer
from watcher.model.case import Stage

RECIPE = RECIPES / "django-admin.toml"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with run_office(tmp_path_factory.mktemp("office")) as office:
        yield office


@pytest.fixture
def cases(office: Office) -> Iterator[list[str]]:
    numbers = [f"IOE000000000{number}" for number in range(1, 6)]
    for number in numbers:
        office.add(number, status="With an  officer", description="It is in line.")
    office.requests.clear()
    yield numbers
    office.remove_all()


def client_of(office: Office, password: str = PASSWORD) -> RecipeClient:
    return RecipeClient(account=account_of(RECIPE, base_url=office.base_url, username=USERNAME, password=password))


def test_every_case_on_three_pages_of_the_list_is_read(office: Office, cases: list[str]) -> None:
    snapshots = client_of(office).read()

    assert sorted(snapshots) == cases
    case = snapshots[cases[0]]
    assert (case.form, case.status, case.stage) == ("I-485", "With an officer", Stage.UNDER_REVIEW)
    assert case.description == "It is in line."
    assert str(case.submitted_on) == "2026-05-29"
    assert case.history == ()
    assert office.sign_ins == 1


def test_session_is_used_until_django_ends_it(office: Office, cases: list[str]) -> None:
    family = client_of(office)
    family.read()
    assert sorted(family.read()) == cases
    assert office.sign_ins == 1

    office.end_all_sessions()
    assert sorted(family.read()) == cases
    assert office.sign_ins == 2


@pytest.mark.usefixtures("cases")
def test_change_by_an_officer_is_in_the_history(office: Office) -> None:
    family = client_of(office)
    family.read()
    office.change_status("IOE0000000002", status="Case Was Approved")

    case = family.read()["IOE0000000002"]

    assert case.stage is Stage.APPROVED
    assert [entry.title.endswith("Changed Status.") for entry in case.history or ()] == [True]


@pytest.mark.usefixtures("cases")
def test_wrong_password_is_rejected_after_one_submission(office: Office) -> None:
    family = client_of(office, password="wrong horse")

    with pytest.raises(SignInRejected, match="errornote"):
        family.read()

    assert office.sign_ins == 1
    assert family.world.sign_in_guard.acceptances == 0


def test_server_error_is_not_a_change(office: Office, cases: list[str]) -> None:
    family = client_of(office)
    family.read()
    office.fail = True
    try:
        with pytest.raises(PortalUnavailable):
            family.read()
    finally:
        office.fail = False

    assert sorted(family.read()) == cases


def test_list_that_became_empty_is_unexpected(office: Office) -> None:
    family = client_of(office)
    assert family.read() == {}, "a new account may have no cases"

    family.known = frozenset({"IOE0000000001"})
    with pytest.raises(UnexpectedAnswer):
        family.read()
