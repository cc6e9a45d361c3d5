"""Thousands of alerts at once: few messages, urgent ones first and alone, and work in proportion to their number."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.test_outbox_worker import PHONE, outbox_worker
from tests.doubles.notifier import FakeNotifier
from tests.practice.visitor import HandClock
from tests.store.temporary_store import NOW, TemporaryStore, a_change, a_draft, temporary_store
from tests.support.work_done import Work, counted
from watcher.model.alert import AlertDraft, AlertState, HoldReason
from watcher.model.change import ChangeKind, Severity
from watcher.model.writes import WriteSet

FEW, MANY = 40, 160
LINEAR = 1.3
"""How much more than in proportion the work for many alerts may be: something is done once for all of them."""


def number(place: int) -> str:
    return f"IOE09{place:08d}"


def queue(database: TemporaryStore, *drafts: AlertDraft) -> None:
    """Record each alert with a change of a case of its own."""
    database.store.accounts.health("family", NOW)
    writes = [
        WriteSet(
            account="family",
            case_number=number(place),
            changes=(a_change(ChangeKind.STAGE_CHANGED, number=number(place)),),
            summaries=("something",),
            drafts=(draft,),
        )
        for place, draft in enumerate(drafts)
    ]
    database.store.record(writes, now=NOW)


def delivered(database: TemporaryStore, notifier: FakeNotifier, *, limit: int = 5, **options: Any) -> Work:
    """Deliver what is due, and return the work."""
    worker = outbox_worker(database, notifier, HandClock(NOW + timedelta(minutes=1)), limit=limit, **options)
    with counted(database.store._database.engine) as work:
        worker.deliver("phone")
    assert worker.due_channels() == []
    return work


def work_for(folder: Path, count: int, draft: AlertDraft, *, messages: int, limit: int = 5, **options: Any) -> Work:
    """Return the work of delivering so many alerts like this one, in so many messages."""
    notifier = FakeNotifier()
    folder.mkdir()
    with temporary_store(folder) as database:
        queue(database, *[draft] * count)
        work = delivered(database, notifier, limit=limit, **options)
        assert len(notifier.titles(PHONE)) == messages
        assert {alert.state for alert in database.store.outbox.list()} == {AlertState.SENT}
    return work


def test_many_alerts_are_one_message_after_the_urgent_ones(tmp_path: Path) -> None:
    notifier, urgent = FakeNotifier(), Severity.URGENT
    with temporary_store(tmp_path) as database:
        drafts = [
            a_draft(f"{place}", severity=urgent if place % 200 == 9 else Severity.IMPORTANT) for place in range(1_000)
        ]
        queue(database, *drafts)
        delivered(database, notifier, limit=6)
    titles = notifier.titles(PHONE)
    assert titles[:-1] == ["9", "209", "409", "609", "809"]
    assert titles[-1].startswith("995 ")


@pytest.mark.parametrize(
    ("hold", "options"),
    [(None, {}), (HoldReason.DIGEST, {}), (HoldReason.QUIET, {}), (None, {"attach_notices": True})],
    ids=["flood", "digest", "after quiet hours", "with letters"],
)
def test_one_message_about_many_alerts_takes_few_statements_and_linear_work(
    tmp_path: Path, hold: HoldReason | None, options: dict[str, Any]
) -> None:
    draft = a_draft(hold=hold)
    few = work_for(tmp_path / "few", FEW, draft, messages=1, **options)
    many = work_for(tmp_path / "many", MANY, draft, messages=1, **options)
    assert (many.statements, many.commits) == (few.statements, few.commits)
    assert many.calls <= few.calls * MANY / FEW * LINEAR
    assert many.sql_steps <= few.sql_steps * MANY / FEW * LINEAR


def test_escalations_are_compared_with_what_came_after_them_at_once(tmp_path: Path) -> None:
    draft = a_draft(hold=HoldReason.ESCALATION)
    few = work_for(tmp_path / "few", FEW, draft, messages=1)
    many = work_for(tmp_path / "many", MANY, draft, messages=1)
    assert many.statements - few.statements <= MANY / 64
    assert many.sql_steps <= few.sql_steps * MANY / FEW * LINEAR


def test_each_of_many_urgent_alerts_takes_the_same_work(tmp_path: Path) -> None:
    draft = a_draft(severity=Severity.URGENT)
    few = work_for(tmp_path / "few", FEW, draft, messages=FEW)
    many = work_for(tmp_path / "many", MANY, draft, messages=MANY)
    for name in ("statements", "commits", "calls", "sql_steps"):
        assert getattr(many, name) <= getattr(few, name) * MANY / FEW * LINEAR, name
