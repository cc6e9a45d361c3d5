"""Links of alerts to the page: complete when they are sent, the same in every attempt, and stored nowhere."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from tests.doubles.notifier import FakeNotifier
from tests.practice.visitor import HandClock
from tests.store.temporary_store import NOW, TemporaryStore, a_draft, record_alerts, temporary_store
from watcher.delivery.outbox_worker import OutboxWorker
from watcher.model.alert import AlertDraft, AlertState, AlertText, HoldReason
from watcher.model.change import Severity
from watcher.settings import ChannelSettings, Settings
from watcher.text.link_marks import LINK_MARK, TOKEN_LENGTH, marked_link

PHONE = "json://phone"
PAGE = "https://watcher.example.org"


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
def notifier() -> FakeNotifier:
    return FakeNotifier()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[TemporaryStore]:
    with temporary_store(tmp_path) as opened:
        yield opened


def deliver(database: TemporaryStore, notifier: FakeNotifier, clock: HandClock, *, minimal: bool = False) -> None:
    rules = ChannelSettings(name="phone", url=SecretStr(PHONE), privacy="minimal" if minimal else "masked")
    settings = Settings(state_dir=database.folder, channels={"phone": rules}, timezone=ZoneInfo("UTC"))
    OutboxWorker(database.store, notifier, clock, settings=settings).deliver_due()


def linked(title: str = "Maria: news", *, hold: HoldReason | None = None) -> AlertDraft:
    link = marked_link(PAGE)
    html = f'<p>It moved.</p>\n<p>Details: <a href="{link}">{link}</a></p>'
    text = AlertText(title=title, body=f"It moved.\nDetails: {link}", html=html, short=f"{title} {link}")
    return replace(a_draft(title, hold=hold), text=text)


def token_in(text: str) -> str:
    token = text.rpartition("/a/")[2]
    assert len(token) == TOKEN_LENGTH
    assert LINK_MARK not in text
    return token


def test_link_in_a_sent_alert_finds_the_alert(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(database.store, a_draft("another"), linked())
    deliver(database, notifier, clock)
    token = token_in(notifier.bodies[-1])
    assert database.store.web.alert_of_link(token) == (2, NOW)
    assert database.store.web.alert_of_link(token[::-1]) is None


def test_token_is_in_no_column_and_no_command_shows_it(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(database.store, linked())
    deliver(database, notifier, clock)
    token = token_in(notifier.bodies[-1])
    assert token not in str(database.rows("SELECT * FROM alert"))
    (alert,) = database.store.outbox.list()
    assert alert.body == f"It moved.\nDetails: {PAGE}/a/…"
    assert token.encode() not in database.file.read_bytes()


def test_every_attempt_has_the_same_link(database: TemporaryStore, notifier: FakeNotifier, clock: HandClock) -> None:
    record_alerts(database.store, linked())
    notifier.failures = 2
    for _ in range(3):
        deliver(database, notifier, clock)
        clock.pass_by(timedelta(minutes=10))
    assert database.store.outbox.counts()[AlertState.SENT] == 1
    assert len({traits.link for traits in notifier.traits}) == 1
    assert len(notifier.traits) == 3


def test_two_alerts_have_different_links(database: TemporaryStore, notifier: FakeNotifier, clock: HandClock) -> None:
    record_alerts(database.store, linked("a: 1"), number="a")
    record_alerts(database.store, linked("b: 1"), number="b")
    deliver(database, notifier, clock)
    assert len(set(map(token_in, notifier.bodies))) == 2


def test_digest_has_the_link_of_its_first_alert(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    for title in ("a: 1", "b: 2", "c: 3"):
        record_alerts(database.store, linked(title, hold=HoldReason.DIGEST))
    deliver(database, notifier, clock)
    (body,) = notifier.bodies
    token = token_in(body)
    assert body.count(token) == 1
    assert database.store.web.alert_of_link(token) == (1, NOW)


@pytest.mark.parametrize("minimal", [False, True])
def test_services_get_the_link_and_the_address_to_mark_as_seen(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock, *, minimal: bool
) -> None:
    record_alerts(database.store, linked())
    deliver(database, notifier, clock, minimal=minimal)
    (traits,) = notifier.traits
    link = f"{PAGE}/a/{token_in(notifier.bodies[0])}"
    assert (traits.severity, traits.link) == (Severity.IMPORTANT, link)
    assert (traits.seen, traits.seen_label) == (f"{link}/seen", "Mark as seen")
    assert bool(traits.thread) is not minimal


def test_alert_without_a_link_leads_to_no_page(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(database.store, a_draft())
    deliver(database, notifier, clock)
    assert (notifier.traits[0].link, notifier.traits[0].seen, notifier.traits[0].seen_label) == ("", "", "")
    assert database.rows("SELECT link_digest FROM alert") == [(None,)]
