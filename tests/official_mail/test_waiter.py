"""The process that waits for official mails, as a real process at a real IMAP server, with IDLE and without."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest

from tests.official_mail.mails import ARRIVED, mail
from tests.sign_in.dovecot import PASSWORD, USERNAME, Mailbox, running
from watcher.official_mail.waiter import MODULE
from watcher.processes.child import Child

NAME = "mailbox 1"


@pytest.fixture(scope="module", params=["IDLE", "no IDLE"])
def mailbox(request: pytest.FixtureRequest) -> Iterator[Mailbox]:
    more = "" if request.param == "IDLE" else "protocol imap {\n  imap_capability = IMAP4rev1\n}"
    with running(more=more) as found:
        yield found


def message(mailbox: Mailbox, **changed: Any) -> dict[str, Any]:
    return {
        "name": NAME,
        "host": "127.0.0.1",
        "port": mailbox.tls_port,
        "username": USERNAME,
        "password": PASSWORD,
        "folder": "INBOX",
        "starttls": False,
        "ca_file": str(mailbox.ca_file),
        "senders": ["@example.gov", "other@example.net"],
        **changed,
    }


@contextmanager
def waiting(mailbox: Mailbox, **changed: Any) -> Iterator[Child]:
    child = Child(MODULE)
    try:
        child.channel.send({"is": "mailboxes", "mailboxes": [message(mailbox, **changed)], "poll": 0.2})
        yield child
    finally:
        child.kill()
        child.wait()
        child.channel.close()


def uid_validity(mailbox: Mailbox) -> int:
    """Return that of the inbox, from dovecot's own list of UIDs."""
    (line, *_rest) = (mailbox.home / "mail" / "dovecot-uidlist").read_text().splitlines()
    return int(next(field[1:] for field in line.split() if field.startswith("V")))


def order(child: Child, mailbox: Mailbox, last_uid: int) -> None:
    child.channel.send({"is": "wait", "name": NAME, "validity": uid_validity(mailbox), "last_uid": last_uid})


@pytest.fixture
def last_uid(mailbox: Mailbox) -> int:
    """Let dovecot number what is there, and return the last number."""
    with waiting(mailbox) as child:
        child.channel.send({"is": "wait", "name": NAME, "validity": 0, "last_uid": 0})
        assert child.channel.receive(20) == {"is": "mail", "name": NAME}, "it has other numbers than it was told"
    numbered = (mailbox.home / "mail" / "dovecot-uidlist").read_text().splitlines()[1:]
    return max((int(line.split()[0]) for line in numbered), default=0)


def test_mail_of_a_confirmed_sender_is_announced_and_no_other(mailbox: Mailbox, last_uid: int) -> None:
    with waiting(mailbox) as child:
        order(child, mailbox, last_uid)
        mailbox.deliver(mail(sender="friend@example.com"), arrived=ARRIVED)
        assert child.channel.receive(1.5) is None
        mailbox.deliver(mail(), arrived=ARRIVED)
        assert child.channel.receive(10) == {"is": "mail", "name": NAME}
        assert child.channel.receive(0.5) is None, "it waits until a worker has read the mailbox"
        order(child, mailbox, last_uid + 2)
        assert child.channel.receive(0.5) is None
    assert set(mailbox.flags("")) == {""}


def test_mail_that_came_before_it_waited_is_announced(mailbox: Mailbox, last_uid: int) -> None:
    mailbox.deliver(mail(), arrived=ARRIVED)
    with waiting(mailbox) as child:
        order(child, mailbox, last_uid)
        assert child.channel.receive(10) == {"is": "mail", "name": NAME}


def test_mailbox_that_cannot_be_opened_is_left_to_the_worker(mailbox: Mailbox, last_uid: int) -> None:
    refusals = mailbox.log().count("auth failed")
    with waiting(mailbox, password="wrong") as child:
        order(child, mailbox, last_uid)
        assert child.channel.receive(10) == {"is": "mail", "name": NAME}
        assert child.channel.receive(0.5) is None
    assert mailbox.log().count("auth failed") == refusals + 1


def test_it_ends_at_once_with_its_parent_and_stays_small(mailbox: Mailbox, last_uid: int) -> None:
    with waiting(mailbox) as child:
        order(child, mailbox, last_uid)
        assert child.channel.receive(1.0) is None
        memory = psutil.Process(child.pid).memory_full_info()
        assert memory.uss < 24 * 1024 * 1024
        begin = time.monotonic()
        child.channel.close()
        assert child.wait() == 0
        assert time.monotonic() - begin < 1
