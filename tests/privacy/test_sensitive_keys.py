import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.privacy.sensitive_keys import (
    SECRET_WORDS,
    is_personal_key,
    is_secret_field,
    is_secret_key,
    is_secret_parameter,
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
    assert any(word in key.lower() for word in SECRET_WORDS)


@given(key=st.from_regex(r"[a-z_.-]{0,3}(t?otp|pwd|sid|pin|j?session(_id)?|phpsessid|mfa_code|token)[a-z_]{0,3}"))
def test_no_secret_key_lacks_a_secret_word(key: str) -> None:
    assert any(word in key.lower() for word in SECRET_WORDS) or not is_secret_key(key)


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
