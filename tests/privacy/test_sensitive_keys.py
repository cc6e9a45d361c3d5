import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.privacy.sensitive_keys import (
    is_personal_key,
    is_secret_field,
    is_secret_key,
    is_secret_parameter,
    may_name_secret,
)


@pytest.mark.parametrize(
    "key",
    [
        *("password", "loginPassword", "passphrase", "client_secret", "accessToken", "auth_token", "state_key"),
        *("Authorization", "proxy-authorization", "Set-Cookie", "X-CSRF-Token", "x-api-key", "apiKey", "xcsrf"),
        *(
            "otp",
            "mfa_code",
            "code",
            "pin",
            "session",
            "session_id",
            "ASP.NET_SessionId",
            "PHPSESSID",
            "credentials",
            "heartbeat_url",
            "database_url",
        ),
    ],
)
def test_secret_keys_are_recognized(key: str) -> None:
    assert is_secret_key(key)
    assert may_name_secret(f'{{"{key}": 1}}')


@given(key=st.from_regex(r"[a-z_.-]{0,3}(t?otp|pwd|sid|pin|j?session(_id)?|phpsessid|mfa_code|token)[a-z_]{0,3}"))
def test_a_text_with_a_secret_key_may_name_a_secret(key: str) -> None:
    assert may_name_secret(f'<input name="{key}">') or not is_secret_key(key)


def test_a_usual_status_names_no_secret() -> None:
    assert not may_name_secret("Application to Register Permanent Residence. In our opinion, write down the country.")


@pytest.mark.parametrize("name", ["code", "state", "sig", "publicKey", "session_state", "access_token"])
def test_secret_parameters_are_recognized(name: str) -> None:
    assert is_secret_parameter(name)


@pytest.mark.parametrize("name", ["page", "sort", "statement", "keyword", "decode"])
def test_other_parameters_are_not_secret(name: str) -> None:
    assert not is_secret_parameter(name)


def test_code_in_an_answer_is_not_secret() -> None:
    assert is_secret_key("code")
    assert not is_secret_field("code")


@pytest.mark.parametrize(
    "key",
    [
        *("status_code", "Status_Code", "event_code", "exit_code", "secrets_dir", "token_url", "status", "decoder"),
        *("zip_code", "formCode", "token_type", "secretary"),
        *("employmentAuthorizationStatus", "content-type", "spin", "sessions", "formName"),
    ],
)
def test_other_keys_are_not_secret(key: str) -> None:
    assert not is_secret_key(key)


@pytest.mark.parametrize("key", ["lastName", "fileName", "mailingAddress", "alienNumber", "countryOfBirth", "phone"])
def test_personal_keys_are_recognized(key: str) -> None:
    assert is_personal_key(key)


@pytest.mark.parametrize("key", ["formName", "formType", "status", "eventDateTime"])
def test_other_keys_are_not_personal(key: str) -> None:
    assert not is_personal_key(key)
