from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import trustme
from pydantic import SecretStr, ValidationError

from tests.sign_in.code_mails import SENDER, letter
from tests.sign_in.dovecot import FOREIGN_PASSWORD, FOREIGN_USERNAME, PASSWORD, USERNAME, Mailbox, running
from tests.sign_in.waiting import NOON, Waiting
from tests.store.temporary_store import TemporaryStore, temporary_store
from watcher.errors import CodeNeeded, PortalUnavailable
from watcher.sign_in.imap import _utf7
from watcher.sign_in.mailbox import MailboxCodes, MailboxSettings
from watcher.sign_in.shared_mailbox import MailboxTurn, UsedMails, folder_name, login_name
from watcher.store import Busy

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with running() as mailbox:
        yield mailbox


class World(Waiting):
    """A folder of its own, somebody who waits, and mail that comes at given moments."""

    def __init__(self, mailbox: Mailbox, folder: str, stored: TemporaryStore) -> None:
        super().__init__()
        self.mailbox, self.folder, self.stored = mailbox, folder, stored
        mailbox.folder(folder)

    def deliver(self, code: str, *, after: float = 0.0, arrived: float | None = None, **how: Any) -> None:
        """A mail dated `after` seconds past the request; its arrival by the server's clock may be another."""
        dated = NOON + timedelta(seconds=after)
        how = {"dated": dated, **how}
        at = dated if arrived is None else NOON + timedelta(seconds=arrived)
        self.mailbox.deliver(letter(code, **how), arrived=at, folder=self.folder)

    def settings(self, **keys: Any) -> MailboxSettings:
        given: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.mailbox.tls_port,
            "username": USERNAME,
            "password": SecretStr(PASSWORD),
            "folder": self.folder,
            "ca_file": self.mailbox.ca_file,
        }
        return MailboxSettings(**{**given, **keys})

    def codes(self, **keys: Any) -> MailboxCodes:
        settings, store = self.settings(**keys), self.stored.store
        login = settings.imap_login()
        return MailboxCodes(
            settings,
            guard=store.sign_in_guard(
                login_name(login), clock=self, fingerprint=lambda: login.password, max_sign_ins_per_day=0
            ),
            used=UsedMails(self.stored.values().of(folder_name(login), "mails")),
            turn=MailboxTurn(login_name(login), store.locks, busy=Busy, stop=Event()),
            recipient="someone",
            clock=self,
            wait=self.wait,
            timeout=timedelta(minutes=2),
        )


@pytest.fixture
def world(mailbox: Mailbox, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with temporary_store(tmp_path) as stored:
        yield World(mailbox, f"f{abs(hash(request.node.nodeid))}", stored)


def test_code_of_a_mail_that_is_there_already(world: World) -> None:
    world.deliver("012345", after=2)
    assert world.codes().code(asked_at=NOON) == "012345"
    assert world.time == NOON


def test_mail_that_arrives_late_is_found(world: World) -> None:
    world.plans = [(NOON + timedelta(seconds=70), lambda: world.deliver("012345", after=68))]
    assert world.codes().code(asked_at=NOON) == "012345"
    assert timedelta(seconds=70) <= world.time - NOON <= timedelta(seconds=75)


def test_reading_leaves_no_trace_in_the_mailbox(world: World) -> None:
    world.deliver("012345", after=2)
    world.deliver("999999", after=-900)
    world.codes().code(asked_at=NOON)
    assert world.mailbox.flags(world.folder) == ["", ""]


def test_forged_mails_are_ignored(world: World) -> None:
    world.deliver("111111", after=-600)
    world.deliver("222222", after=-600, arrived=5)
    world.deliver("333333", after=600, arrived=-600)
    world.deliver("444444", after=5, sender=f'"{SENDER}" <thief@example.org>')
    world.deliver("", after=6)
    world.deliver("012345", after=7)
    world.deliver("555555", after=8, sender="newsletter@example.org")
    assert world.codes().code(asked_at=NOON) == "012345"


def test_two_different_codes_are_no_code(world: World) -> None:
    world.deliver("111111", after=2)
    world.deliver("012345", after=3)
    with pytest.raises(CodeNeeded, match="different codes"):
        world.codes().code(asked_at=NOON)


def test_no_code_is_given_twice(world: World) -> None:
    world.deliver("111111", after=2)
    codes = world.codes()
    assert codes.code(asked_at=NOON) == "111111"
    world.plans = [(NOON + timedelta(seconds=10), lambda: world.deliver("012345", after=9))]
    assert codes.code(asked_at=NOON) == "012345"


def test_clocks_may_differ_by_half_a_minute(world: World) -> None:
    world.deliver("012345", after=-30)
    assert world.codes().code(asked_at=NOON) == "012345"


def test_mail_in_another_folder_is_not_seen(world: World) -> None:
    world.mailbox.deliver(letter("012345", dated=NOON), arrived=NOON, folder=f"{world.folder}x")
    with pytest.raises(CodeNeeded, match="the folder is empty"):
        world.codes().code(asked_at=NOON)


def test_only_the_newest_fifty_mails_are_examined(world: World) -> None:
    world.deliver("111111", after=2)
    for _ in range(50):
        world.deliver("", after=3, sender="newsletter@example.org")
    with pytest.raises(CodeNeeded, match="50 from other senders"):
        world.codes().code(asked_at=NOON)


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        ({}, r"no e-mail arrived after the request \(the folder is empty\)"),
        ({"code": "123456", "after": -600}, r"no e-mail arrived after the request \(the newest is from 11:50:00 UTC\)"),
        ({"code": "123456", "after": -600, "arrived": 3}, "1 dated before the request"),
        ({"code": "123456", "dated": None}, "1 dated before the request or without a date"),
        ({"code": "123456", "sender": "thief@example.org"}, "1 from other senders"),
        ({"code": ""}, "1 without a code"),
        ({"code": "111111 222222"}, "1 with several numbers that could be the code"),
    ],
)
def test_error_says_why_there_is_no_code(world: World, lie: dict[str, Any], reason: str) -> None:
    if lie:
        world.deliver(**lie)
    with pytest.raises(CodeNeeded, match=reason) as caught:
        world.codes().code(asked_at=NOON)
    assert world.time == NOON + timedelta(minutes=2)
    assert "111111" not in str(caught.value)
    assert "123456" not in str(caught.value)


