"""The worked examples for JSON: a sign-in with a challenge, and OAuth client credentials."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.doubles.json_office import CLIENT_ID, CLIENT_SECRET, CODE, PASSWORD, JsonOffice, as_json, case_of
from tests.doubles.loopback import LoopbackServer, reply
from tests.portals.context import NOON
from tests.recipe.account import RECIPES, Household, account_of
from watcher.errors import AccountLocked, CaseNotFound, PortalUnavailable, SignInRejected, UnexpectedAnswer
from watcher.model.case import ItemKind, ItemState, Stage

NUMBERS = [f"E00000000{place}" for place in range(1, 6)]


@pytest.fixture
def office() -> JsonOffice:
    return JsonOffice(cases={number: case_of(number) for number in NUMBERS})


@pytest.fixture
def client(server: LoopbackServer, tmp_path: Path) -> Household:
    recipe = tmp_path / "api.toml"
    text = (RECIPES / "client-credentials.toml").read_text()
    recipe.write_text(text.replace("https://login.example.gov/", "/"))
    account = account_of(
        recipe, base_url=server.origin, username=CLIENT_ID, password=CLIENT_SECRET, cases=["IOE0000000001"]
    )
    return Household(account=account)


def test_every_case_is_read_page_by_page(family: Household) -> None:
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


def test_the_code_is_one_for_the_step_that_asked_for_it(family: Household) -> None:
    family.read()

    assert family.codes.asked_at == [NOON]


def test_a_sign_in_without_a_challenge_takes_one_step(family: Household, office: JsonOffice) -> None:
    office.ask_for_code = False

    assert len(family.read()) == len(NUMBERS)
    assert office.submissions == 1
    assert family.codes.asked_at == []


def test_the_token_serves_until_it_is_refused(family: Household, office: JsonOffice) -> None:
    family.read()
    family.read()
    assert office.issued == 1

    office.tokens.clear()
    assert len(family.read()) == len(NUMBERS)
    assert office.issued == 2


def test_a_token_that_is_refused_at_once_is_neither_accepted_nor_asked_for_again(
    family: Household, office: JsonOffice
) -> None:
    office.answers["/cases"] = as_json({}, 401)

    with pytest.raises(UnexpectedAnswer, match="right after a sign-in"):
        family.read()

    assert office.issued == 1
    assert family.world.sign_in_guard.acceptances == 0
    assert family.world.session.content is None


def test_a_session_that_ends_twice_in_a_read_ends_the_read(family: Household, office: JsonOffice) -> None:
    office.answers[f"/cases/{NUMBERS[2]}"] = as_json({}, 401)

    unread = family.unread()

    assert office.issued == 1
    assert list(unread) == [NUMBERS[2]]
    assert "again within one read" in str(unread[NUMBERS[2]].error)


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
def test_no_error_shows_a_secret(family: Household, office: JsonOffice, path: str, answer: bytes) -> None:
    office.answers[path] = answer

    with pytest.raises(UnexpectedAnswer) as raised:
        family.read()

    assert not any(secret in repr(raised.value) for secret in (PASSWORD, CODE, "token-1-of-the-office"))


def test_a_rejection_and_a_lock_are_told_apart(family: Household, office: JsonOffice) -> None:
    wrong = Household(
        account=account_of(family.account.recipe, base_url=family.account.base_url, username="x", password="y")
    )
    with pytest.raises(SignInRejected, match="bad_credentials"):
        wrong.read()

    office.locked = True
    with pytest.raises(AccountLocked):
        wrong.read()


def test_tasks_come_from_an_answer_of_their_own(family: Household, office: JsonOffice) -> None:
    office.tasks[NUMBERS[0]] = [
        {"id": 9, "type": "DOCS", "label": "Send your padrón", "until": "01/12/2026", "done": False},
        {"id": 10, "type": "FINGERPRINTS", "label": "Huellas", "at": "2026-12-03T09:30", "where": {"name": "Sol 1"}},
        {"id": 11, "type": "DOCS", "label": "Passport", "done": True},
    ]

    items = {item.key: item for item in family.read()[NUMBERS[0]].pending or ()}

    assert items["9"].due_on == date(2026, 12, 1)
    assert items["9"].state is ItemState.OPEN
    assert items["10"].kind is ItemKind.BIOMETRICS
    assert items["10"].starts_at == datetime(2026, 12, 3, 9, 30, tzinfo=ZoneInfo("Europe/Madrid"))
    assert items["10"].place == "Sol 1"
    assert items["11"].state is ItemState.ANSWERED


def test_a_notice_of_the_portal_keeps_its_path_and_one_of_another_host_loses_it(
    family: Household, office: JsonOffice
) -> None:
    letters = [
        {"id": "a", "name": "Letter", "date": "2026-07-09", "path": "/letters/a.pdf"},
        {"id": "b", "name": "Letter", "date": "2026-07-09", "path": "https://evil.example/b.pdf"},
        {"id": "c", "name": "Letter", "date": "2026-07-09", "path": "//evil.example/c.pdf"},
    ]
    office.cases[NUMBERS[0]]["letters"] = letters

    notices = family.read()[NUMBERS[0]].notices or ()

    assert [notice.download for notice in notices] == ["/letters/a.pdf", None, None]


def test_maintenance_in_json_is_no_news(family: Household, office: JsonOffice) -> None:
    office.answers["/cases"] = as_json({"maintenance": True, "items": []})

    with pytest.raises(PortalUnavailable):
        family.read()


def test_a_portal_that_fails_twice_in_a_row_is_asked_no_more(
    family: Household, office: JsonOffice, server: LoopbackServer
) -> None:
    family.read()
    for number in NUMBERS[1:]:
        office.answers[f"/cases/{number}"] = reply(500)

    readings = family.readings()
    with pytest.raises(PortalUnavailable):
        list(readings)

    assert [one.target for one in server.requests[-2:]] == [f"/cases/{number}" for number in NUMBERS[1:3]]


def test_retry_after_ends_the_read_at_once(family: Household, office: JsonOffice, server: LoopbackServer) -> None:
    family.read()
    office.answers[f"/cases/{NUMBERS[0]}"] = reply(429, retry_after="60")
    server.requests.clear()

    with pytest.raises(PortalUnavailable) as raised:
        list(family.readings())

    assert raised.value.retry_after is not None
    assert len(server.requests) == 4, "three pages of the list and one case"


def test_client_credentials_read_the_cases_of_the_account(client: Household, office: JsonOffice) -> None:
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
    assert client.world.sign_in_guard.submissions == [False], "a machine's sign-in is not counted as a person's"

    office.tokens.clear()
    assert client.read() == {"IOE0000000001": case}
    assert client.world.sign_in_guard.submissions == [False, False]


def test_a_case_that_the_portal_does_not_know_is_not_found(client: Household) -> None:
    unread = client.unread()

    assert isinstance(unread["IOE0000000001"].error, CaseNotFound)


def test_an_answer_about_another_case_is_refused(client: Household, office: JsonOffice) -> None:
    office.cases["IOE0000000001"] = {"number": "IOE0000000002", "status": "Case Was Approved"}

    unread = client.unread()

    assert isinstance(unread["IOE0000000001"].error, UnexpectedAnswer)
