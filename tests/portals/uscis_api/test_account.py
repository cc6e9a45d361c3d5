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
def test_receipt_number_may_be_written_as_on_paper(written: str, meant: str) -> None:
    assert settings(cases=(written,)).cases == (meant,)


@pytest.mark.parametrize(
    "written",
    ["", "EAC999910340", "EAC99991034031", "EA99999103403", "EAC*9999103403", "EAC999910340O", "EAC٣٣٣٣٣٣٣٣٣٣"],
)
def test_invalid_receipt_number_is_rejected_without_being_repeated(written: str) -> None:
    with pytest.raises(ValidationError, match=r"number 2 .*three letters and ten digits") as caught:
        settings(cases=(ONE, written))
    assert not written or written not in str(caught.value)


def test_duplicate_number_is_requested_once() -> None:
    assert settings(cases=(ONE, ONE.lower())).cases == (ONE,)


@pytest.mark.parametrize("missing", ["client_id", "client_secret", "cases"])
def test_required_keys_must_be_present(missing: str) -> None:
    keys = {"client_id": "i", "client_secret": "s", "cases": (ONE,)}
    del keys[missing]
    with pytest.raises(ValidationError, match=missing):
        UscisApiAccount(name="a", portal="uscis-api", **keys)


@pytest.mark.parametrize("key", ["base_url", "token_url"])
def test_unencrypted_address_is_rejected(key: str) -> None:
    with pytest.raises(ValidationError, match=key):
        settings(**{key: "http://api.uscis.gov"})


def test_default_address_is_the_sandbox_with_its_limits() -> None:
    ours = settings(base_url="", requests_per_second=None)
    assert ours.origin == "https://api-int.uscis.gov"
    assert ours.token_endpoint == "https://api-int.uscis.gov/oauth/accesstoken"
    assert (ours.rate, ours.daily_limit) == (5, 1_000)


def test_other_addresses_have_the_limits_of_production() -> None:
    ours = settings(base_url="https://api.uscis.gov", requests_per_second=None)
    assert (ours.rate, ours.daily_limit) == (10, 400_000)


def test_limits_of_the_access_letter_take_precedence() -> None:
    ours = settings(requests_per_second=2, daily_requests=7, token_url="https://sso.example/token")
    assert (ours.rate, ours.daily_limit) == (2, 7)
    assert ours.token_endpoint == "https://sso.example/token"


def test_credential_depends_on_client_id_and_secret() -> None:
    ours = settings()
    assert ours.credential() != settings(client_id="other").credential()
    assert ours.credential() != settings(client_secret="other").credential()


def test_secret_is_not_in_the_repr() -> None:
    assert "made-up-secret" not in repr(settings())
