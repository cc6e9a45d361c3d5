from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.settings.configuration import ConfigFolder, OfficeAccount, Portals
from watcher.errors import SettingsFaults
from watcher.settings import Settings
from watcher.settings.load import load, load_configuration

FAMILY = '[accounts.family]\nportal = "office"\n'
VARIABLE = "WATCHER_ACCOUNTS__FAMILY__PASSWORD"


def password(settings: Settings, account: str = "family") -> str | None:
    office = settings.accounts[account]
    assert isinstance(office, OfficeAccount)
    return office.password.get_secret_value() if office.password else None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    return folder


def write_secret(folder: Path, name: str, content: str | bytes, mode: int = 0o600) -> None:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    file.chmod(mode)


def test_priority_is_environment_then_file_then_configuration(config: ConfigFolder, folder: Path) -> None:
    text = f'secrets_dir = "secrets"\n{FAMILY}password = "of the configuration"\n'
    assert password(config.settings(text)) == "of the configuration"
    write_secret(folder, "accounts__family__password", "of the file\n")
    assert password(config.settings(text)) == "of the file"
    assert password(config.settings(text, {VARIABLE: "of the environment"})) == "of the environment"


def test_credential_with_systemds_prefix_is_found(config: ConfigFolder, folder: Path) -> None:
    write_secret(folder, "watcher_accounts__family__password", "of the folder")
    assert password(config.settings(FAMILY, {"CREDENTIALS_DIRECTORY": str(folder)})) == "of the folder"
    write_secret(folder, "accounts__family__password", "of its own")
    assert password(config.settings(FAMILY, {"CREDENTIALS_DIRECTORY": str(folder)})) == "of its own"


@pytest.mark.parametrize("secrets_dir", ["secrets", "roots-folder"])
def test_systemd_credential_has_priority_over_a_folder_and_replaces_one_of_root(
    config: ConfigFolder, folder: Path, tmp_path: Path, secrets_dir: str
) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (tmp_path / "roots-folder").touch()  # a file, which not even root can enter (root may run the tests)
    write_secret(credentials, "watcher_accounts__family__password", "of systemd")
    write_secret(folder, "accounts__family__password", "of the folder")
    text = f'secrets_dir = "{secrets_dir}"\n{FAMILY}'
    assert password(config.settings(text, {"CREDENTIALS_DIRECTORY": str(credentials)})) == "of systemd"


def test_folder_is_used_for_secrets_without_a_systemd_credential(
    config: ConfigFolder, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "credentials").mkdir()
    write_secret(folder, "accounts__family__password", "of the folder")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    assert password(config.settings(f'secrets_dir = "secrets"\n{FAMILY}', environ)) == "of the folder"


def test_origin_of_each_secret_is_known(config: ConfigFolder, folder: Path) -> None:
    write_secret(folder, "state_key", "k", mode=0o644)
    configuration = config.configuration(
        f'secrets_dir = "secrets"\n{FAMILY}password = "x"\n[channels.c]\nurl = "y"\n', {"WATCHER_CHANNELS__C__URL": "z"}
    )
    origins = {(origin.key_path[-1], origin.source, origin.open_to_others) for origin in configuration.origins}
    assert origins == {
        ("password", "configuration", False),
        ("url", "environment", False),
        ("state_key", "secret file", True),
    }


@pytest.mark.parametrize(
    ("variable", "getter"),
    [
        ("WATCHER_HEALTH__TOKEN", lambda s: s.health.token),
        ("WATCHER_STATE_KEY", lambda s: s.state_key),
        ("WATCHER_DATABASE_URL", lambda s: s.database_url),
        ("WATCHER_HEALTH__HEARTBEAT_URL", lambda s: s.health.heartbeat_url),
        ("WATCHER_CHANNELS__PHONE__URL", lambda s: s.channels["phone"].url),
        ("WATCHER_ACCOUNTS__FAMILY__MAILBOX__PASSWORD", lambda s: s.accounts["family"].mailbox.password),
    ],
)
def test_every_secret_may_come_from_the_environment(config: ConfigFolder, variable: str, getter: object) -> None:
    text = f'{FAMILY}mailbox = {{ host = "h", username = "u" }}\n[channels.phone]\nurl = "x"\n'
    assert callable(getter)
    digits = "0123456789012345"
    secret = f"https://hc.example.org/{digits}" if variable.endswith("HEARTBEAT_URL") else digits
    assert getter(config.settings(text, {variable: secret})) == SecretStr(secret)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    secret=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1).filter(str.strip)
)
def test_secret_text_is_unchanged(config: ConfigFolder, secret: str) -> None:
    assert password(config.settings(FAMILY, {VARIABLE: secret})) == secret


@pytest.mark.parametrize("secret", ["0123", "true", "null", '{"a": 1}', "[1]", " with spaces ", "1e5"])
def test_secret_is_not_parsed_as_json(config: ConfigFolder, folder: Path, secret: str) -> None:
    write_secret(folder, "accounts__family__password", f"{secret}\r\n")
    assert password(config.settings(f'secrets_dir = "secrets"\n{FAMILY}')) == secret


