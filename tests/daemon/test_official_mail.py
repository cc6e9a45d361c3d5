"""The agency's mail wakes up a resting daemon: at a real IMAP server, with the real processes."""

import json
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.api_workspace import ApiWorkspace, api_workspace
from tests.daemon.running_daemon import RunningDaemon, running_daemon
from tests.official_mail.mails import DOMAIN, mail
from tests.sign_in.dovecot import PASSWORD, USERNAME, Mailbox, running
from tests.support.waiting import eventually
from watcher.model.change import ChangeKind
from watcher.official_mail.mailboxes import official_mailboxes
from watcher.official_mail.state import PURPOSE, MailboxState, decode

SERVER = "mx.example.org"
MAILBOX = """
[accounts.{account}.official_mail]
host = "127.0.0.1"
port = {port}
username = "{username}"
password = {password}
senders = ["{domain}"]
authserv_id = "{server}"
ca_file = "{ca_file}"
"""
HOME = """
[accounts.home]
portal = "uscis"
sign_in = "handover"
"""


def sections(mailbox: Mailbox, *accounts: str, password: str = PASSWORD) -> str:
    return HOME + "".join(
        MAILBOX.format(
            account=account,
            port=mailbox.tls_port,
            username=USERNAME,
            password=json.dumps(password),
            domain=DOMAIN,
            server=SERVER,
            ca_file=mailbox.ca_file,
        )
        for account in accounts
    )


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with running() as found:
        yield found


@pytest.fixture
def workspace(tmp_path: Path, mailbox: Mailbox) -> Iterator[ApiWorkspace]:
    with api_workspace(tmp_path) as found:
        found.configure(sections(mailbox, "family", "home"))
        yield found


@pytest.fixture
def daemon(workspace: ApiWorkspace) -> Iterator[RunningDaemon]:
    """A daemon that rests and waits for mails."""
    with running_daemon(workspace) as found:
        assert eventually(lambda: found.rests() and found.mail_waiters()), found.log
        yield found


def genuine() -> bytes:
    return mail(date=datetime.now(UTC), headers=f"Authentication-Results: {SERVER}; dkim=pass header.d={DOMAIN}\r\n")


def deliver(mailbox: Mailbox, raw: bytes) -> None:
    mailbox.deliver(raw, arrived=datetime.now(UTC))


def state(workspace: ApiWorkspace) -> MailboxState:
    with workspace.app() as app:
        (found,) = official_mailboxes(app.settings).values()
        return decode(app.sessions.of(found.name, PURPOSE).load())


def asked_to_look(workspace: ApiWorkspace) -> list[str]:
    with workspace.app() as app:
        return [recorded.account for recorded in app.store.history(kinds=[ChangeKind.OFFICIAL_MAIL])]


def test_genuine_mail_starts_a_check_or_asks_the_person_to_look(
    daemon: RunningDaemon, workspace: ApiWorkspace, mailbox: Mailbox
) -> None:
    workspace.ask_for_evidence()
    deliver(mailbox, mail())
    assert eventually(lambda: "possible_phishing" in daemon.log), daemon.log
    daemon.until_it_rests()
    assert asked_to_look(workspace) == []
    assert len(workspace.phone.messages) == 1, "a forged mail triggers nothing"
    assert "possible phishing" in workspace.run("doctor", "--offline", expect=(0, 1)).out
    begin = time.monotonic()
    deliver(mailbox, genuine())
    assert eventually(lambda: len(workspace.phone.messages) >= 3), daemon.log
    assert time.monotonic() - begin < 20
    assert asked_to_look(workspace) == ["home"]
    with workspace.app() as app:
        changes = [recorded.change.kind for recorded in app.store.history(accounts=["family"])]
    assert ChangeKind.RFE_RECEIVED in changes
    assert "evil.example.com" not in daemon.log
    assert "someone@example.org" not in daemon.log


def test_waiter_that_is_killed_is_followed_by_another_which_ends_with_the_daemon(
    daemon: RunningDaemon, workspace: ApiWorkspace, mailbox: Mailbox
) -> None:
    (killed,) = daemon.mail_waiters()
    killed.kill()
    assert eventually(lambda: daemon.mail_waiters() not in ([], [killed])), daemon.log
    assert "mail_waiter_died" in daemon.log
    deliver(mailbox, genuine())
    assert eventually(lambda: asked_to_look(workspace) == ["home"]), daemon.log
    assert eventually(lambda: daemon.rests() and daemon.mail_waiters()), daemon.log
    (waiter,) = daemon.mail_waiters()
    begin = time.monotonic()
    daemon.signal(signal.SIGTERM)
    assert daemon.process.wait(10) == 0
    assert time.monotonic() - begin < 1
    assert eventually(lambda: not waiter.is_running(), within=1)


def test_mailbox_comes_and_goes_with_the_configuration_and_its_password_is_spared(
    daemon: RunningDaemon, workspace: ApiWorkspace, mailbox: Mailbox
) -> None:
    workspace.configure(sections(mailbox))
    daemon.signal(signal.SIGHUP)
    assert eventually(lambda: daemon.rests() and not daemon.mail_waiters()), daemon.log
    refusals = mailbox.log().count("auth failed")
    workspace.configure(sections(mailbox, "home", password="wrong"))
    daemon.signal(signal.SIGHUP)
    assert eventually(lambda: daemon.rests() and "official_mail_unreadable" in daemon.log), daemon.log
    assert not daemon.mail_waiters(), "no process submits the password again"
    assert "did not accept" in (state(workspace).reason or "")
    assert mailbox.log().count("auth failed") == refusals + 1
