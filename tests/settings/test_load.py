from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.settings.configuration import Bench, OfficeAccount, Portals, as_toml
from watcher.errors import SettingsFaults
from watcher.settings import ChannelSettings, Settings
from watcher.settings.load import load

WHOLE = """
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


def test_every_section_is_read_by_its_own_model(bench: Bench) -> None:
    settings = bench.settings(WHOLE)
    family = settings.accounts["family"]
    assert isinstance(family, OfficeAccount)
    assert family.name == "family"
    assert family.mailbox is not None
    assert family.mailbox.port == 993
    assert family.careful is False
    assert settings.schedule.every == timedelta(hours=6)
    assert settings.channels["phone"].accounts == {"family"}
    assert str(settings.channels["phone"].quiet_hours) == "22:00-07:00"


def test_a_path_in_the_file_is_seen_from_the_file(bench: Bench) -> None:
    settings = bench.settings(WHOLE)
    assert settings.state_dir == bench.folder / "state"
    assert settings.accounts["family"].ca_file == bench.folder / "ca.pem"


def test_a_path_may_begin_at_home_or_at_the_root(bench: Bench) -> None:
    assert bench.settings('state_dir = "~/watcher"').state_dir == Path.home() / "watcher"
    assert bench.settings('state_dir = "/var/lib/watcher"').state_dir == Path("/var/lib/watcher")


def test_an_empty_file_is_a_configuration_of_defaults(bench: Bench) -> None:
    settings = bench.settings("", {"HOME": "/home/someone"})
    assert settings.state_dir == Path("/home/someone/.local/state/watcher")
    assert settings.accounts == {}


def test_an_empty_text_stands_for_not_set(bench: Bench) -> None:
    settings = bench.settings(
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
def test_state_is_kept_where_the_system_says(bench: Bench, environ: dict[str, str], expected: str) -> None:
    assert bench.settings("", environ).state_dir == Path(expected)


def test_the_file_of_the_environment_is_taken_where_none_is_named(bench: Bench) -> None:
    file = bench.write('language = "es"')
    assert load(None, environ={"WATCHER_CONFIG": str(file)}, portals=Portals()).language == "es"


def test_the_named_file_goes_before_that_of_the_environment(bench: Bench) -> None:
    file = bench.write('language = "es"')
    assert load(file, environ={"WATCHER_CONFIG": "/nowhere/at/all.toml"}, portals=Portals()).language == "es"


def test_the_users_own_configuration_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bench.folder)
    own = bench.folder / "configuration" / "watcher" / "watcher.toml"
    own.parent.mkdir(parents=True)
    own.write_text('language = "fr"')
    environ = {"XDG_CONFIG_HOME": str(bench.folder / "configuration")}
    assert load(None, environ=environ, portals=Portals()).language == "fr"
    bench.write('language = "es"')
    assert load(None, environ=environ, portals=Portals()).language == "es", "the working folder goes first"


def test_no_file_anywhere_says_where_it_was_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsFaults, match=r"no configuration in watcher\.toml, .*`watcher init`"):
        load(None, environ={"HOME": str(tmp_path)}, portals=Portals())


def test_a_byte_order_mark_is_no_fault(bench: Bench) -> None:
    assert bench.settings(b'\xef\xbb\xbflanguage = "es"').language == "es"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"language = \n", "is not TOML: Invalid value (at line 1, column 12)"),
        (b'a = "x"\nb = "\xff"\n', "line 2: is not UTF-8"),
        (b"\x00\x01\x02", "is not TOML"),
        (b"a = " + b"[" * 100_000, "is nested more deeply"),
        (b"# " + b"x" * 2**20, "is larger than"),
        (b'language = "en"\nlanguage = "es"\n', "is not TOML: Cannot overwrite a value"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(bench: Bench, content: bytes, expected: str) -> None:
    (fault,) = bench.faults(content)
    assert expected in fault


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(SettingsFaults, match="cannot be read: is a directory"):
        load(tmp_path, environ={}, portals=Portals())


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsFaults, match=r"nothing\.toml: cannot be read: no such file"):
        load(tmp_path / "nothing.toml", environ={}, portals=Portals())


def test_the_hook_sees_each_channels_url_and_its_word_is_a_fault(bench: Bench) -> None:
    file = bench.write('[channels.phone]\nurl = "ntfy://"\n[channels.mail]\nurl = "mailto://good"\n')

    def no_topic(url: SecretStr) -> str | None:
        return "no topic" if url.get_secret_value() == "ntfy://" else None

    with pytest.raises(SettingsFaults) as found:
        load(file, environ={}, portals=Portals(), channel_fault=no_topic)
    assert found.value.faults == (f"{file}: channels.phone.url: no topic",)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_file_content_does_worse_than_a_fault(bench: Bench, content: bytes) -> None:
    strange: tuple[str, ...] = ()
    try:
        bench.settings(content)
    except SettingsFaults as found:
        strange = tuple(fault for fault in found.faults if not fault.startswith(f"{bench.file}: "))
    assert not strange


NAMES = st.sampled_from(
    [*Settings.model_fields, *OfficeAccount.model_fields, *ChannelSettings.model_fields, "family", "x"]
)
LEAVES = st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "4h", "office", "api", "x", "\x00", "ünï"])
SECTIONS = st.dictionaries(NAMES, LEAVES | st.lists(LEAVES, max_size=2), max_size=4)
DOCUMENTS = st.dictionaries(NAMES, SECTIONS | LEAVES, max_size=4)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(accounts=DOCUMENTS, channels=DOCUMENTS, others=DOCUMENTS)
def test_no_document_does_worse_than_faults_that_name_the_file(
    bench: Bench, accounts: dict[str, object], channels: dict[str, object], others: dict[str, object]
) -> None:
    text = as_toml({**others, "accounts": accounts, "channels": channels})
    strange: tuple[str, ...] = ()
    try:
        bench.settings(text, {"HOME": "/home/someone"})
    except SettingsFaults as found:
        strange = tuple(fault for fault in found.faults if not fault.startswith(f"{bench.file}: "))
        assert found.faults, "a refusal without a reason"  # noqa: PT017 - both ends are right
    assert not strange
