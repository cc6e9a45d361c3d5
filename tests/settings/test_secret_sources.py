from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.settings.configuration import Bench, OfficeAccount, Portals
from watcher.errors import SettingsFaults
from watcher.settings import Settings
from watcher.settings.load import load, load_configuration

FAMILY = '[accounts.family]\nportal = "office"\n'
VARIABLE = "WATCHER_ACCOUNTS__FAMILY__PASSWORD"


def password(settings: Settings, account: str = "family") -> str | None:
    found = settings.accounts[account]
    assert isinstance(found, OfficeAccount)
    return found.password.get_secret_value() if found.password else None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "secrets"
    made.mkdir()
    return made


def keep(folder: Path, name: str, content: str | bytes, mode: int = 0o600) -> None:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    file.chmod(mode)


def test_the_environment_goes_before_the_file_and_the_file_before_the_configuration(bench: Bench, folder: Path) -> None:
    text = f'secrets_dir = "secrets"\n{FAMILY}password = "of the configuration"\n'
    assert password(bench.settings(text)) == "of the configuration"
    keep(folder, "accounts__family__password", "of the file\n")
    assert password(bench.settings(text)) == "of the file"
    assert password(bench.settings(text, {VARIABLE: "of the environment"})) == "of the environment"


def test_a_secret_of_a_folder_that_systemd_loaded_is_found_by_its_longer_name(bench: Bench, folder: Path) -> None:
    keep(folder, "watcher_accounts__family__password", "of the folder")
    assert password(bench.settings(FAMILY, {"CREDENTIALS_DIRECTORY": str(folder)})) == "of the folder"
    keep(folder, "accounts__family__password", "of its own")
    assert password(bench.settings(FAMILY, {"CREDENTIALS_DIRECTORY": str(folder)})) == "of its own"


@pytest.mark.parametrize("secrets_dir", ["secrets", "roots-own"])
def test_what_systemd_hands_over_goes_before_a_folder_and_stands_for_one_that_is_roots(
    bench: Bench, folder: Path, tmp_path: Path, secrets_dir: str
) -> None:
    handed = tmp_path / "handed"
    handed.mkdir()
    (tmp_path / "roots-own").touch()  # no folder that anybody could enter, not even root, who runs tests at times
    keep(handed, "watcher_accounts__family__password", "handed over")
    keep(folder, "accounts__family__password", "of the folder")
    text = f'secrets_dir = "{secrets_dir}"\n{FAMILY}'
    assert password(bench.settings(text, {"CREDENTIALS_DIRECTORY": str(handed)})) == "handed over"


def test_a_folder_is_looked_through_for_what_systemd_has_not_handed_over(
    bench: Bench, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "handed").mkdir()
    keep(folder, "accounts__family__password", "of the folder")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "handed")}
    assert password(bench.settings(f'secrets_dir = "secrets"\n{FAMILY}', environ)) == "of the folder"


def test_each_secret_is_told_by_where_it_was_found(bench: Bench, folder: Path) -> None:
    keep(folder, "state_key", "k", mode=0o644)
    found = bench.configuration(
        f'secrets_dir = "secrets"\n{FAMILY}password = "x"\n[channels.c]\nurl = "y"\n', {"WATCHER_CHANNELS__C__URL": "z"}
    )
    told = {(origin.key_path[-1], origin.source, origin.open_to_others) for origin in found.origins}
    assert told == {
        ("password", "configuration", False),
        ("url", "environment", False),
        ("state_key", "secret file", True),
    }


@pytest.mark.parametrize(
    ("variable", "read"),
    [
        ("WATCHER_HEALTH__TOKEN", lambda s: s.health.token),
        ("WATCHER_STATE_KEY", lambda s: s.state_key),
        ("WATCHER_DATABASE_URL", lambda s: s.database_url),
        ("WATCHER_HEALTH__HEARTBEAT_URL", lambda s: s.health.heartbeat_url),
        ("WATCHER_CHANNELS__PHONE__URL", lambda s: s.channels["phone"].url),
        ("WATCHER_ACCOUNTS__FAMILY__MAILBOX__PASSWORD", lambda s: s.accounts["family"].mailbox.password),
    ],
)
def test_every_secret_may_come_from_the_environment(bench: Bench, variable: str, read: object) -> None:
    text = f'{FAMILY}mailbox = {{ host = "h", username = "u" }}\n[channels.phone]\nurl = "x"\n'
    assert callable(read)
    digits = "0123456789012345"
    secret = f"https://hc.example.org/{digits}" if variable.endswith("HEARTBEAT_URL") else digits
    assert read(bench.settings(text, {variable: secret})) == SecretStr(secret)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    secret=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1).filter(str.strip)
)
def test_a_secret_stays_the_text_that_it_is(bench: Bench, secret: str) -> None:
    assert password(bench.settings(FAMILY, {VARIABLE: secret})) == secret


@pytest.mark.parametrize("secret", ["0123", "true", "null", '{"a": 1}', "[1]", " with spaces ", "1e5"])
def test_a_secret_that_looks_like_json_is_no_json(bench: Bench, folder: Path, secret: str) -> None:
    keep(folder, "accounts__family__password", f"{secret}\r\n")
    assert password(bench.settings(f'secrets_dir = "secrets"\n{FAMILY}')) == secret