def test_systemd_credentials_are_used_by_default(config: ConfigFolder, folder: Path) -> None:
    write_secret(folder, "accounts__family__password", "x", mode=0o400)
    settings = config.settings(FAMILY, {"CREDENTIALS_DIRECTORY": str(folder)})
    assert password(settings) == "x"
    assert settings.secrets_dir == folder


@pytest.mark.parametrize(("mode", "is_open"), [(0o440, False), (0o444, True)])
def test_systemd_credential_with_an_access_list_is_not_reported_as_open(
    config: ConfigFolder, folder: Path, mode: int, *, is_open: bool
) -> None:
    write_secret(folder, "accounts__family__password", "x", mode=mode)
    file = config.write(FAMILY)
    environ = {"CREDENTIALS_DIRECTORY": str(folder)}
    (origin,) = load_configuration(file, environ=environ, portals=Portals()).origins
    assert origin.open_to_others is is_open


def test_other_characters_of_a_name_become_underscores(config: ConfigFolder) -> None:
    text = '[accounts."Mamá & Papá"]\nportal = "office"\n'
    settings = config.settings(text, {"WATCHER_ACCOUNTS__MAM____PAP___PASSWORD": "x"})
    assert password(settings, "Mamá & Papá") == "x"


def test_names_with_the_same_variable_are_refused(config: ConfigFolder) -> None:
    (fault,) = config.faults('[accounts.a-b]\nportal = "office"\n[accounts.a_b]\nportal = "office"\n')
    assert fault.startswith("accounts.a_b: has the same environment variable as accounts.a-b (WATCHER_ACCOUNTS__A_B__")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_configuration_with_a_secret_that_others_can_read_is_refused(config: ConfigFolder, mode: int) -> None:
    file = config.write(f'{FAMILY}password = "canary"\n', mode=mode)
    with pytest.raises(SettingsFaults) as error:
        load(file, environ={VARIABLE: "elsewhere too"}, portals=Portals())
    (fault,) = error.value.faults
    assert fault.startswith(f"{file}: accounts.family.password: this file contains a secret")
    assert f"chmod 600 {file}" in fault
    assert "canary" not in fault


def test_configuration_without_a_secret_may_be_readable_by_all(config: ConfigFolder) -> None:
    file = config.write(f'{FAMILY}password = ""\n', mode=0o644)
    assert load(file, environ={}, portals=Portals()).accounts


def test_secret_file_that_others_can_read_is_noted_but_accepted(config: ConfigFolder, folder: Path) -> None:
    write_secret(folder, "accounts__family__password", "x", mode=0o644)
    file = config.write(FAMILY)
    environ = {"CREDENTIALS_DIRECTORY": str(folder)}
    (origin,) = load_configuration(file, environ=environ, portals=Portals()).origins
    assert origin.open_to_others


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"x" * 70000, "too long for a secret"),
    ],
)
def test_invalid_secret_file_is_reported_by_name(
    config: ConfigFolder, folder: Path, content: bytes, expected: str
) -> None:
    write_secret(folder, "accounts__family__password", content)
    (fault,) = config.faults(f'secrets_dir = "secrets"\n{FAMILY}')
    assert fault.startswith(f"{folder}/accounts__family__password: {expected}") or expected in fault


def test_folder_instead_of_a_secret_file_is_reported(config: ConfigFolder, folder: Path) -> None:
    (folder / "accounts__family__password").mkdir()
    (fault,) = config.faults(f'secrets_dir = "secrets"\n{FAMILY}')
    assert fault.endswith("cannot be read: is a directory")


def test_empty_variable_is_reported(config: ConfigFolder) -> None:
    (fault,) = config.faults(FAMILY, {VARIABLE: ""})
    assert fault.startswith(f"{VARIABLE}: is empty; set it to the value of accounts.family.password")


def test_misspelled_variable_is_reported_with_a_suggestion(config: ConfigFolder) -> None:
    (fault,) = config.faults(FAMILY, {"WATCHER_ACCOUNTS__FAMLY__PASSWORD": "canary"})
    assert fault.startswith("WATCHER_ACCOUNTS__FAMLY__PASSWORD: unknown environment variable; did you mean")
    assert VARIABLE in fault
    assert "canary" not in fault


def test_variables_that_a_cluster_sets_are_ignored(config: ConfigFolder) -> None:
    environ = {"WATCHER_SERVICE_HOST": "10.0.0.1", "WATCHER_PORT_8787_TCP": "tcp://10.0.0.1:8787", "WATCHER_PORT": "1"}
    assert config.settings(FAMILY, environ).accounts


def test_variables_of_an_account_with_an_unknown_portal_are_no_further_faults(config: ConfigFolder) -> None:
    (fault,) = config.faults('[accounts.family]\nportal = "x"\n', {VARIABLE: "x"})
    assert fault.startswith("accounts.family.portal:")


def test_printed_settings_show_no_secret(config: ConfigFolder) -> None:
    settings = config.settings(FAMILY, {VARIABLE: "canary"})
    assert "canary" not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
