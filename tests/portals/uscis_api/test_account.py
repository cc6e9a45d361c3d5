from typing import Any

import pytest
from pydantic import ValidationError

from watcher.portals.uscis_api.account import UscisApiAccount

ONE = "EAC9999103403"


def settings(**keys: Any) -> UscisApiAccount:
    needed = {"name": "a", "portal": "uscis-api", "client_id": "made-up-id", "client_secret": "made-up-secret"}
    return UscisApiAccount(**{**needed, "cases": (ONE,), **keys})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (ONE, ONE),
        ("eac9999103403", ONE),
        ("EAC-99-991-03403", ONE),
        (" EAC 9999 103403 ", ONE),
        ("EAC\N{EN DASH}9999103403", ONE),
        ("abc*123456789", "ABC*123456789"),
    ],
)
def test_a_receipt_number_may_be_written_as_on_paper(written: str, meant: str) -> None:
    assert settings(cases=(written,)).cases == (meant,)


@pytest.mark.parametrize(
    "written",
    ["", "EAC999910340", "EAC99991034031", "EA99999103403", "EAC*9999103403", "EAC999910340O", "EAC٣٣٣٣٣٣٣٣٣٣"],
)
def test_an_impossible_one_is_refused_without_being_repeated(written: str) -> None:
    with pytest.raises(ValidationError, match=r"number 2 .*three letters and ten digits") as caught:
        settings(cases=(ONE, written))
    assert not written or written not in str(caught.value)


def test_the_same_number_twice_is_asked_once() -> None:
    assert settings(cases=(ONE, ONE.lower())).cases == (ONE,)


@pytest.mark.parametrize("missing", ["client_id", "client_secret", "cases"])
def test_what_is_needed_must_be_there(missing: str) -> None:
    keys = {"client_id": "i", "client_secret": "s", "cases": (ONE,)}
    del keys[missing]
    with pytest.raises(ValidationError, match=missing):
        UscisApiAccount(name="a", portal="uscis-api", **keys)


@pytest.mark.parametrize("key", ["base_url", "token_url"])
def test_a_credential_does_not_leave_in_the_clear(key: str) -> None:
    with pytest.raises(ValidationError, match=key):
        settings(**{key: "http://api.uscis.gov"})


def test_without_an_address_it_is_the_sandbox_within_its_limits() -> None:
    ours = settings(base_url="", requests_per_second=None)
    assert ours.origin == "https://api-int.uscis.gov"
    assert ours.token_endpoint == "https://api-int.uscis.gov/oauth/accesstoken"
    assert (ours.rate, ours.daily_limit) == (5, 1_000)


def test_elsewhere_the_limits_are_those_of_production() -> None:
    ours = settings(base_url="https://api.uscis.gov", requests_per_second=None)
    assert (ours.rate, ours.daily_limit) == (10, 400_000)


def test_the_access_letter_wins() -> None:
    ours = settings(requests_per_second=2, daily_requests=7, token_url="https://sso.example/token")
    assert (ours.rate, ours.daily_limit) == (2, 7)
    assert ours.token_endpoint == "https://sso.example/token"


def test_the_credential_changes_with_either_half_of_it() -> None:
    ours = settings()
    assert ours.credential() != settings(client_id="other").credential()
    assert ours.credential() != settings(client_secret="other").credential()


def test_the_secret_does_not_show() -> None:
    assert "made-up-secret" not in repr(settings())
