"""Work stops before its next step when the server has ended the connection that holds its lock."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import structlog
from pydantic import SecretStr

from tests.doubles.notifier import FakeNotifier
from tests.postgres.server import Server
from tests.practice.visitor import HandClock
from tests.store.temporary_store import NOW, a_draft, record_alerts
from tests.support.webhook_workspace import WebhookWorkspace, api_account, page_account, webhook_workspace
from watcher.clock import SystemClock
from watcher.delivery.outbox_worker import OutboxWorker
from watcher.errors import LockLost
from watcher.model.account_health import ReadOutcome
from watcher.practice import Account, PracticePortal
from watcher.settings import ChannelSettings, Settings
from watcher.store import Store

NUMBERS = ["EAC9999000001", "EAC9999000002"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """A database. `cut` ends every lock that is held on it."""

    url: str
    cut: Callable[[], None]


@pytest.fixture
def books(postgres: Server) -> Books:
    url = postgres.new_store()
    held = (
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"  # noqa: S608
        f" AND database = (SELECT oid FROM pg_database WHERE datname = '{url.rpartition('/')[2]}')"
    )

    def cut() -> None:
        postgres.do(held)

    return Books(url=url, cut=cut)


@pytest.fixture
def portal() -> Iterator[PracticePortal]:
    with PracticePortal(SystemClock(), account=Account(totp_secret=None)) as portal:
        for number in NUMBERS:
            portal.cases.add(number).set_status("Case Was Received", in_history=True)
        yield portal


@pytest.fixture
def open_workspace(books: Books, tmp_path: Path) -> Iterator[Callable[[str], WebhookWorkspace]]:
    with ExitStack() as stack:

        def opened(accounts: str) -> WebhookWorkspace:
            workspace = stack.enter_context(webhook_workspace(tmp_path, accounts))
            workspace.schedule = f'database_url = "{books.url}"'
            workspace.configure()
            return workspace

        yield opened


def test_holder_learns_that_its_lock_was_lost(books: Books, tmp_path: Path) -> None:
    locks = tmp_path / "state" / "locks"
    with closing(Store(books.url, locks=locks)) as store, store.locks.acquire("account family") as held:
        held.verify()
        books.cut()
        with structlog.testing.capture_logs() as logs, pytest.raises(LockLost):
            held.verify()
        assert [(entry["event"], entry["lock"]) for entry in logs] == [("lock_lost", "account family")]
        with store.locks.acquire("account family", wait=10.0) as other:
            other.verify()


def test_delivery_stops_before_the_next_message(books: Books, tmp_path: Path) -> None:
    settings = Settings(
        state_dir=tmp_path,
        timezone=ZoneInfo("UTC"),
        channels={"phone": ChannelSettings(name="phone", url=SecretStr("json://phone"), max_per_hour=0)},
    )
    titles, clock = list("abcdef"), HandClock(NOW)
    notifier, other_notifier = FakeNotifier(), FakeNotifier()
    with ExitStack() as stack:
        store, other = (
            stack.enter_context(closing(Store(books.url, locks=tmp_path / "state" / "locks"))) for _ in range(2)
        )
        for title in titles:
            record_alerts(store, a_draft(title), number=title)
        other_worker = OutboxWorker(other, other_notifier, clock, settings=settings)

        def cut_at_third(title: str) -> None:
            if title == "c":
                books.cut()
                other_worker.deliver_due(wait=10.0)

        notifier.on_send = cut_at_third
        OutboxWorker(store, notifier, clock, settings=settings).deliver_due()
        clock.pass_by(timedelta(hours=1))  # what follows the message under way was postponed
        other_worker.deliver_due()
    assert [title for _, title in notifier.delivered] == ["a", "b", "c"]
    assert [title for _, title in other_notifier.delivered] == ["d", "e", "f"]


def test_check_does_not_submit_a_password(
    books: Books, open_workspace: Callable[[str], WebhookWorkspace], portal: PracticePortal
) -> None:
    with open_workspace(page_account(portal)).app() as app:
        lost = app.poll("family", on_start=books.cut)
        submitted = [request for request in portal.requests if (request.method, request.path) == ("POST", "/login")]
        assert (lost.outcome, lost.cases_read, submitted) == (ReadOutcome.FAILED, 0, [])
        assert lost.error is not None
        assert lost.error.startswith("the lock that keeps other processes away was lost")
        assert app.store.accounts.health("family", app.clock.now()).last_attempt_at is None
        assert app.poll("family").outcome is ReadOutcome.OK


def test_check_records_nothing_more(
    books: Books, open_workspace: Callable[[str], WebhookWorkspace], portal: PracticePortal
) -> None:
    def cut_after_first(cases: int) -> None:
        if cases == 1:
            books.cut()

    with open_workspace(api_account(portal, *NUMBERS)).app() as app:
        lost = app.poll("api", progress=cut_after_first)
        assert (lost.outcome, lost.cases_read, len(lost.changes)) == (ReadOutcome.FAILED, 2, 0)
        assert len(app.store.history()) == 0
        again = app.poll("api")
        assert (again.outcome, len(again.changes)) == (ReadOutcome.OK, 2)
        assert len(app.store.history()) == 2
