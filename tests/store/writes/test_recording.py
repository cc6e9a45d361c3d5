"""What is written together is kept together, and nothing is written for what did not change."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.store.temporary_store import (
    NOW,
    NUMBER,
    StoreAddress,
    TemporaryStore,
    a_change,
    a_draft,
    a_snapshot,
    case_write,
    read_end,
    record_alerts,
)
from watcher.errors import StoreUnusable
from watcher.model.account_health import AccountHealth, AccountState
from watcher.model.case import ItemKind, ItemState, PendingItem
from watcher.model.reminder import SentReminder
from watcher.model.writes import WriteSet

MARK = SentReminder(account="family", case_number=NUMBER, subject="stage", mark="stalled")


def news(revision: int | None = None, *, status: str = "Case Was Received", **more: Any) -> WriteSet:
    return WriteSet(
        account="family",
        case_number=NUMBER,
        case=case_write(a_snapshot(status), revision=revision),
        changes=(a_change(),),
        summaries=("something",),
        drafts=(a_draft(),),
        **more,
    )


@pytest.fixture
def writes() -> Any:
    """Every statement that writes, as it goes to the database."""
    found: list[str] = []

    def note(_c: Any, _u: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(("SELECT", "BEGIN", "PRAGMA", "COMMIT")):
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield found
    event.remove(Engine, "before_cursor_execute", note)


class TestOneTransaction:
    def test_a_change_is_there_with_its_snapshot_and_its_alert(self, kept: TemporaryStore) -> None:
        kept.store.accounts.health("family", NOW)
        (change,) = kept.store.record([news(reminders=(MARK,))], now=NOW)
        (alert,) = kept.store.outbox.list()
        assert alert.change_ids == (change.id,)
        assert [case.case_number for case in kept.store.tracked_cases()] == [NUMBER]
        assert kept.store.reminders() == {MARK}

    def test_of_two_processes_that_read_the_same_case_one_is_recorded_whole_the_other_not_at_all(
        self, kept: TemporaryStore, shelf: StoreAddress
    ) -> None:
        kept.store.accounts.health("family", NOW)
        with shelf.open() as other:
            kept.store.record([news(status="Case Was Approved")], now=NOW)
            with pytest.raises(StoreUnusable, match="another process"):
                other.store.record([news()], now=NOW)
        assert len(kept.store.history()) == len(kept.store.outbox.list()) == 1
        (case,) = kept.store.tracked_cases()
        assert case.snapshot is not None
        assert case.snapshot.status == "Case Was Approved"

    def test_the_same_reminder_a_second_time_takes_its_alert_down_with_it(self, kept: TemporaryStore) -> None:
        kept.store.accounts.health("family", NOW)
        kept.store.record([news(reminders=(MARK,))], now=NOW)
        with pytest.raises(StoreUnusable):
            kept.store.record([news(1, reminders=(MARK,))], now=NOW)
        assert len(kept.store.history()) == len(kept.store.outbox.list()) == 1


class TestRounds:
    def numbers(self, kept: TemporaryStore, count: int) -> list[str]:
        numbers = [f"IOE00000{number:05d}" for number in range(1, count + 1)]
        kept.store.accounts.health("family", NOW)
        saves = [
            WriteSet(account="family", case_number=number, case=case_write(a_snapshot(number=number)))
            for number in numbers
        ]
        kept.store.record(saves, now=NOW, read_end=read_end(numbers))
        return numbers

    def test_a_round_without_changes_writes_two_statements_however_many_cases(
        self, kept: TemporaryStore, writes: list[str]
    ) -> None:
        numbers = self.numbers(kept, 60)
        writes.clear()
        kept.store.record([], now=NOW + timedelta(hours=4), read_end=read_end(numbers))
        assert len(writes) <= 2
        assert not any("INSERT" in statement for statement in writes)

    def test_a_complete_round_without_a_case_counts_it_and_a_read_ends_the_count(self, kept: TemporaryStore) -> None:
        first, second = self.numbers(kept, 2)
        for _ in range(2):
            kept.store.record([], now=NOW, read_end=read_end([first], missing=[second]))
        assert {number: case.missing_reads for number, case in kept.store.known_cases("family").items()} == {
            first: 0,
            second: 2,
        }
        kept.store.record([], now=NOW, read_end=read_end([first, second]))
        assert kept.store.known_cases("family")[second].missing_reads == 0

    def test_a_case_that_a_complete_round_misses_was_last_read_in_the_one_before(self, kept: TemporaryStore) -> None:
        first, second = self.numbers(kept, 2)
        read = [NOW + timedelta(hours=4 * place) for place in range(4)]
        for now in read[:2]:
            self.round(kept, now, [first, second])
        for now in read[2:]:
            self.round(kept, now, [first], missing=[second])
        reads = {case.case_number: case.last_read_at for case in kept.store.tracked_cases()}
        assert reads == {first: read[3], second: read[1]}

    def round(self, kept: TemporaryStore, now: datetime, read: list[str], *, missing: Sequence[str] = ()) -> None:
        health = AccountHealth(state=AccountState.OK, first_seen_at=NOW, last_read_at=now)
        kept.store.record(
            [WriteSet(account="family", health=health)], now=now, read_end=read_end(read, missing=missing)
        )

    def test_an_incomplete_round_counts_nothing_as_missing(self, kept: TemporaryStore) -> None:
        first, second = self.numbers(kept, 2)
        later = NOW + timedelta(hours=4)
        kept.store.record([], now=later, read_end=read_end([first], complete=False))
        reads = {case.case_number: case.last_read_at for case in kept.store.tracked_cases()}
        assert reads == {first: later, second: NOW}
        assert kept.store.known_cases("family")[second].missing_reads == 0

    def test_a_configured_number_that_was_never_read_is_entered_to_be_told_as_missing(
        self, kept: TemporaryStore
    ) -> None:
        self.numbers(kept, 1)
        kept.store.record([], now=NOW, read_end=read_end(["IOE0000000001"], missing=["IOE0000009999"]))
        assert kept.store.known_cases("family")["IOE0000009999"].missing_reads == 1


class TestLedger:
    def show(self, kept: TemporaryStore, *items: PendingItem, revision: int | None = None) -> list[ItemState]:
        kept.store.accounts.health("family", NOW)
        save = case_write(a_snapshot(pending=items), revision=revision)
        kept.store.record([WriteSet(account="family", case_number=NUMBER, case=save)], now=NOW)
        return [item.state for item in kept.store.items()]

    def item(self, **told: Any) -> PendingItem:
        return PendingItem(key="rfe", kind=ItemKind.RFE, title="Evidence", **told)

    def test_an_item_that_the_portal_no_longer_shows_is_closed_and_never_deleted(self, kept: TemporaryStore) -> None:
        assert self.show(kept, self.item()) == [ItemState.OPEN]
        assert self.show(kept, revision=1) == [ItemState.CLOSED]

    def test_what_the_user_called_done_stays_so_until_the_portal_moves_its_date(self, kept: TemporaryStore) -> None:
        self.show(kept, self.item(due_on=date(2026, 5, 1)))
        kept.store.ledger.set_done(1)
        assert self.show(kept, self.item(due_on=date(2026, 5, 1), place="Room 1"), revision=1) == [ItemState.DONE]
        assert self.show(kept, self.item(due_on=date(2026, 6, 1)), revision=2) == [ItemState.OPEN]

    def test_the_date_on_the_letter_counts_before_the_portals(self, kept: TemporaryStore) -> None:
        self.show(kept, self.item(due_on=date(2026, 5, 1)))
        moved = kept.store.ledger.set_due(1, date(2026, 4, 1))
        assert moved is not None
        assert moved.due is not None
        assert moved.due[0] == date(2026, 4, 1)

    def test_an_item_that_is_not_there_is_none(self, kept: TemporaryStore) -> None:
        assert kept.store.ledger.set_done(7) is None
        assert kept.store.ledger.set_due(7, date(2026, 4, 1)) is None


def test_only_the_last_good_and_the_last_strange_answers_are_kept(kept: TemporaryStore) -> None:
    kept.store.accounts.health("family", NOW)
    for body, strange in ((b"1", False), (b"2", False), (b"?", True), (b"3", False)):
        answers = {"case": body}
        kept.store.record(
            [WriteSet(account="family", case_number=NUMBER, answers=answers, answers_unexpected=strange)], now=NOW
        )
    assert kept.store.answers("family", NUMBER) == {("good", "case"): b"3", ("strange", "case"): b"?"}


def test_history_is_newest_first_and_can_be_narrowed(kept: TemporaryStore) -> None:
    for _ in range(3):
        record_alerts(kept.store)
    assert [change.id for change in kept.store.history(limit=2)] == [3, 2]
    assert kept.store.history(accounts=["work"]) == []
    assert kept.store.history(case_number="IOE0000000002") == []
