"""A mailbox at a real IMAP server, read with the real store: what is genuine counts once, and nothing is marked."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from tests.official_mail.mails import ARRIVED, DOMAIN, dns, mail, no_dns, signed
from tests.portals.context import FakeClock
from tests.sign_in.dovecot import PASSWORD, USERNAME, Mailbox, running
from watcher.app import App, open_app
from watcher.context.opening import read_settings
from watcher.doctor.finding import Verdict
from watcher.doctor.official_mail import check_official_mail
from watcher.model.account_health import ReadOutcome, ReadResult
from watcher.model.change import ChangeKind
from watcher.official_mail.mailboxes import official_mailboxes
from watcher.official_mail.proof import Lookup
from watcher.official_mail.reading import Looked, OfficialMailReader
from watcher.official_mail.state import PURPOSE, decode

CONFIGURATION = """
timezone = "UTC"
state_dir = "state"
[accounts.family]
portal = "uscis"
sign_in = "handover"
[accounts.family.official_mail]
host = "127.0.0.1"
port = {port}
username = "{username}"
password = {password}
senders = ["{domain}"]
ca_file = "{ca_file}"
{more}
[channels.phone]
url = "json://127.0.0.1:1/"
"""


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Mailbox]:
    with running() as mailbox:
        yield mailbox


@dataclass
class Installation:
    """An account with a mailbox, and what its checks return."""

    app: App
    mailbox: Mailbox
    clock: FakeClock
    lookup: Lookup = field(default_factory=dns)
    can_check: bool = False
    checked: list[str] = field(default_factory=list)
    cases_read: int = 1

    def deliver(self, raw: bytes, *, after: timedelta = timedelta()) -> None:
        self.mailbox.deliver(raw, arrived=ARRIVED + after)

    def read(self, *, password: str | None = None) -> Looked:
        (found,) = official_mailboxes(self.app.settings).values()
        settings = found.accounts["family"]
        if password is not None:
            found = replace(found, login=replace(found.login, password=password))
            settings = settings.model_copy(update={"password": SecretStr(password)})
        reader = OfficialMailReader(
            mailbox=found,
            context=self.app.context,
            saved=self.app.sessions.of(found.name, PURPOSE),
            guard=self.app.mailbox_guard(settings),
            lookup=self.lookup,
            can_check=lambda _name: self.can_check,
            check=self._check,
        )
        return reader.read()

    def _check(self, name: str) -> ReadResult:
        self.checked.append(name)
        outcome = ReadOutcome.OK if self.cases_read else ReadOutcome.SESSION_ENDED
        return ReadResult(account=name, outcome=outcome, cases_read=self.cases_read)

    def alerts(self) -> list[ChangeKind]:
        return [recorded.change.kind for recorded in self.app.store.history()]


@pytest.fixture
def installation(tmp_path: Path, dovecot: Mailbox) -> Iterator[Installation]:
    file = tmp_path / "watcher.toml"
    text = CONFIGURATION.format(
        port=dovecot.tls_port,
        username=USERNAME,
        password=json.dumps(PASSWORD),
        domain=DOMAIN,
        ca_file=dovecot.ca_file,
        more="",
    )
    file.write_text(text)
    file.chmod(0o600)
    clock = FakeClock(ARRIVED)
    with ExitStack() as stack:
        app = stack.enter_context(open_app(read_settings(file, {}), clock=clock))
        found = Installation(app=app, mailbox=dovecot, clock=clock)
        found.read()  # what is there already is not news
        yield found


def test_genuine_mail_asks_to_look_once(installation: Installation) -> None:
    installation.deliver(signed(mail()))
    installation.read()
    installation.read()
    (recorded,) = installation.app.store.history()
    assert recorded.change.kind is ChangeKind.OFFICIAL_MAIL
    assert recorded.change.new == {"at": "2026-07-30T14:00:00Z", "handover": True}
    (alert,) = installation.app.store.outbox.list()
    assert alert.title == "USCIS: USCIS wrote to you about a case"
    assert "evil.example.com" not in alert.body, "no link of a mail is passed on"
    assert set(installation.mailbox.flags("")) == {""}, "nothing is marked"


def test_kill_before_the_state_is_saved_repeats_no_alert(installation: Installation) -> None:
    (found,) = official_mailboxes(installation.app.settings).values()
    saved = installation.app.sessions.of(found.name, PURPOSE)
    before = saved.load()
    installation.deliver(signed(mail()))
    installation.read()
    saved.update(lambda _after: before)
    installation.clock.current += timedelta(hours=1)
    installation.read()
    assert installation.alerts() == [ChangeKind.OFFICIAL_MAIL]


def test_mails_about_several_cases_make_one_alert(installation: Installation) -> None:
    for minute in range(3):
        installation.deliver(signed(mail()), after=timedelta(minutes=minute))
    installation.read()
    installation.deliver(signed(mail()), after=timedelta(minutes=4))
    installation.read()
    assert installation.alerts() == [ChangeKind.OFFICIAL_MAIL]


def test_mail_after_half_an_hour_is_another_event(installation: Installation) -> None:
    installation.deliver(signed(mail()))
    installation.read()
    installation.clock.current += timedelta(minutes=31)
    installation.deliver(signed(mail(date=installation.clock.current)), after=timedelta(minutes=31))
    installation.read()
    assert installation.alerts() == [ChangeKind.OFFICIAL_MAIL] * 2


def test_account_that_can_be_checked_is_checked_at_once(installation: Installation) -> None:
    installation.can_check = True
    installation.deliver(signed(mail()))
    installation.read()
    assert (installation.checked, installation.alerts()) == (["family"], [])


def test_check_that_reads_nothing_becomes_an_alert(installation: Installation) -> None:
    installation.can_check, installation.cases_read = True, 0
    installation.deliver(signed(mail()))
    installation.read()
    assert (installation.checked, installation.alerts()) == (["family"], [ChangeKind.OFFICIAL_MAIL])


def test_person_who_has_looked_since_is_not_asked(installation: Installation) -> None:
    installation.deliver(signed(mail()))
    accounts, now = installation.app.store.accounts, ARRIVED + timedelta(minutes=2)
    accounts.set_health("family", replace(accounts.health("family", now), last_read_at=now, last_attempt_at=now))
    installation.read()
    assert installation.alerts() == []


def test_forged_mail_triggers_nothing_and_is_named_by_the_doctor(installation: Installation) -> None:
    installation.deliver(mail())
    installation.deliver(signed(mail(), domain="example.com"), after=timedelta(minutes=1))
    installation.deliver(mail(sender="friend@example.com"))
    with capture_logs() as logged:
        installation.read()
    assert installation.alerts() == []
    assert "possible_phishing" in [entry["event"] for entry in logged]
    assert "someone@example.org" not in str(logged)
    read, phishing = check_official_mail(installation.app)
    assert read.verdict is Verdict.OK
    assert phishing.verdict is Verdict.WARNING
    assert f"2 e-mails are possible phishing: they claim to be from {DOMAIN}" in phishing.text


def test_mail_is_judged_later_while_the_dns_does_not_answer(installation: Installation) -> None:
    installation.lookup = no_dns
    installation.deliver(signed(mail()))
    looked = installation.read()
    assert looked.retry_at == ARRIVED + timedelta(minutes=5)
    assert installation.alerts() == []
    installation.lookup = dns()
    assert installation.read().retry_at is None
    assert installation.alerts() == [ChangeKind.OFFICIAL_MAIL]


def test_only_the_addressed_account_of_a_shared_mailbox_counts(installation: Installation) -> None:
    (found,) = official_mailboxes(installation.app.settings).values()
    shared = replace(found, usernames={"family": "someone@example.org", "other": "other@example.org"})
    reader = OfficialMailReader(
        mailbox=replace(shared, accounts={**shared.accounts, "other": shared.accounts["family"]}),
        context=installation.app.context,
        saved=installation.app.sessions.of(found.name, PURPOSE),
        guard=installation.app.mailbox_guard(found.accounts["family"]),
        lookup=dns(),
        can_check=lambda _name: True,
        check=installation._check,
    )
    installation.deliver(signed(mail(to="Other <other@example.org>")))
    reader.read()
    assert installation.checked == ["other"]


def test_mailbox_that_cannot_be_read_is_reported_once_and_its_password_spared(installation: Installation) -> None:
    waits: list[timedelta] = []
    for _attempt in range(8):
        looked = installation.read(password="wrong")
        assert looked.retry_at is not None
        waits.append(looked.retry_at - installation.clock.current)
        installation.clock.current = looked.retry_at + timedelta(hours=1)
    assert waits == sorted(waits)
    assert max(waits) == timedelta(hours=6)
    refusals = installation.mailbox.log().count("auth failed")
    assert refusals == 1
    installation.clock.current += timedelta(days=1)
    installation.read(password="wrong")
    installation.read(password="wrong")
    assert installation.alerts() == [ChangeKind.PORTAL_UNREADABLE]
    (finding,) = check_official_mail(installation.app)
    assert finding.verdict is Verdict.FAILED
    installation.read()
    assert installation.alerts() == [ChangeKind.RECOVERED, ChangeKind.PORTAL_UNREADABLE]


def test_damaged_state_starts_anew() -> None:
    assert decode(b"{}") == decode(None) == decode(b"\xff")


def test_what_is_kept_names_nobody(installation: Installation) -> None:
    installation.deliver(signed(mail()))
    installation.deliver(mail(), after=timedelta(minutes=1))
    installation.read()
    (found,) = official_mailboxes(installation.app.settings).values()
    kept = installation.app.sessions.of(found.name, PURPOSE).load() or b""
    assert b"@" not in kept
    assert b"case" not in kept
    assert datetime.fromisoformat(json.loads(kept)["official_at"]) == ARRIVED
