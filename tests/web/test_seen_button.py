"""From an alert's link to "seen": a button in ntfy ends the escalation, and a preview of the link changes nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.delivery.test_alert_links import PAGE, linked
from tests.doubles.loopback import LoopbackServer, ReceivedRequest, reply, serve
from tests.practice.visitor import HandClock
from tests.store.temporary_store import a_change, record_alerts
from tests.web.visiting import NOW, Site, a_site
from watcher.delivery.apprise_notifier import AppriseNotifier
from watcher.delivery.outbox_worker import OutboxWorker
from watcher.model.alert import AlertDraft, AlertState, HoldReason
from watcher.model.change import Severity
from watcher.settings import ChannelSettings, WebSettings


@pytest.fixture
def ntfy() -> Iterator[LoopbackServer]:
    with serve(lambda _request: reply(200, b"{}")) as server:
        yield server


@pytest.fixture
def site(tmp_path: Path, ntfy: LoopbackServer) -> Site:
    phone = ChannelSettings(name="phone", url=SecretStr(f"{ntfy.origin.replace('http', 'ntfy')}/topic"))
    return a_site(
        tmp_path, web=WebSettings(listen="127.0.0.1:8788", url=PAGE), channels={"phone": phone}, language="en"
    )


def urgent(draft: AlertDraft) -> AlertDraft:
    return replace(draft, routed=replace(draft.routed, severity=Severity.URGENT))


def deliver(site: Site) -> None:
    """Record an urgent alert for the phone and its escalation to the aunt, and send what is due."""
    escalation = linked(hold=HoldReason.ESCALATION)
    escalation = replace(
        escalation, routed=replace(escalation.routed, channel="aunt", not_before=NOW + timedelta(hours=2))
    )
    with site.store() as store:
        record_alerts(store, urgent(linked()), urgent(escalation), change=a_change(), now=NOW)
        OutboxWorker(store, AppriseNotifier(), HandClock(NOW), settings=site.settings).deliver_due()


def button(request: ReceivedRequest) -> tuple[str, str]:
    """Return method and path of the button in a message to ntfy."""
    kind, _label, address, method, clear = request.headers["x-actions"].split(", ")
    assert (kind, clear) == ("http", "clear=true")
    return method.removeprefix("method="), address.removeprefix(PAGE)


def states(site: Site) -> list[AlertState]:
    with site.store() as store:
        return [alert.state for alert in reversed(store.outbox.list())]


def test_button_in_ntfy_ends_the_escalation(site: Site, ntfy: LoopbackServer) -> None:
    deliver(site)
    method, path = button(ntfy.requests[0])
    assert states(site) == [AlertState.SENT, AlertState.HELD]
    answer = site.browser(PAGE).client.request(method, path)
    assert answer.status_code == 204
    assert states(site) == [AlertState.SENT, AlertState.DROPPED]
    assert site.browser(PAGE).client.request(method, path).status_code == 204


def test_preview_of_the_link_changes_nothing(site: Site, ntfy: LoopbackServer) -> None:
    deliver(site)
    seen = button(ntfy.requests[0])[1]
    for path in (seen, seen.removesuffix("/seen")):
        for method in ("GET", "HEAD"):
            site.browser(PAGE).client.request(method, path)
    assert states(site) == [AlertState.SENT, AlertState.HELD]


def test_click_on_the_message_opens_the_alert(site: Site, ntfy: LoopbackServer) -> None:
    deliver(site)
    link = ntfy.requests[0].headers["x-click"]
    page = site.browser(PAGE).get(link.removeprefix(PAGE))
    assert page.status_code == 200
    assert "Maria: news" in page.text
    assert "/a/…" not in page.text


def test_link_of_a_digest_shows_all_of_it_and_marks_all_as_seen(site: Site, ntfy: LoopbackServer) -> None:
    with site.store() as store:
        for title in ("a: 1", "b: 2"):
            record_alerts(store, linked(title, hold=HoldReason.DIGEST), number=title, now=NOW)
        OutboxWorker(store, AppriseNotifier(), HandClock(NOW), settings=site.settings).deliver_due()
    (request,) = ntfy.requests
    page = site.browser(PAGE).get(request.headers["x-click"].removeprefix(PAGE))
    assert "<h1>2 alerts</h1>" in page.text
    assert all(f"<h2>{title}</h2>" in page.text for title in ("a: 1", "b: 2"))
    site.browser(PAGE).client.request(*button(request))
    with closing(sqlite3.connect(site.settings.state_dir / "watcher.sqlite3")) as database:
        seen = database.execute("SELECT acknowledged_at IS NOT NULL FROM alert").fetchall()
    assert seen == [(1,), (1,)]
