from typing import Any

import pytest

from watcher import portals
from watcher.settings import AccountSettings
from watcher.settings.logins import login_id

COMMON: dict[str, dict[str, Any]] = {
    "uscis": {"username": "someone@example.org", "sign_in": "browser", "password": "x", "mfa": "none"},
    "uscis-api": {"client_id": "made-up", "client_secret": "x", "cases": ["EAC9999000001"]},
    "ircc": {"program": "immigration", "username": "1100000001", "password": "x"},
}


def account(portal: str, **keys: Any) -> AccountSettings:
    values = {**COMMON[portal], "name": "family", "portal": portal, **keys}
    return portals.find(portal).account.model_validate(values)


@pytest.mark.parametrize("portal", sorted(COMMON))
def test_login_is_the_same_under_another_name_with_other_cases(portal: str) -> None:
    case = "E000000001" if portal == "ircc" else "IOE0900000001"
    secret = "client_secret" if portal == "uscis-api" else "password"
    assert account(portal).login() == account(portal, name="home", cases=[case], **{secret: "y"}).login()


@pytest.mark.parametrize(("portal", "key"), [("uscis", "auth_url"), ("ircc", "auth_url"), ("uscis-api", "token_url")])
def test_login_at_another_address_is_another(portal: str, key: str) -> None:
    assert account(portal).login() != account(portal, **{key: "https://x.example"}).login()


def test_logins_of_different_users_differ() -> None:
    logins = [
        account("uscis").login(),
        account("uscis", username="another@example.org").login(),
        account("uscis-api").login(),
        account("uscis-api", client_id="another").login(),
        account("ircc").login(),
        account("ircc", program="citizenship").login(),
        account("ircc", username="1100000002").login(),
    ]
    assert len(set(logins)) == len(logins)


def test_session_of_an_unnamed_user_is_no_login() -> None:
    values = {"name": "a", "portal": "uscis"}
    assert portals.find("uscis").account.model_validate(values).login() is None


def test_spelling_makes_no_difference_and_reveals_no_name() -> None:
    login = login_id("recipe", "https://Portal.example:443/", "Some.One@example.org ")
    assert login == login_id("recipe", "https://portal.example", "some.one@example.org")
    assert "some" not in login.lower()
