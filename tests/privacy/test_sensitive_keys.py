import pytest

from watcher.privacy.sensitive_keys import is_personal_key, is_secret_key


@pytest.mark.parametrize(
    "key",
    [
        *("password", "loginPassword", "passphrase", "client_secret", "accessToken", "auth_token", "state_key"),
        *("Authorization", "proxy-authorization", "Set-Cookie", "X-CSRF-Token", "x-api-key", "apiKey", "xcsrf"),
        *("otp", "mfa_code", "code", "pin", "session", "session_id", "credentials", "heartbeat_url", "database_url"),
    ],
)
def test_secret_keys_are_recognized(key: str) -> None:
    assert is_secret_key(key)


@pytest.mark.parametrize(
    "key",
    [
        *("status_code", "Status_Code", "event_code", "exit_code", "secrets_dir", "token_url", "status", "decoder"),
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
