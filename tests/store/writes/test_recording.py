"""What belongs together is written together, and nothing is written for what did not change."""

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


def changed_case(revision: int | None = None, *, status: str = "Case Was Received", **more: Any) -> WriteSet:
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
    """Every statement that writes, as it is sent to the database."""
    statements: list[str] = []

    def record(_c: Any, _u: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(("SELECT", "BEGIN", "PRAGMA", "COMMIT")):
            statements.append(statement)

    event.listen(Engine, "before_cursor_execute", record)
    yield statements
    event.remove(Engine, "before_cursor_execute", record)


class TestOneTransaction:
    def test_change_is_recorded_with_its_snapshot_and_alert(self, temporary: TemporaryStore) -> None:
        temporary.store.accounts.health("family", NOW)
        (change,) = temporary.store.record([changed_case(reminders=(MARK,))], now=NOW)
        (alert,) = temporary.store.outbox.list()
        assert alert.change_ids == (change.id,)
        assert [case.case_number for case in temporary.store.tracked_cases()] == [NUMBER]
        assert temporary.store.reminders() == {MARK}

    def test_only_one_of_two_processes_that_check_the_same_case_records_it(
        self, temporary: TemporaryStore, address: StoreAddress
    ) -> None:
        temporary.store.accounts.health("family", NOW)
        with address.open() as other:
            temporary.store.record([changed_case(status="Case Was Approved")], now=NOW)
            with pytest.raises(StoreUnusable, match="another process"):
                other.store.record([changed_case()], now=NOW)
        assert len(temporary.store.history()) == len(temporary.store.outbox.list()) == 1
        (case,) = temporary.store.tracked_cases()
        assert case.snapshot is not None
        assert case.snapshot.status == "Case Was Approved"

    def test_reminder_sent_twice_is_rolled_back_with_its_alert(self, temporary: TemporaryStore) -> None:
        temporary.store.accounts.health("family", NOW)
        temporary.store.record([changed_case(reminders=(MARK,))], now=NOW)
        with pytest.raises(StoreUnusable):
            temporary.store.record([changed_case(1, reminders=(MARK,))], now=NOW)
        assert len(temporary.store.history()) == len(temporary.store.outbox.list()) == 1


class TestChecks:
    def numbers(self, temporary: TemporaryStore, count: int) -> list[str]:
        numbers = [f"IOE00000{number:05d}" for number in range(1, count + 1)]
        temporary.store.accounts.health("family", NOW)
        write_sets = [
            WriteSet(account="family", case_number=number, case=case_write(a_snapshot(number=number)))
            for number in numbers
        ]
        temporary.store.record(write_sets, now=NOW, read_end=read_end(numbers))
        return numbers

    def test_check_without_changes_writes_two_statements_for_any_number_of_cases(
        self, temporary: TemporaryStore, writes: list[str]
    ) -> None:
        numbers = self.numbers(temporary, 60)
        writes.clear()
        temporary.store.record([], now=NOW + timedelta(hours=4), read_end=read_end(numbers))
        assert len(writes) <= 2
        assert not any("INSERT" in statement for statement in writes)

    def test_missing_case_is_counted_until_it_is_read_again(self, temporary: TemporaryStore) -> None:
        first, second = self.numbers(temporary, 2)
        for _ in range(2):
            temporary.store.record([], now=NOW, read_end=read_end([first], missing=[second]))
        assert {number: case.missing_reads for number, case in temporary.store.known_cases("family").items()} == {
            first: 0,
            second: 2,
        }
        temporary.store.record([], now=NOW, read_end=read_end([first, second]))
        assert temporary.store.known_cases("family")[second].missing_reads == 0

    def test_missing_case_was_last_read_in_the_check_before(self, temporary: TemporaryStore) -> None:
        first, second = self.numbers(temporary, 2)
        times = [NOW + timedelta(hours=4 * index) for index in range(4)]
        for now in times[:2]:
            self.check(temporary, now, [first, second])
        for now in times[2:]:
            self.check(temporary, now, [first], missing=[second])
        reads = {case.case_number: case.last_read_at for case in temporary.store.tracked_cases()}
        assert reads == {first: times[3], second: times[1]}

    def check(
        self,
        temporary: TemporaryStore,
        now: datetime,
        read: list[str],
        *,
        missing: Sequence[str] = (),
        complete: bool = True,
    ) -> None:
        health = AccountHealth(state=AccountState.OK, first_seen_at=NOW, last_read_at=now)
        temporary.store.record(
            [WriteSet(account="family", health=health)],
            now=now,
            read_end=read_end(read, missing=missing, complete=complete),
        )

    def test_case_read_in_an_incomplete_check_is_no_longer_missing(self, temporary: TemporaryStore) -> None:
        first, second = self.numbers(temporary, 2)
        for _ in range(2):
            temporary.store.record([], now=NOW, read_end=read_end([first], missing=[second]))
        temporary.store.record([], now=NOW, read_end=read_end([second], complete=False))
        assert temporary.store.known_cases("family")[second].missing_reads == 0

    def test_incomplete_check_counts_nothing_as_missing(self, temporary: TemporaryStore) -> None:
        first, second = self.numbers(temporary, 2)
        later = NOW + timedelta(hours=4)
        self.check(temporary, NOW, [first, second])
        self.check(temporary, later, [first], complete=False)
        reads = {case.case_number: case.last_read_at for case in temporary.store.tracked_cases()}
        assert reads == {first: later, second: NOW}
        assert temporary.store.known_cases("family")[second].missing_reads == 0

    def test_configured_number_that_was_never_read_is_added_as_missing(self, temporary: TemporaryStore) -> None:
        self.numbers(temporary, 1)
        temporary.store.record([], now=NOW, read_end=read_end(["IOE0000000001"], missing=["IOE0000009999"]))
        assert temporary.store.known_cases("family")["IOE0000009999"].missing_reads == 1


class TestLedger:
    def show(self, temporary: TemporaryStore, *items: PendingItem, revision: int | None = None) -> list[ItemState]:
        temporary.store.accounts.health("family", NOW)
        case = case_write(a_snapshot(pending=items), revision=revision)
        temporary.store.record([WriteSet(account="family", case_number=NUMBER, case=case)], now=NOW)
        return [item.state for item in temporary.store.items()]

    def item(self, **fields: Any) -> PendingItem:
        return PendingItem(key="rfe", kind=ItemKind.RFE, title="Evidence", **fields)

    def test_item_that_the_portal_no_longer_shows_is_closed_and_not_deleted(self, temporary: TemporaryStore) -> None:
        assert self.show(temporary, self.item()) == [ItemState.OPEN]
        assert self.show(temporary, revision=1) == [ItemState.CLOSED]

    def test_done_item_stays_done_until_the_portal_moves_its_date(self, temporary: TemporaryStore) -> None:
        self.show(temporary, self.item(due_on=date(2026, 5, 1)))
        temporary.store.ledger.set_done(1)
        assert self.show(temporary, self.item(due_on=date(2026, 5, 1), place="Room 1"), revision=1) == [ItemState.DONE]
        assert self.show(temporary, self.item(due_on=date(2026, 6, 1)), revision=2) == [ItemState.OPEN]

    def test_date_on_the_letter_takes_precedence(self, temporary: TemporaryStore) -> None:
        self.show(temporary, self.item(due_on=date(2026, 5, 1)))
        moved = temporary.store.ledger.set_due(1, date(2026, 4, 1))
        assert moved is not None
        assert moved.due is not None
        assert moved.due[0] == date(2026, 4, 1)

    def test_unknown_item_is_none(self, temporary: TemporaryStore) -> None:
        assert temporary.store.ledger.set_done(7) is None
        assert temporary.store.ledger.set_due(7, date(2026, 4, 1)) is None


def test_only_the_last_good_and_unexpected_answers_are_stored(temporary: TemporaryStore) -> None:
    temporary.store.accounts.health("family", NOW)
    for body, unexpected in ((b"1", False), (b"2", False), (b"?", True), (b"3", False)):
        answers = {"case": body}
        temporary.store.record(
            [WriteSet(account="family", case_number=NUMBER, answers=answers, answers_unexpected=unexpected)], now=NOW
        )
    assert temporary.store.answers("family", NUMBER) == {("good", "case"): b"3", ("strange", "case"): b"?"}


def test_history_is_newest_first_and_can_be_filtered(temporary: TemporaryStore) -> None:
    for _ in range(3):
        record_alerts(temporary.store)
    assert [change.id for change in temporary.store.history(limit=2)] == [3, 2]
    assert temporary.store.history(accounts=["work"]) == []
    assert temporary.store.history(case_number="IOE0000000002") == []


def several_cases(*places: int, revision: int | None = None) -> list[WriteSet]:
    """Return a write set for each case, with two changes and an alert for two channels."""
    return [
        WriteSet(
            account="family",
            case_number=f"IOE09{place:08d}",
            case=case_write(a_snapshot(number=f"IOE09{place:08d}"), revision=revision),
            changes=(a_change(number=f"IOE09{place:08d}", subject="a"), a_change(number=f"IOE09{place:08d}")),
            summaries=(f"{place} a", f"{place} b"),
            drafts=(a_draft(f"{place} phone"), a_draft(f"{place} mail", channel="mail")),
        )
        for place in places
    ]


class TestSeveralCases:
    def test_changes_and_alerts_of_many_cases_are_numbered_in_their_order(self, temporary: TemporaryStore) -> None:
        store, places = temporary.store, [*range(200, 0, -1)]
        store.accounts.health("family", NOW)
        recorded = store.record(several_cases(*places), now=NOW)
        summaries = [f"{place} {part}" for place in places for part in "ab"]
        assert [change.summary for change in recorded] == summaries
        assert [change.summary for change in reversed(store.history())] == summaries
        assert [change.id for change in recorded] == sorted(change.id for change in recorded)
        alerts = list(reversed(store.outbox.list()))
        assert [alert.title for alert in alerts] == [
            f"{place} {name}" for place in places for name in ("phone", "mail")
        ]
        first = {change.change.case_number: change.id for change in reversed(recorded)}
        assert [alert.change_ids for alert in alerts[::2]] == [(first[f"IOE09{place:08d}"],) for place in places]

    def test_nothing_is_written_if_one_of_the_cases_was_recorded_meanwhile(self, temporary: TemporaryStore) -> None:
        store = temporary.store
        store.accounts.health("family", NOW)
        store.record(several_cases(1, 2, 3), now=NOW)
        store.record(several_cases(2, revision=1), now=NOW)
        before = len(store.history())
        for writes in (several_cases(1, 2, 3, revision=1), several_cases(4, 3)):
            with pytest.raises(StoreUnusable, match="another process"):
                store.record(writes, now=NOW)
        assert len(store.history()) == before
        assert store.known_cases("family").keys() == {f"IOE09{place:08d}" for place in (1, 2, 3)}
