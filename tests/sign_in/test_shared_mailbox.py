"""Several accounts with one mailbox, and a mail server that misbehaves: no code goes astray, no password too often."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.doubles.mail_server import MailServer, serving
from tests.sign_in.code_mails import letter
from tests.sign_in.waiting import NOON, Waiting
from tests.store.temporary_store import TemporaryStore, temporary_store
from watcher.errors import CodeNeeded, PortalUnavailable
from watcher.sign_in.mailbox import MailboxCodes, MailboxSettings
from watcher.sign_in.shared_mailbox import MailboxTurn, UsedMails, folder_name, login_name
from watcher.store import Busy, StoredSignInGuard

ANN, BOB = "ann@example.org", "bob@example.org"


@dataclass
class Household(Waiting):
    """Accounts that share a mailbox, with the real database and locks."""

    server: MailServer
    stored: TemporaryStore
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__()

    def deliver(self, code: str, *, after: float = 2.0, to: str = "household@example.org", head: str = "") -> None:
        at = NOON + timedelta(seconds=after)
        mail = letter(code, dated=at).replace(b"To: someone@example.org", f"{head}To: {to}".encode())
        self.server.deliver(mail, arrived=at)

    def settings(self, password: str = "") -> MailboxSettings:
        return MailboxSettings(
            host="127.0.0.1",
            port=self.server.port,
            username=self.server.username,
            password=SecretStr(password or self.server.password),
            ca_file=self.server.ca_file,
        )

    def guard(self, settings: MailboxSettings) -> StoredSignInGuard:
        login = settings.imap_login()
        return self.stored.store.sign_in_guard(
            login_name(login), clock=self, fingerprint=lambda: login.password, max_sign_ins_per_day=0
        )

    def turn(self) -> MailboxTurn:
        name = login_name(self.settings().imap_login())
        return MailboxTurn(name, self.stored.store.locks, busy=Busy, stop=self.stop)

    def codes(self, account: str, *, password: str = "", turn: MailboxTurn | None = None) -> MailboxCodes:
        settings = self.settings(password)
        return MailboxCodes(
            settings,
            guard=self.guard(settings),
            used=UsedMails(self.stored.values().of(folder_name(settings.imap_login()), "mails")),
            turn=turn or self.turn(),
            recipient=account,
            others=frozenset({ANN, BOB}),
            clock=self,
            wait=self.wait,
        )

    def code(self, account: str, *, password: str = "") -> str:
        turn = self.turn()
        try:
            return self.codes(account, password=password, turn=turn).code(asked_at=NOON)
        finally:
            turn.end()


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    with serving(tmp_path) as server, temporary_store(tmp_path) as stored:
        yield Household(server, stored)


def test_code_is_that_of_the_mail_to_the_account(household: Household) -> None:
    household.deliver("111111", to=f"Ann <{ANN.upper()}>")
    household.deliver("222222", to="household@example.org", head=f"Delivered-To: {BOB}\r\n", after=4)
    assert household.code(ANN) == "111111"
    assert household.code(BOB) == "222222"


def test_mail_to_another_account_is_not_used(household: Household) -> None:
    household.deliver("222222", to=BOB)
    with pytest.raises(CodeNeeded, match="1 for another account"):
        household.code(ANN)
    household.time = NOON
    assert household.code(BOB) == "222222"


def test_mail_to_this_account_is_preferred_to_one_to_the_mailbox(household: Household) -> None:
    household.deliver("222222")
    household.deliver("111111", to=ANN, after=1)
    assert household.code(ANN) == "111111"


def test_mail_to_a_shared_address_is_used_by_whoever_asked(household: Household) -> None:
    household.deliver("111111")
    assert household.code(ANN) == "111111"


def test_two_different_codes_are_no_code(household: Household) -> None:
    household.deliver("111111")
    household.deliver("222222", after=3)
    with pytest.raises(CodeNeeded, match="different codes"):
        household.code(ANN)
    assert household.time == NOON


def test_the_same_code_twice_is_a_code(household: Household) -> None:
    household.deliver("111111")
    household.deliver("111111", after=3)
    assert household.code(ANN) == "111111"


def test_forged_mail_does_not_win(household: Household) -> None:
    household.deliver("111111")
    household.deliver("666666", after=3, head="Authentication-Results: mx.example.org; dmarc=fail\r\n")
    assert household.code(ANN) == "111111"


def test_forged_mail_alone_is_no_code(household: Household) -> None:
    household.deliver("666666", after=3, head="Authentication-Results: mx.example.org; dmarc=fail\r\n")
    with pytest.raises(CodeNeeded, match="1 forged"):
        household.code(ANN)


def test_used_mail_stays_used_for_every_account_and_after_a_restart(household: Household) -> None:
    household.deliver("111111")
    assert household.code(ANN) == "111111"
    household.plans = [(NOON + timedelta(seconds=20), lambda: household.deliver("222222", after=20))]
    assert household.code(ANN) == "222222"
    with pytest.raises(CodeNeeded, match="no e-mail arrived after the request"):
        household.code(BOB)


def test_folder_that_was_numbered_anew_has_no_used_mails(household: Household) -> None:
    household.deliver("111111")
    household.code(ANN)
    household.server.uid_validity, household.server.messages = 2, {}
    household.deliver("222222", after=20)
    assert household.code(ANN) == "222222"


def test_malformed_mail_does_not_hide_the_true_one(household: Household) -> None:
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (number, number) for number in range(2_000)
    )
    head = letter("", dated=NOON).partition(b"MIME-Version")[0]
    household.server.deliver(head + nested, arrived=NOON)
    household.deliver("111111")
    assert household.code(ANN) == "111111"


def test_damaged_record_of_used_mails_counts_as_none(household: Household) -> None:
    name = folder_name(household.settings().imap_login())
    household.stored.values().of(name, "mails").save(b'{"validity": [], "uids": {}}')
    household.deliver("111111")
    assert household.code(ANN) == "111111"


def test_one_sign_in_at_a_time(household: Household) -> None:
    """Each account asks for its code in its turn, and gets its own although the mails do not say whose they are."""
    got: dict[str, str] = {}

    def sign_in(account: str, code: str) -> None:
        turn = household.turn()
        turn.begin()
        household.deliver(code)
        got[account] = household.codes(account, turn=turn).code(asked_at=NOON)
        turn.end()

    threads = [threading.Thread(target=sign_in, args=(account, str(n) * 6)) for n, account in enumerate("abcd")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert got == {"a": "000000", "b": "111111", "c": "222222", "d": "333333"}


def test_turn_is_given_up_when_the_program_ends(household: Household) -> None:
    first, second = household.turn(), household.turn()
    first.begin()
    household.stop.set()
    with pytest.raises(PortalUnavailable, match="Another account is signing in"):
        second.begin()
    first.end()
    second.begin()
    second.end()


@pytest.mark.parametrize("said", [None, "* BYE too many bad auth\r\n"])
def test_connection_that_breaks_at_the_password_is_tried_twice(household: Household, said: str | None) -> None:
    household.server.at["LOGIN"] = lambda: said
    with pytest.raises(CodeNeeded, match="closed the connection 2 times"):
        household.code(ANN)
    assert household.server.logins == 2
    with pytest.raises(CodeNeeded):
        household.code(BOB)
    with pytest.raises(CodeNeeded, match="closed the connection each time"):
        household.code(BOB)
    assert household.server.logins == 3  # the record is in the database, so no restart changes it


@pytest.mark.parametrize("command", ["EXAMINE", "FETCH"])
def test_connection_that_breaks_after_the_password_is_tried_twice(household: Household, command: str) -> None:
    household.deliver("")
    household.server.at[command] = lambda: None
    with pytest.raises(CodeNeeded, match="closed the connection 2 times"):
        household.code(ANN)
    assert household.server.logins == 2


def test_one_broken_connection_costs_nothing(household: Household) -> None:
    household.deliver("111111")
    household.server.at["LOGIN"] = household.server.at.clear
    assert household.code(ANN) == "111111"
    assert household.server.logins == 2


@pytest.mark.parametrize(
    ("command", "code"), [("LOGIN", "UNAVAILABLE"), ("LOGIN", "LIMIT"), ("LOGIN", "INUSE"), ("EXAMINE", "INUSE")]
)
def test_temporary_refusal_is_tried_again_at_growing_intervals(household: Household, command: str, code: str) -> None:
    household.server.at[command] = lambda: f"{{tag}} NO [{code}] later\r\n"
    with pytest.raises(CodeNeeded, match="cannot read the mailbox"):
        household.code(ANN)
    assert household.time == NOON + timedelta(minutes=5)
    assert 5 <= household.server.logins <= 8
    household.server.at.clear()
    household.time = NOON
    household.deliver("111111")
    assert household.code(ANN) == "111111"


def test_refused_password_is_not_submitted_again_by_any_account(household: Household) -> None:
    for account in (ANN, BOB, ANN):
        with pytest.raises(CodeNeeded, match="password"):
            household.code(account, password="wrong")
    assert household.server.logins == 1
    household.guard(household.settings("wrong")).reset()  # what `watcher resume` does
    with pytest.raises(CodeNeeded, match="password"):
        household.code(ANN, password="wrong")
    assert household.server.logins == 2
    household.deliver("111111")
    assert household.code(ANN) == "111111"  # a changed password is submitted


def test_kill_while_the_password_is_checked_is_waited_out(household: Household) -> None:
    household.guard(household.settings()).before_submission(counts=False)
    with pytest.raises(PortalUnavailable, match="waits to be safe") as raised:
        household.code(ANN)
    assert raised.value.retry_after == timedelta(minutes=20)
    assert household.server.logins == 0


def test_connection_that_breaks_before_the_password_is_tried_on(household: Household) -> None:
    household.server.at["CAPABILITY"] = lambda: None
    household.plans = [
        (NOON + timedelta(seconds=20), household.server.at.clear),
        (NOON + timedelta(seconds=20), lambda: household.deliver("111111", after=20)),
    ]
    assert household.code(ANN) == "111111"
    assert household.server.logins == 1
