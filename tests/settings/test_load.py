from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.settings.configuration import ConfigFolder, OfficeAccount, Portals, as_toml
from watcher.errors import SettingsFaults
from watcher.settings import ChannelSettings, Settings
from watcher.settings.load import load

COMPLETE = """
timezone = "Europe/Madrid"
state_dir = "state"
[schedule]
every = "6h"
[accounts.family]
portal = "office"
cases = ["IOE0000000001"]
ca_file = "ca.pem"
careful = false
mailbox = { host = "imap.example.org", username = "someone" }
[accounts."Mum & Dad"]
portal = "api"
client_secret = "s3cret"
[channels.phone]
url = "ntfys://ntfy.example.org/topic"
accounts = ["family"]
quiet_hours = "22:00-07:00"
"""


def test_every_section_is_validated_by_its_model(config: ConfigFolder) -> None:
    settings = config.settings(COMPLETE)
    family = settings.accounts["family"]
    assert isinstance(family, OfficeAccount)
    assert family.name == "family"
    assert family.mailbox is not None
    assert family.mailbox.port == 993
    assert family.careful is False
    assert settings.schedule.every == timedelta(hours=6)
    assert settings.channels["phone"].accounts == {"family"}
    assert str(settings.channels["phone"].quiet_hours) == "22:00-07:00"


def test_path_is_relative_to_the_file(config: ConfigFolder) -> None:
    settings = config.settings(COMPLETE)
    assert settings.state_dir == config.folder / "state"
    assert settings.accounts["family"].ca_file == config.folder / "ca.pem"


def test_path_may_be_absolute_or_begin_with_the_home_folder(config: ConfigFolder) -> None:
    assert config.settings('state_dir = "~/watcher"').state_dir == Path.home() / "watcher"
    assert config.settings('state_dir = "/var/lib/watcher"').state_dir == Path("/var/lib/watcher")


def test_empty_file_means_defaults(config: ConfigFolder) -> None:
    settings = config.settings("", {"HOME": "/home/someone"})
    assert settings.state_dir == Path("/home/someone/.local/state/watcher")
    assert settings.accounts == {}


def test_empty_text_means_not_set(config: ConfigFolder) -> None:
    settings = config.settings(
        'state_dir = ""\ndatabase_url = ""\nsecrets_dir = ""\nstate_key = ""\n'
        '[accounts.family]\nportal = "office"\nca_file = ""\nevery = ""\npassword = ""\nbase_url = ""\n'
        '[health]\nlisten = ""\nheartbeat_url = ""\n',
        {"HOME": "/home/someone"},
    )
    family = settings.accounts["family"]
    assert isinstance(family, OfficeAccount)
    assert (family.ca_file, family.every, family.password) == (None, None, None)
    assert (settings.state_key, settings.health.heartbeat_url) == (None, None)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"STATE_DIRECTORY": "/var/lib/watcher:/var/lib/other"}, "/var/lib/watcher"),
        ({"XDG_STATE_HOME": "/home/someone/state", "HOME": "/h"}, "/home/someone/state/watcher"),
        ({"XDG_STATE_HOME": "relative/is/ignored", "HOME": "/h"}, "/h/.local/state/watcher"),
    ],
)
def test_default_state_folder_follows_the_environment(
    config: ConfigFolder, environ: dict[str, str], expected: str
) -> None:
    assert config.settings("", environ).state_dir == Path(expected)


def test_file_from_the_environment_is_used_if_none_is_named(config: ConfigFolder) -> None:
    file = config.write('language = "es"')
    assert load(None, environ={"WATCHER_CONFIG": str(file)}, portals=Portals()).language == "es"


def test_named_file_has_priority_over_the_environment(config: ConfigFolder) -> None:
    file = config.write('language = "es"')
    assert load(file, environ={"WATCHER_CONFIG": "/nowhere/at/all.toml"}, portals=Portals()).language == "es"


