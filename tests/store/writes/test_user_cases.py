"""What the user records about cases: labels, persons, finished cases, dates of their own, letters, and lists."""

from dataclasses import replace
from datetime import date, timedelta

from tests.store.temporary_store import NOW, NUMBER, TemporaryStore, a_snapshot, case_write
from watcher.model.case import ItemKind, ItemState
from watcher.model.ledger import DueSource, UserCase
from watcher.model.priority import Priority
from watcher.model.published_list import StoredList
from watcher.model.writes import WriteSet
from watcher.store import Store

TYPED = "ioe-0000 000001"


def check(store: Store) -> None:
    """Record a check of the case, the first one or a later one."""
    store.accounts.health("family", NOW)
    known = store.known_cases("family").get(NUMBER)
    write = case_write(a_snapshot(), revision=known.revision if known else None)
    store.record([WriteSet(account="family", case_number=NUMBER, case=write)], now=NOW)


def test_case_has_its_label_whether_it_was_set_before_or_after_the_first_check(temporary: TemporaryStore) -> None:
    store = temporary.store
    store.user.label({TYPED: {"label": "Green card", "person": "Maria"}})
    assert store.tracked_cases() == []
    check(store)
    (case,) = store.tracked_cases()
    assert (case.label, case.person, case.finished) == ("Green card", "Maria", False)
    store.user.label({NUMBER: {"label": "Maria's green card"}})
    (case,) = store.tracked_cases()
    assert (case.label, case.person) == ("Maria's green card", "Maria")


def test_cleared_label_leaves_nothing_behind(temporary: TemporaryStore) -> None:
    store = temporary.store
    store.user.label({NUMBER: {"label": "Green card", "person": None}})
    store.user.label({NUMBER: {"label": None, "person": None}})
    assert store.user_cases() == {}
    assert store.user_case(NUMBER) == UserCase(number="ioe0000000001")


def test_case_is_finished_and_watched_again(temporary: TemporaryStore) -> None:
    store = temporary.store
    check(store)
    assert store.user.finish(NUMBER, NOW)
    assert not store.user.finish(TYPED, NOW + timedelta(days=1))
    assert store.user_case(NUMBER).finished_at == NOW
    assert [case.finished for case in store.tracked_cases()] == [True]
    assert store.user.watch(NUMBER)
    assert not store.user.watch(NUMBER)
    assert [case.finished for case in store.tracked_cases()] == [False]


def test_reminder_is_an_item_that_no_check_closes(temporary: TemporaryStore) -> None:
    store = temporary.store
    number = store.user.add_reminder("family", NUMBER, "Card expires", date(2027, 5, 1), NOW)
    check(store)
    (item,) = (item for item in store.items() if item.id == number)
    assert (item.item.kind, item.item.title, item.state) == (ItemKind.REMINDER, "Card expires", ItemState.OPEN)
    assert item.due == (date(2027, 5, 1), DueSource.USER)
    moved = store.ledger.set_due(number, date(2027, 6, 1))
    assert moved is not None
    assert moved.due == (date(2027, 6, 1), DueSource.USER)


def test_reminder_of_a_case_that_was_not_checked_is_kept(temporary: TemporaryStore) -> None:
    store = temporary.store
    store.user.add_reminder("family", NUMBER, "Hearing", date(2027, 5, 1), NOW)
    (case,) = store.tracked_cases()
    assert (case.snapshot, [item.item.title for item in case.items]) == (None, ["Hearing"])


def test_letter_of_the_user_is_added_once(temporary: TemporaryStore) -> None:
    store = temporary.store
    check(store)
    added = [
        store.user.add_notice("family", NUMBER, "RFE", saved_as="notices/rfe.pdf", sha256="ab", now=NOW) for _ in "12"
    ]
    assert [is_new for _, is_new in added] == [True, False]
    assert len({number for number, _ in added}) == 1
    (notice,) = (notice for notice in store.notices() if notice.sha256 == "ab")
    assert (notice.notice.title, notice.saved_as) == ("RFE", "notices/rfe.pdf")


def test_priority_date_is_kept_beside_the_label_and_cleared_alone(temporary: TemporaryStore) -> None:
    store, priority = temporary.store, Priority(category="EB2", country="IN", day=date(2014, 1, 15))
    store.user.set_priority(TYPED, priority)
    check(store)
    store.user.label({NUMBER: {"label": "Green card"}})
    (case,) = store.tracked_cases()
    assert (case.priority, case.label) == (priority, "Green card")
    store.user.label({NUMBER: {"label": None}})
    assert store.user_case(NUMBER).priority == priority
    store.user.set_priority(NUMBER, None)
    assert store.user_cases() == {}


def test_published_list_is_replaced_as_a_whole(temporary: TemporaryStore) -> None:
    store = temporary.store
    fetched = StoredList(
        name="visa_bulletin",
        address="https://data.example.org/bulletin.json",
        tried_at=NOW,
        wait_seconds=86_400,
        content=b"[]",
        fetched_at=NOW,
        etag='"1"',
    )
    for stored in (fetched, replace(fetched, fault="down", tried_at=NOW + timedelta(days=1))):
        store.lists.save(stored)
        assert store.published_lists() == {"visa_bulletin": stored}
        assert store.published_lists(with_content=False) == {"visa_bulletin": replace(stored, content=None)}
