"""Lists are fetched from the user's addresses over HTTPS, once a day, and what was last good stays in use."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from tests.doubles.loopback import LoopbackServer, ReceivedRequest, reply, serve
from tests.practice.visitor import HandClock
from tests.reference.lists import MINE, cell, data_set
from tests.remind.app_with_case import NUMBER, app_with_case
from watcher.app import App
from watcher.context.reference_lists import load_lists
from watcher.daemon.next_needed import next_work
from watcher.model.change import ChangeKind, RecordedChange
from watcher.model.published_list import StoredList
from watcher.reference.visa_bulletin import month_of
from watcher.remind.list_fetch import next_list_fetch
from watcher.settings import Settings

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BULLETIN = "visa_bulletin"
FAILING, RECOVERED = ChangeKind.LIST_FAILING, ChangeKind.RECOVERED


@dataclass
class Publisher:
    """A site with a list. `answer` is what it says next, unless the client has that version."""

    answer: bytes = b""
    failure: bytes = b""
    etag: str = '"1"'
    server: LoopbackServer = field(default_factory=lambda: LoopbackServer(origin=""))

    def __call__(self, request: ReceivedRequest) -> bytes:
        if self.failure:
            return self.failure
        if request.headers.get("if-none-match") == self.etag:
            return reply(304, etag=self.etag)
        return reply(200, self.answer, etag=self.etag)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def current(clock: HandClock, value: str = "C") -> bytes:
    return data_set(cell(month_of(clock.now().date()), value))


@contextmanager
def published(
    folder: Path, clock: HandClock, handler: Callable[[ReceivedRequest], bytes], *, trusted: bool = True
) -> Iterator[tuple[App, LoopbackServer]]:
    """Open an app whose bulletin is at an HTTPS site of a private authority, for a case with a priority date."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with serve(handler, tls) as server:
        section = f'[reference]\nvisa_bulletin = "{server.origin}/bulletin.json"\n'
        section += 'ca_file = "ca.pem"\n' if trusted else ""
        with app_with_case(folder, clock, more=f'[schedule]\nevery = "365d"\n{section}') as app:
            app.store.accounts.set_next_read("family", clock.now() + 365 * DAY)
            app.store.user.set_priority(NUMBER, MINE)
            yield app, server


def stored(app: App) -> StoredList:
    return app.store.published_lists()[BULLETIN]


def kinds(recorded: list[RecordedChange]) -> list[ChangeKind]:
    return [entry.change.kind for entry in recorded if entry.change.kind in {FAILING, RECOVERED} or entry.account]


def test_list_is_fetched_once_a_day_with_jitter_and_only_if_it_changed(tmp_path: Path, clock: HandClock) -> None:
    site = Publisher(answer=current(clock))
    with published(tmp_path, clock, site) as (app, server):
        assert next_work(app) == clock.now()
        assert kinds(app.record_time_reminders()) == [ChangeKind.PRIORITY_CURRENT]
        due = next_list_fetch(app.store, app.settings, clock.now())
        assert due is not None
        assert clock.now() + DAY <= due <= clock.now() + DAY + 2 * HOUR
        clock.pass_by(DAY - HOUR)
        app.record_time_reminders()
        assert len(server.requests) == 1
        clock.pass_by(3 * HOUR)
        app.record_time_reminders()
        assert [request.headers.get("if-none-match") for request in server.requests] == [None, '"1"']
        assert (stored(app).fetched_at, stored(app).fault) == (clock.now(), None)
        site.answer, site.etag = current(clock, "2000-01-01"), '"2"'
        clock.pass_by(DAY + 2 * HOUR)
        assert kinds(app.record_time_reminders()) == [ChangeKind.PRIORITY_BACK]