def test_configuration_in_the_users_folder_is_found(config: ConfigFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(config.folder)
    user_file = config.folder / "configuration" / "watcher" / "watcher.toml"
    user_file.parent.mkdir(parents=True)
    user_file.write_text('language = "fr"')
    environ = {"XDG_CONFIG_HOME": str(config.folder / "configuration")}
    assert load(None, environ=environ, portals=Portals()).language == "fr"
    config.write('language = "es"')
    assert load(None, environ=environ, portals=Portals()).language == "es", "the working folder has priority"


def test_missing_file_is_reported_with_the_default_locations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsFaults, match=r"there is no configuration in watcher\.toml, .*`watcher init`"):
        load(None, environ={"HOME": str(tmp_path)}, portals=Portals())


def test_byte_order_mark_is_ignored(config: ConfigFolder) -> None:
    assert config.settings(b'\xef\xbb\xbflanguage = "es"').language == "es"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"language = \n", "not valid TOML: Invalid value (at line 1, column 12)"),
        (b'a = "x"\nb = "\xff"\n', "line 2: not UTF-8"),
        (b"\x00\x01\x02", "not valid TOML"),
        (b"a = " + b"[" * 100_000, "is nested too deeply"),
        (b"# " + b"x" * 2**20, "is larger than"),
        (b'language = "en"\nlanguage = "es"\n', "not valid TOML: Cannot overwrite a value"),
    ],
)
def test_invalid_toml_is_reported_with_its_line(config: ConfigFolder, content: bytes, expected: str) -> None:
    (fault,) = config.faults(content)
    assert expected in fault


def test_folder_instead_of_a_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SettingsFaults, match="cannot be read: is a directory"):
        load(tmp_path, environ={}, portals=Portals())


def test_missing_named_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SettingsFaults, match=r"nothing\.toml: cannot be read: no such file"):
        load(tmp_path / "nothing.toml", environ={}, portals=Portals())


def test_channel_fault_function_checks_each_channel_url(config: ConfigFolder) -> None:
    file = config.write('[channels.phone]\nurl = "ntfy://"\n[channels.mail]\nurl = "mailto://good"\n')

    def no_topic(url: SecretStr) -> str | None:
        return "no topic" if url.get_secret_value() == "ntfy://" else None

    with pytest.raises(SettingsFaults) as error:
        load(file, environ={}, portals=Portals(), channel_fault=no_topic)
    assert error.value.faults == (f"{file}: channels.phone.url: no topic",)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_file_content_causes_at_most_faults(config: ConfigFolder, content: bytes) -> None:
    unexpected: tuple[str, ...] = ()
    try:
        config.settings(content)
    except SettingsFaults as error:
        unexpected = tuple(fault for fault in error.faults if not fault.startswith(f"{config.file}: "))
    assert not unexpected


NAMES = st.sampled_from(
    [*Settings.model_fields, *OfficeAccount.model_fields, *ChannelSettings.model_fields, "family", "x"]
)
LEAVES = st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "4h", "office", "api", "x", "\x00", "ünï"])
SECTIONS = st.dictionaries(NAMES, LEAVES | st.lists(LEAVES, max_size=2), max_size=4)
DOCUMENTS = st.dictionaries(NAMES, SECTIONS | LEAVES, max_size=4)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(accounts=DOCUMENTS, channels=DOCUMENTS, others=DOCUMENTS)
def test_any_document_causes_at_most_faults_that_name_the_file(
    config: ConfigFolder, accounts: dict[str, object], channels: dict[str, object], others: dict[str, object]
) -> None:
    text = as_toml({**others, "accounts": accounts, "channels": channels})
    unexpected: tuple[str, ...] = ()
    try:
        config.settings(text, {"HOME": "/home/someone"})
    except SettingsFaults as error:
        unexpected = tuple(fault for fault in error.faults if not fault.startswith(f"{config.file}: "))
        assert error.faults, "a refusal without a reason"  # noqa: PT017 - both outcomes are valid
    assert not unexpected
