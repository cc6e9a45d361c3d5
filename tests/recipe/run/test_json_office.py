"""The example recipes for JSON: a sign-in with a challenge, and OAuth client credentials."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.doubles.json_office import CLIENT_ID, CLIENT_SECRET, CODE, PASSWORD, JsonOffice, as_json, case_of
from tests.doubles.loopback import LoopbackServer, reply
from tests.portals.context import NOON
from tests.recipe.account import RECIPES, RecipeClient, account_of
from watcher.errors import AccountLocked, CaseNotFound, PortalUnavailable, SignInRejected, UnexpectedAnswer
from watcher.model.appointment_time import Moment
from watcher.model.case import ItemKind, ItemState, Stage
from watcher.portal import CaseFailed, CaseRead

NUMBERS = [f"E00000000{number}" for number in range(1, 6)]


@pytest.fixture
def office() -> JsonOffice:
    return JsonOffice(cases={number: case_of(number) for number in NUMBERS})


@pytest.fixture
def client(server: LoopbackServer, tmp_path: Path) -> RecipeClient:
    recipe = tmp_path / "api.toml"
    text = (RECIPES / "client-credentials.toml").read_text()
    recipe.write_text(text.replace("https://login.example.gov/", "/"))
    account = account_of(
        recipe, base_url=server.origin, username=CLIENT_ID, password=CLIENT_SECRET, cases=["IOE0000000001"]
    )
    return RecipeClient(account=account)


def test_every_case_is_read_page_by_page(family: RecipeClient) -> None:
    cases = family.read()

    assert sorted(cases) == NUMBERS
    case = cases[NUMBERS[0]]
    assert case.stage is Stage.UNDER_REVIEW
    assert case.description == "Your file is with an officer."
    assert case.status_since == date(2026, 7, 9)
    assert case.submitted_on == date(2026, 5, 28)
    assert case.updated_at == datetime(2026, 7, 9, 10, 0, tzinfo=UTC)
    assert [entry.key for entry in case.history or ()] == ["1"]
    assert case.notices == ()
    assert case.pending == ()


def test_code_is_requested_when_its_step_asks_for_it(family: RecipeClient) -> None:
    family.read()

    assert family.codes.asked_at == [NOON]


def test_sign_in_without_a_challenge_takes_one_step(family: RecipeClient, office: JsonOffice) -> None:
    office.ask_for_code = False

    assert len(family.read()) == len(NUMBERS)
    assert office.submissions == 1
    assert family.codes.asked_at == []


def test_token_is_used_until_it_is_refused(family: RecipeClient, office: JsonOffice) -> None:
    family.read()
    family.read()
    assert office.issued == 1

    office.tokens.clear()
    assert len(family.read()) == len(NUMBERS)
    assert office.issued == 2


def test_new_token_that_is_refused_is_neither_accepted_nor_requested_again(
    family: RecipeClient, office: JsonOffice
) -> None:
    office.answers["/cases"] = as_json({}, 401)

    with pytest.raises(UnexpectedAnswer, match="right after a sign-in"):
        family.read()

    assert office.issued == 1
    assert family.world.sign_in_guard.acceptances == 0
    assert family.world.session.content is None


def test_session_that_ends_twice_ends_the_check(family: RecipeClient, office: JsonOffice) -> None:
    office.answers[f"/cases/{NUMBERS[2]}"] = as_json({}, 401)

    failures = family.failures()

    assert office.issued == 1
    assert list(failures) == [NUMBERS[2]]
    assert "again within one check" in str(failures[NUMBERS[2]].error)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/cases", as_json({"items": [{"number": None}]})),
        ("/cases", as_json({"nothing": "known"})),
        ("/cases", reply(200, b"<html><body>token-1-of-the-office</body></html>", content_type="text/html")),
        ("/auth/code", as_json({"token": {"is": "token-1-of-the-office"}})),
        ("/auth/code", as_json({"token": None})),
    ],
)
def test_errors_do_not_reveal_secrets(family: RecipeClient, office: JsonOffice, path: str, answer: bytes) -> None:
    office.answers[path] = answer

    with pytest.raises(UnexpectedAnswer) as raised:
        family.read()

    assert not any(secret in repr(raised.value) for secret in (PASSWORD, CODE, "token-1-of-the-office"))


def test_rejection_and_lock_are_distinguished(family: RecipeClient, office: JsonOffice) -> None:
    wrong = RecipeClient(
        account=account_of(family.account.recipe, base_url=family.account.base_url, username="x", password="y")
    )
    with pytest.raises(SignInRejected, match="bad_credentials"):
        wrong.read()

    office.locked = True
    with pytest.raises(AccountLocked):
        wrong.read()


def test_tasks_come_from_a_separate_answer(family: RecipeClient, office: JsonOffice) -> None:
    office.tasks[NUMBERS[0]] = [
        {"id": 9, "type": "DOCS", "label": "Send your padrón", "until": "01/12/2026", "done": False},
        {"id": 10, "type": "FINGERPRINTS", "label": "Huellas", "at": "2026-12-03T09:30", "where": {"name": "Sol 1"}},
        {"id": 11, "type": "DOCS", "label": "Passport", "done": True},
    ]

    items = {item.key: item for item in family.read()[NUMBERS[0]].pending or ()}

    assert items["9"].due_on == date(2026, 12, 1)
    assert items["9"].state is ItemState.OPEN
    assert items["10"].kind is ItemKind.BIOMETRICS
    assert items["10"].starts_at == Moment(datetime(2026, 12, 3, 9, 30, tzinfo=ZoneInfo("Europe/Madrid")))
    assert items["10"].place == "Sol 1"
    assert items["11"].state is ItemState.ANSWERED


def test_notice_keeps_a_path_on_the_portal_but_not_on_another_host(family: RecipeClient, office: JsonOffice) -> None:
    letters = [
        {"id": "a", "name": "Letter", "date": "2026-07-09", "path": "/letters/a.pdf"},
        {"id": "b", "name": "Letter", "date": "2026-07-09", "path": "https://evil.example/b.pdf"},
        {"id": "c", "name": "Letter", "date": "2026-07-09", "path": "//evil.example/c.pdf"},
    ]
    office.cases[NUMBERS[0]]["letters"] = letters

    notices = family.read()[NUMBERS[0]].notices or ()

    assert [notice.download for notice in notices] == ["/letters/a.pdf", None, None]


def test_maintenance_in_json_is_not_a_change(family: RecipeClient, office: JsonOffice) -> None:
    office.answers["/cases"] = as_json({"maintenance": True, "items": []})

    with pytest.raises(PortalUnavailable):
        family.read()


def test_two_failures_in_a_row_end_the_check(family: RecipeClient, office: JsonOffice, server: LoopbackServer) -> None:
    family.read()
    for number in NUMBERS[1:]:
        office.answers[f"/cases/{number}"] = reply(500)

    results = family.results()
    with pytest.raises(PortalUnavailable):
        list(results)

    assert [request.target for request in server.requests[-2:]] == [f"/cases/{number}" for number in NUMBERS[1:3]]


def test_retry_after_ends_the_check_at_once(family: RecipeClient, office: JsonOffice, server: LoopbackServer) -> None:
    family.read()
    office.answers[f"/cases/{NUMBERS[0]}"] = reply(429, retry_after="60")
    server.requests.clear()

    with pytest.raises(PortalUnavailable) as raised:
        list(family.results())

    assert raised.value.retry_after is not None
    assert len(server.requests) == 4, "three pages of the list and one case"


def test_client_credentials_read_the_cases_of_the_account(client: RecipeClient, office: JsonOffice) -> None:
    office.cases["IOE0000000001"] = {
        "number": "IOE0000000001",
        "form": "I-130",
        "status": "Case Was Received",
        "text": "On July 9, 2026, we received your form.",
        "modified": "07-09-2026 10:00:00",
    }

    case = client.read()["IOE0000000001"]

    assert case.stage is Stage.RECEIVED
    assert case.status_since == date(2026, 7, 9)
    assert client.world.sign_in_guard.submissions == [False], "machine credentials do not count against the daily limit"

    office.tokens.clear()
    assert client.read() == {"IOE0000000001": case}
    assert client.world.sign_in_guard.submissions == [False, False]


def test_case_unknown_to_the_portal_is_not_found(client: RecipeClient) -> None:
    failures = client.failures()

    assert isinstance(failures["IOE0000000001"].error, CaseNotFound)


def test_answer_about_another_case_is_unexpected(client: RecipeClient, office: JsonOffice) -> None:
    office.cases["IOE0000000001"] = {"number": "IOE0000000002", "status": "Case Was Approved"}

    failures = client.failures()

    assert isinstance(failures["IOE0000000001"].error, UnexpectedAnswer)


@pytest.mark.parametrize("number", ["<b>", "=1+1", "A" * 5000])
def test_row_with_an_odd_number_costs_only_itself(family: RecipeClient, office: JsonOffice, number: str) -> None:
    office.cases = {number: case_of(number), **office.cases}

    results = list(family.results())

    assert [result.case_number for result in results if isinstance(result, CaseFailed)] == ["row 1"]
    assert [result.snapshot.case_number for result in results if isinstance(result, CaseRead)] == NUMBERS