def test_requests_say_what_program_asks_and_carry_nothing_else(tmp_path: Path, clock: HandClock) -> None:
    with published(tmp_path, clock, Publisher(answer=current(clock))) as (app, server):
        app.record_time_reminders()
        (request,) = server.requests
        assert (request.method, request.target, request.body) == ("GET", "/bulletin.json", b"")
        assert request.headers["user-agent"].startswith("case-watcher/")
        assert set(request.headers) <= {"host", "user-agent", "accept-encoding"}


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (reply(503), "not available (HTTP 503)"),
        (reply(403, b"Just a moment"), "HTTP 403"),
        (reply(404), "HTTP 404"),
        (reply(200, b"<html>maintenance</html>"), "columns"),
        (reply(200, b'{"rows": []}'), "columns"),
        (
            reply(302, location="https://elsewhere.example.org/list.json"),
            "elsewhere.example.org is not one of its",
        ),
        (reply(302, location="http://127.0.0.1:9/list.json"), "not one of its ports"),
        (b"not HTTP\r\n\r\n", "incomplete or not HTTP"),
    ],
    ids=["down", "wall", "gone", "page", "empty", "another host", "another port", "not HTTP"],
)
def test_failure_keeps_the_last_good_data_and_is_reported_once(
    tmp_path: Path, clock: HandClock, failure: bytes, reason: str
) -> None:
    site = Publisher(answer=current(clock))
    with published(tmp_path, clock, site) as (app, server):
        app.record_time_reminders()
        good, site.failure = stored(app).content, failure
        clock.pass_by(DAY + 2 * HOUR)
        (change,) = app.record_time_reminders()
        assert change.change.kind is FAILING
        assert reason in (stored(app).fault or "")
        assert change.summary.startswith("Visa bulletin: not readable")
        assert stored(app).content == good
        lists = load_lists(app.store, app.settings, clock.now())
        assert lists.bulletin is not None
        asked = len(server.requests)
        app.record_time_reminders()
        assert len(server.requests) == asked
        clock.pass_by(DAY + 2 * HOUR)
        assert kinds(app.record_time_reminders()) == []
        site.failure = b""
        clock.pass_by(DAY + 2 * HOUR)
        assert kinds(app.record_time_reminders()) == [RECOVERED]
        assert stored(app).fault is None


def test_site_that_asks_to_wait_is_left_alone_for_as_long(tmp_path: Path, clock: HandClock) -> None:
    site = Publisher(failure=reply(429, retry_after=str(5 * 24 * 3600)))
    with published(tmp_path, clock, site) as (app, server):
        app.record_time_reminders()
        clock.pass_by(4 * DAY)
        app.record_time_reminders()
        assert len(server.requests) == 1
        clock.pass_by(DAY)
        app.record_time_reminders()
        assert len(server.requests) == 2


def test_site_that_is_not_trusted_is_sent_nothing(tmp_path: Path, clock: HandClock) -> None:
    with published(tmp_path, clock, Publisher(answer=current(clock)), trusted=False) as (app, server):
        (change,) = app.record_time_reminders()
        assert (change.change.kind, server.requests) == (FAILING, [])
        assert stored(app).content is None


def test_another_address_is_fetched_at_once_and_the_old_data_are_not_used(tmp_path: Path, clock: HandClock) -> None:
    site = Publisher(answer=current(clock))
    with published(tmp_path, clock, site) as (app, server):
        app.record_time_reminders()
        reference = app.settings.reference.model_copy(update={"visa_bulletin": f"{server.origin}/other.json"})
        other: Settings = app.settings.model_copy(update={"reference": reference})
        moved = app.with_settings(other)
        assert load_lists(moved.store, other, clock.now()).bulletin is None
        moved.record_time_reminders()
        assert [request.target for request in server.requests] == ["/bulletin.json", "/other.json"]
        assert "if-none-match" not in server.requests[-1].headers


def test_data_that_grow_old_are_reported_once_and_cause_nothing(tmp_path: Path, clock: HandClock) -> None:
    file = tmp_path / "bulletin.json"
    file.write_bytes(current(clock))
    with app_with_case(tmp_path, clock, more='[reference]\nvisa_bulletin = "bulletin.json"\n') as app:
        assert kinds(app.record_time_reminders()) == []
        clock.pass_by(40 * DAY)
        app.store.user.set_priority(NUMBER, MINE)
        (change,) = app.record_time_reminders()
        assert change.change.kind is FAILING
        assert "out of date" in change.summary
        assert kinds(app.record_time_reminders()) == []
        file.write_bytes(current(clock))
        assert kinds(app.record_time_reminders()) == [RECOVERED, ChangeKind.PRIORITY_CURRENT]


def test_file_that_is_damaged_is_reported_and_used_again_when_it_is_right(tmp_path: Path, clock: HandClock) -> None:
    file = tmp_path / "inquiry.csv"
    with app_with_case(tmp_path, clock, more='[reference]\ninquiry_dates = "inquiry.csv"\n') as app:
        assert kinds(app.record_time_reminders()) == [FAILING]
        file.write_text("form,days\nI-485,420", encoding="utf-8")
        assert kinds(app.record_time_reminders()) == []
        file.write_text("form,subtype,office,inquiry_date\nI-485,,,2020-01-01", encoding="utf-8")
        assert kinds(app.record_time_reminders()) == [RECOVERED]