def test_wait_ends_with_the_daemon(world: World) -> None:
    world.ends_at = NOON
    with pytest.raises(PortalUnavailable, match="stopping"):
        world.codes().code(asked_at=NOON)


def test_starttls_works_too(world: World) -> None:
    world.deliver("012345")
    assert world.codes(port=world.mailbox.plain_port, security="starttls").code(asked_at=NOON) == "012345"


def test_password_with_quotes_and_non_ascii_letters_works(world: World) -> None:
    world.deliver("012345")
    codes = world.codes(username=FOREIGN_USERNAME, password=SecretStr(FOREIGN_PASSWORD))
    assert codes.code(asked_at=NOON) == "012345"


def test_folder_may_have_any_name(world: World) -> None:
    assert _utf7("Été & cie") == "&AMk-t&AOk- &- cie"
    world.mailbox.deliver(letter("012345", dated=NOON), arrived=NOON, folder="&AMk-t&AOk- &- cie")
    assert world.codes(folder="Été & cie").code(asked_at=NOON) == "012345"


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_certificate_that_cannot_be_verified_ends_it_at_once_and_nothing_is_sent(
    world: World, security: str, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    before = world.mailbox.log().count("Login")
    port = world.mailbox.tls_port if security == "tls" else world.mailbox.plain_port
    with pytest.raises(CodeNeeded, match="cannot be verified"):
        world.codes(ca_file=other, port=port, security=security).code(asked_at=NOON)
    assert world.time == NOON
    assert world.mailbox.log().count("Login") == before


def test_wrong_password_is_submitted_once(world: World) -> None:
    with pytest.raises(CodeNeeded, match="did not accept the mailbox's user name and password") as caught:
        world.codes(password=SecretStr("wrong-secret")).code(asked_at=NOON)
    assert world.time == NOON
    assert "wrong-secret" not in str(caught.value)


def test_missing_folder_is_named_at_once(world: World) -> None:
    with pytest.raises(CodeNeeded, match="no folder 'Nowhere'"):
        world.codes(folder="Nowhere").code(asked_at=NOON)
    assert world.time == NOON


def test_invalid_ca_file_is_named_at_once(world: World, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("no certificate")
    for file in (tmp_path / "no.pem", tmp_path / "missing.pem"):
        with pytest.raises(CodeNeeded, match="ca_file"):
            world.codes(ca_file=file).code(asked_at=NOON)


def test_mail_server_that_is_down_is_retried_until_the_timeout(world: World) -> None:
    with pytest.raises(CodeNeeded, match=r"cannot read the mailbox at 127\.0\.0\.1 \(ConnectionRefusedError\)"):
        world.codes(port=1).code(asked_at=NOON)
    assert world.time == NOON + timedelta(minutes=2)


def test_mailbox_needs_a_host_a_user_and_a_password() -> None:
    with pytest.raises(ValidationError) as caught:
        MailboxSettings.model_validate({"password": "secret-of-mine", "sender": "nobody", "folder": "a\r\nb"})
    places = {fault["loc"][0] for fault in caught.value.errors()}
    assert places == {"host", "username", "sender", "folder"}
    assert "secret-of-mine" not in str(caught.value)
