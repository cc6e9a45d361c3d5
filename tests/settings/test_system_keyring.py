"""The real keyring library with a backend in memory."""

from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringLocked

from tests.settings.configuration import ConfigFolder, OfficeAccount
from watcher.doctor.configuration import check_secrets
from watcher.errors import SettingsFaults
from watcher.settings import Settings

TEXT = 'keyring = true\n[accounts.family]\nportal = "office"\n'
VARIABLE = "WATCHER_ACCOUNTS__FAMILY__PASSWORD"
SERVICE, NAME = "case-watcher", "accounts__family__password"


class InMemory(KeyringBackend):
    """A keyring in memory that can be locked."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password


@pytest.fixture
def ring() -> Iterator[InMemory]:
    before = keyring.get_keyring()
    ring = InMemory()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def password(settings: Settings) -> str | None:
    office = settings.accounts["family"]
    assert isinstance(office, OfficeAccount)
    return office.password.get_secret_value() if office.password else None


@pytest.mark.usefixtures("ring")
def test_keyring_has_priority_only_over_the_configuration(config: ConfigFolder) -> None:
    text = f'{TEXT}password = "of the configuration"\n'
    assert password(config.settings(text)) == "of the configuration"
    keyring.set_password(SERVICE, NAME, "of the keyring")
    assert password(config.settings(text)) == "of the keyring"
    assert password(config.settings(text, {VARIABLE: "of the environment"})) == "of the environment"


@pytest.mark.usefixtures("ring")
def test_keyring_is_not_read_unless_configured(config: ConfigFolder, ring: InMemory) -> None:
    keyring.set_password(SERVICE, NAME, "of the keyring")
    ring.locked = True
    assert password(config.settings(TEXT.replace("true", "false"))) is None


@pytest.mark.usefixtures("ring")
def test_doctor_names_the_keyring_entry_without_the_secret(config: ConfigFolder) -> None:
    keyring.set_password(SERVICE, NAME, "of the keyring")
    (finding,) = check_secrets(config.configuration(TEXT))
    assert finding.about == "secret accounts.family.password"
    assert finding.text == f"found in the keyring {SERVICE} {NAME}"


@pytest.mark.usefixtures("ring")
def test_empty_entry_is_a_fault(config: ConfigFolder) -> None:
    keyring.set_password(SERVICE, NAME, " ")
    (fault,) = config.faults(TEXT)
    assert f"{SERVICE} {NAME}: is empty" in fault


def test_locked_keyring_is_one_fault_with_advice(config: ConfigFolder, ring: InMemory) -> None:
    ring.locked = True
    (fault,) = config.faults(TEXT)
    assert fault.startswith("keyring: cannot be read (KeyringLocked); unlock it")
    with pytest.raises(SettingsFaults) as error:
        config.configuration(TEXT)
    assert error.value.faults[0].startswith(f"{config.file}: ")


@pytest.mark.usefixtures("ring")
def test_missing_keyring_is_one_fault_with_advice(config: ConfigFolder) -> None:
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]
    (fault,) = config.faults(TEXT)
    assert "has no keyring for this user" in fault


def test_keyring_key_is_true_or_false(config: ConfigFolder) -> None:
    (fault,) = config.faults(TEXT.replace("true", '"yes"'))
    assert "keyring: must be true or false" in fault
