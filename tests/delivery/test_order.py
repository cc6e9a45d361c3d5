"""For one channel and case, what arrives last is what is true now; nothing is lost without a mark."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.delivery.test_outbox_worker import PHONE, outbox_worker
from tests.doubles.notifier import FakeNotifier
from tests.practice.visitor import HandClock
from tests.store.temporary_store import NOW, TemporaryStore, a_change, a_draft, record_alerts, temporary_store
from watcher.alerts.routing import route
from watcher.clock.quiet_hours import Digest, QuietHours
from watcher.delivery.outbox_worker import OutboxWorker
from watcher.language.catalogue import load_catalogue
from watcher.model.alert import Alert, AlertContext, AlertDraft, AlertState, AlertText, HoldReason
from watcher.model.change import Change, ChangeKind, Severity
from watcher.model.writes import WriteSet
from watcher.settings import ChannelSettings, Settings

MINUTE = timedelta(minutes=1)
URGENT = Severity.URGENT
LATE = load_catalogue("en").message("general", "late")


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


def alerts(database: TemporaryStore) -> list[Alert]:
    """Return all alerts, oldest first."""
    return list(reversed(database.store.outbox.list()))


RFE = a_change(ChangeKind.RFE_RECEIVED, subject="rfe-1")
RFE_MOVED = a_change(ChangeKind.ITEM_CHANGED, subject="rfe-1")
STAGE = a_change(ChangeKind.STAGE_CHANGED)
MOVED = a_change(ChangeKind.APPOINTMENT_CHANGED, subject="interview")
LETTER = a_change(ChangeKind.NOTICE_ADDED, subject="letter")


def test_alert_that_failed_once_is_sent_before_a_newer_one_of_its_case(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    worker = outbox_worker(database, notifier, clock)
    notifier.failing_once = {"due February 20"}
    record_alerts(database.store, a_draft("due February 20", severity=URGENT), change=RFE)
    assert worker.deliver_due() == 0
    record_alerts(database.store, a_draft("due January 5"), change=RFE_MOVED)
    assert worker.deliver_due() == 2, "the older one does not wait for its next attempt"
    assert notifier.titles(PHONE) == ["due February 20", "due January 5"]


def test_alert_that_failed_and_is_untrue_by_now_is_dropped_with_a_mark(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    worker = outbox_worker(database, notifier, clock)
    notifier.failing_once = {"at nine"}
    record_alerts(database.store, a_draft("at nine"), change=MOVED)
    worker.deliver_due()
    record_alerts(database.store, a_draft("at ten"), change=MOVED)
    assert worker.deliver_due() == 1
    older, newer = alerts(database)
    assert (older.state, older.covered_by, newer.state) == (AlertState.DROPPED, newer.id, AlertState.SENT)


def test_failed_message_holds_back_its_own_case_only(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    worker = outbox_worker(database, notifier, clock)
    notifier.failing_once = {"a1"}
    record_alerts(database.store, a_draft("a1"), change=LETTER)
    record_alerts(database.store, a_draft("a2"), change=RFE)
    record_alerts(database.store, a_draft("b1"), number="b")
    assert worker.deliver_due() == 1
    assert notifier.titles(PHONE) == ["b1"]
    clock.pass_by(MINUTE)
    assert worker.deliver_due() == 2
    assert notifier.titles(PHONE) == ["b1", "a1", "a2"]


@pytest.mark.parametrize("severity", [Severity.IMPORTANT, URGENT])
def test_message_that_the_service_refuses_does_not_hold_back_its_case_for_long(
    severity: Severity, database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    worker = outbox_worker(database, notifier, clock)
    notifier.refused = {"poison"}
    record_alerts(database.store, a_draft("poison"), change=LETTER)
    record_alerts(database.store, a_draft("news", severity=severity), change=RFE)
    start = clock.now()
    while not notifier.titles(PHONE):
        worker.deliver_due()
        clock.pass_by(timedelta(seconds=10))
    assert clock.now() - start <= timedelta(minutes=3)


def test_urgent_alert_goes_first_and_takes_older_ones_of_its_case_along(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(database.store, a_draft("b1"), number="b")
    record_alerts(database.store, a_draft("a1"), change=LETTER)
    record_alerts(database.store, a_draft("a2", severity=URGENT), change=RFE)
    outbox_worker(database, notifier, clock).deliver_due()
    assert notifier.titles(PHONE) == ["a1", "a2", "b1"]


def given_up(database: TemporaryStore, title: str, *changes: Change) -> None:
    """Record an alert about these changes that was given up."""
    for change in changes[:-1]:
        record_alerts(database.store, change=change)
    record_alerts(database.store, a_draft(title, severity=URGENT), change=changes[-1])
    database.store.outbox.mark_failed([1], "no", now=NOW, next_attempt_at=None)


def test_outdated_alert_that_the_user_retries_is_dropped_with_a_mark(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    given_up(database, "due February 20", RFE)
    record_alerts(database.store, a_draft("due January 5"), change=RFE_MOVED)
    worker = outbox_worker(database, notifier, clock)
    worker.deliver_due()
    database.store.outbox.retry(clock.now(), 1)
    assert worker.deliver_due() == 0
    older, newer = alerts(database)
    assert (older.state, older.covered_by) == (AlertState.DROPPED, newer.id)
    assert notifier.titles(PHONE) == ["due January 5"]


def test_alert_that_the_user_retries_is_sent_if_it_is_still_true(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    given_up(database, "evidence", RFE)
    record_alerts(database.store, a_draft("letter"), change=LETTER)
    worker = outbox_worker(database, notifier, clock)
    worker.deliver_due()
    database.store.outbox.retry(clock.now(), 1)
    assert worker.deliver_due() == 1
    assert notifier.titles(PHONE) == ["letter", "evidence"]
    assert LATE not in notifier.bodies[-1]


def test_alert_of_which_a_part_is_outdated_says_so(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    given_up(database, "evidence requested", RFE)
    database.store.outbox.retry(clock.now(), 1)
    (queued,) = database.store.outbox.due(clock.now())
    assert queued.changes
    record_alerts(database.store, change=STAGE)
    link = "INSERT INTO alert_change (alert_id, change_id) SELECT 1, max(id) FROM change"
    with database.store._database.writing() as connection:
        connection.exec_driver_sql(link)
    record_alerts(database.store, a_draft("evidence received"), change=STAGE)
    database.store.outbox.mark_sent([2], clock.now())
    assert outbox_worker(database, notifier, clock).deliver_due() == 1
    assert notifier.bodies[-1].startswith(LATE)


def test_digest_does_not_repeat_what_an_urgent_alert_has_overtaken(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    tomorrow = NOW + timedelta(days=1)
    record_alerts(database.store, a_draft("under review", hold=HoldReason.DIGEST, at=tomorrow), change=STAGE)
    record_alerts(database.store, a_draft("letter", hold=HoldReason.DIGEST, at=tomorrow), change=LETTER)
    record_alerts(database.store, a_draft("denied", severity=URGENT), change=STAGE)
    worker = outbox_worker(database, notifier, clock)
    worker.deliver_due()
    notifier.failing_once = {"letter"}
    clock.pass_by(timedelta(days=1))
    worker.deliver_due()
    clock.pass_by(MINUTE)
    worker.deliver_due()
    assert notifier.titles(PHONE) == ["denied", "letter"]
    assert [alert.covered_by for alert in alerts(database)] == [3, None, None]


def test_flood_leaves_out_what_an_urgent_alert_has_overtaken(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    for number in "abcd":
        record_alerts(database.store, a_draft(f"{number} reworded"), number=number)
    denied = a_change(ChangeKind.STAGE_CHANGED, number="a")
    record_alerts(database.store, a_draft("a denied", severity=URGENT), change=denied, number="a")
    outbox_worker(database, notifier, clock, limit=3).deliver_due()
    assert notifier.titles(PHONE)[0] == "a denied"
    assert len(notifier.delivered) == 2
    assert "a reworded" not in notifier.bodies[-1]
    assert alerts(database)[0].state is AlertState.DROPPED


def test_failed_alert_is_dropped_if_a_newer_one_ends_it_on_the_account(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    given_up(database, "works again", a_change(ChangeKind.RECOVERED))
    record_alerts(database.store, a_draft("fails again"), change=a_change(ChangeKind.BLIND))
    worker = outbox_worker(database, notifier, clock)
    worker.deliver_due()
    database.store.outbox.retry(clock.now())
    worker.deliver_due()
    assert notifier.titles(PHONE) == ["fails again"]


def test_first_alert_about_an_account_is_sent_before_later_ones_about_its_cases(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    added = [
        record_alerts(database.store, change=a_change(ChangeKind.CASE_ADDED, number=name), number=name) for name in "ab"
    ]
    draft = a_draft("watching 2 cases")
    draft = replace(draft, routed=replace(draft.routed, changes=()))
    watching = WriteSet(account="family", drafts=(draft,), about=tuple(change.id for (change,) in added))
    database.store.record([watching], now=NOW)
    worker = outbox_worker(database, notifier, clock)
    notifier.failing_once = {"watching 2 cases"}
    worker.deliver_due()
    record_alerts(
        database.store, a_draft("a approved"), change=a_change(ChangeKind.STAGE_CHANGED, number="a"), number="a"
    )
    worker.deliver_due()
    assert notifier.titles(PHONE) == ["watching 2 cases", "a approved"]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.sampled_from("abc"), st.sampled_from([*Severity])),
        st.tuples(st.just("fail"), st.integers(0, 4), st.just(None)),
        st.tuples(st.just("pass"), st.sampled_from([1, 40, 240, 600]), st.just(None)),
        st.tuples(st.just("retry"), st.just(0), st.just(None)),
    ),
    min_size=4,
    max_size=25,
)


class _Story:
    """Cases whose status changes, told over one channel."""

    def __init__(self, database: TemporaryStore, channel: ChannelSettings) -> None:
        self._store, self._channel = database.store, channel
        self._clock, self._notifier = HandClock(NOW), FakeNotifier()
        self._versions = dict.fromkeys("abc", 0)
        rules = {channel.name: channel}
        self._settings = Settings(state_dir=database.file.parent, channels=rules, timezone=ZoneInfo("UTC"))
        self._worker = OutboxWorker(database.store, self._notifier, self._clock, settings=self._settings)

    def take(self, step: str, value: object, severity: object) -> None:
        match step, value:
            case "change", str(case):
                self._change(case, Severity(str(severity)))
            case "fail", int(number):
                self._notifier.failures = number
            case "pass", int(minutes):
                self._clock.pass_by(minutes * MINUTE)
            case _:
                self._store.outbox.retry(self._clock.now())
        self._worker.deliver_due()

    def _change(self, case: str, severity: Severity) -> None:
        self._versions[case] += 1
        title = f"case {case} version {self._versions[case]}"
        change = Change(kind=ChangeKind.STAGE_CHANGED, severity=severity, case_number=case)
        about = AlertContext(account="family", portal_title="", links=None, changes=(change,))
        drafts = [
            AlertDraft(routed=routed, text=AlertText(title=title, body=title, html=title, short=title))
            for routed in route(about, self._settings.channels, zone=self._settings.timezone, now=self._clock.now())
        ]
        record_alerts(self._store, *drafts, change=change, now=self._clock.now(), number=case)

    def end(self) -> None:
        """Let the service recover, wait until nothing is left, and check what arrived."""
        self._notifier.failures = 0
        for _ in range(100):
            due = self._store.outbox.next_due()
            if due is None:
                break
            self._clock.pass_by(max(due - self._clock.now(), timedelta()))
            self._worker.deliver_due()
        mine = [alert for alert in self._store.outbox.list() if alert.channel == self._channel.name]
        assert {alert.state for alert in mine} <= {AlertState.SENT, AlertState.DROPPED}
        assert all(alert.covered_by for alert in mine if alert.state is AlertState.DROPPED)
        for case, version in self._versions.items():
            told = [body for body in self._notifier.bodies if f"case {case} " in body]
            assert bool(told) == bool(version)
            if told and LATE not in told[-1]:
                assert re.findall(rf"case {case} version (\d+)", told[-1])[-1] == str(version)


def test_last_message_about_a_case_states_its_present_status_whatever_fails(database: TemporaryStore) -> None:
    names = (f"phone{number}" for number in count())

    @hypothesis.settings(max_examples=20, deadline=None)
    @given(
        STEPS,
        st.integers(0, 3),
        st.sampled_from([None, Digest.parse("daily 08:00")]),
        st.sampled_from([None, QuietHours.parse("22:00-07:00")]),
        st.booleans(),
    )
    def check(
        steps: list[tuple[str, object, object]],
        limit: int,
        digest: Digest | None,
        quiet_hours: QuietHours | None,
        urgent_breaks_quiet: bool,  # noqa: FBT001 - drawn by position
    ) -> None:
        name = next(names)
        channel = ChannelSettings(
            name=name,
            url=SecretStr(f"json://{name}"),
            min_severity=Severity.ROUTINE,
            max_per_hour=limit,
            digest=digest,
            quiet_hours=quiet_hours,
            urgent_breaks_quiet=urgent_breaks_quiet,
        )
        story = _Story(database, channel)
        for step, value, severity in steps:
            story.take(step, value, severity)
        story.end()

    check()