def test_systemds_credentials_are_looked_through_without_being_asked(bench: Bench, folder: Path) -> None:
    keep(folder, "accounts__family__password", "x", mode=0o400)
    settings = bench.settings(FAMILY, {"CREDENTIALS_DIRECTORY": str(folder)})
    assert password(settings) == "x"
    assert settings.secrets_dir == folder


@pytest.mark.parametrize(("mode", "is_open"), [(0o440, False), (0o444, True)])
def test_a_credential_that_systemd_guards_with_an_access_list_is_not_held_to_be_open(
    bench: Bench, folder: Path, mode: int, *, is_open: bool
) -> None:
    keep(folder, "accounts__family__password", "x", mode=mode)
    file = bench.write(FAMILY)
    environ = {"CREDENTIALS_DIRECTORY": str(folder)}
    (origin,) = load_configuration(file, environ=environ, portals=Portals()).origins
    assert origin.open_to_others is is_open


def test_a_name_of_other_letters_is_written_with_underscores(bench: Bench) -> None:
    text = '[accounts."Mamá & Papá"]\nportal = "office"\n'
    settings = bench.settings(text, {"WATCHER_ACCOUNTS__MAM____PAP___PASSWORD": "x"})
    assert password(settings, "Mamá & Papá") == "x"


def test_two_names_that_would_share_a_secret_are_refused(bench: Bench) -> None:
    (fault,) = bench.faults('[accounts.a-b]\nportal = "office"\n[accounts.a_b]\nportal = "office"\n')
    assert fault.startswith("accounts.a_b: cannot be told from accounts.a-b in WATCHER_ACCOUNTS__A_B__")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_configuration_that_holds_a_secret_and_others_can_read_is_refused(bench: Bench, mode: int) -> None:
    file = bench.write(f'{FAMILY}password = "canary"\n', mode=mode)
    with pytest.raises(SettingsFaults) as found:
        load(file, environ={VARIABLE: "elsewhere too"}, portals=Portals())
    (fault,) = found.value.faults
    assert fault.startswith(f"{file}: accounts.family.password: a secret stands here")
    assert f"chmod 600 {file}" in fault
    assert "canary" not in fault


def test_a_configuration_without_a_secret_may_be_read_by_all(bench: Bench) -> None:
    file = bench.write(f'{FAMILY}password = ""\n', mode=0o644)
    assert load(file, environ={}, portals=Portals()).accounts


def test_a_readable_secret_file_is_noted_for_the_doctor_not_refused(bench: Bench, folder: Path) -> None:
    keep(folder, "accounts__family__password", "x", mode=0o644)
    file = bench.write(FAMILY)
    environ = {"CREDENTIALS_DIRECTORY": str(folder)}
    (origin,) = load_configuration(file, environ=environ, portals=Portals()).origins
    assert origin.open_to_others


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"x" * 70000, "longer than any secret"),
    ],
)
def test_a_secret_file_that_will_not_do_is_told_by_its_name(
    bench: Bench, folder: Path, content: bytes, expected: str
) -> None:
    keep(folder, "accounts__family__password", content)
    (fault,) = bench.faults(f'secrets_dir = "secrets"\n{FAMILY}')
    assert fault.startswith(f"{folder}/accounts__family__password: {expected}") or expected in fault


def test_a_folder_in_a_secrets_place_is_told(bench: Bench, folder: Path) -> None:
    (folder / "accounts__family__password").mkdir()
    (fault,) = bench.faults(f'secrets_dir = "secrets"\n{FAMILY}')
    assert fault.endswith("cannot be read: is a directory")


def test_an_empty_variable_is_told(bench: Bench) -> None:
    (fault,) = bench.faults(FAMILY, {VARIABLE: ""})
    assert fault.startswith(f"{VARIABLE}: is empty; give it the value of accounts.family.password")


def test_a_misspelt_variable_is_told_with_the_nearest(bench: Bench) -> None:
    (fault,) = bench.faults(FAMILY, {"WATCHER_ACCOUNTS__FAMLY__PASSWORD": "canary"})
    assert fault.startswith("WATCHER_ACCOUNTS__FAMLY__PASSWORD: unknown environment variable; did you mean")
    assert VARIABLE in fault
    assert "canary" not in fault


def test_what_a_cluster_sets_for_a_service_of_our_name_is_no_fault(bench: Bench) -> None:
    environ = {"WATCHER_SERVICE_HOST": "10.0.0.1", "WATCHER_PORT_8787_TCP": "tcp://10.0.0.1:8787", "WATCHER_PORT": "1"}
    assert bench.settings(FAMILY, environ).accounts


def test_variables_of_an_account_whose_portal_is_unknown_are_not_faults_of_their_own(bench: Bench) -> None:
    (fault,) = bench.faults('[accounts.family]\nportal = "x"\n', {VARIABLE: "x"})
    assert fault.startswith("accounts.family.portal:")


def test_a_secret_shows_in_no_print_of_the_settings(bench: Bench) -> None:
    settings = bench.settings(FAMILY, {VARIABLE: "canary"})
    assert "canary" not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
