"""The keyring as its own library has it, with a backend that keeps everything in memory."""

from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringLocked

from tests.settings.configuration import Bench, OfficeAccount
from watcher.doctor.configuration import check_secrets
from watcher.settings import Settings

TEXT = 'keyring = true\n[accounts.family]\nportal = "office"\n'
VARIABLE = "WATCHER_ACCOUNTS__FAMILY__PASSWORD"
SERVICE, NAME = "case-watcher", "accounts__family__password"


class InMemory(KeyringBackend):
    """A keyring of this process alone; while it is locked it gives nothing."""

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
    made = InMemory()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def password(settings: Settings) -> str | None:
    found = settings.accounts["family"]
    assert isinstance(found, OfficeAccount)
    return found.password.get_secret_value() if found.password else None


@pytest.mark.usefixtures("ring")
def test_the_keyring_goes_before_the_configuration_and_after_everything_else(bench: Bench) -> None:
    text = f'{TEXT}password = "of the configuration"\n'
    assert password(bench.settings(text)) == "of the configuration"
    keyring.set_password(SERVICE, NAME, "of the keyring")
    assert password(bench.settings(text)) == "of the keyring"
    assert password(bench.settings(text, {VARIABLE: "of the environment"})) == "of the environment"


@pytest.mark.usefixtures("ring")
def test_a_keyring_that_was_not_asked_for_is_left_alone(bench: Bench, ring: InMemory) -> None:
    keyring.set_password(SERVICE, NAME, "of the keyring")
    ring.locked = True
    assert password(bench.settings(TEXT.replace("true", "false"))) is None


@pytest.mark.usefixtures("ring")
def test_the_doctor_tells_which_entry_of_the_keyring_a_secret_is_and_not_what_it_is(bench: Bench) -> None:
    keyring.set_password(SERVICE, NAME, "of the keyring")
    (finding,) = check_secrets(bench.configuration(TEXT))
    assert finding.about == "secret accounts.family.password"
    assert finding.text == f"found in the keyring {SERVICE} {NAME}"


@pytest.mark.usefixtures("ring")
def test_an_empty_entry_is_a_fault(bench: Bench) -> None:
    keyring.set_password(SERVICE, NAME, " ")
    (fault,) = bench.faults(TEXT)
    assert f"{SERVICE} {NAME}: is empty" in fault


def test_a_locked_keyring_is_one_fault_that_says_what_to_do(bench: Bench, ring: InMemory) -> None:
    ring.locked = True
    (fault,) = bench.faults(TEXT)
    assert fault.startswith("keyring: cannot be read (KeyringLocked); unlock it")


@pytest.mark.usefixtures("ring")
def test_a_machine_without_a_keyring_is_one_fault_that_says_what_to_do(bench: Bench) -> None:
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]
    (fault,) = bench.faults(TEXT)
    assert "has no keyring for this user" in fault


def test_whether_to_ask_it_is_true_or_false(bench: Bench) -> None:
    (fault,) = bench.faults(TEXT.replace("true", '"yes"'))
    assert "keyring: must be true or false" in fault
