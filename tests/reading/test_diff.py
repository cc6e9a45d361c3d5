"""What is news between two reads of a case, and what is not."""

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import snapshots as some
from tests.support.snapshots import COLLECTIONS, NUMBER, PLAIN, full_snapshots, kind_of_entries, snapshots
from watcher.language.status_meaning import meaning_of
from watcher.model.case import STATUS_FIELDS, ItemKind, ItemState, Notice, PendingItem, Snapshot, Stage
from watcher.model.change import Change, ChangeKind, Severity
from watcher.reading.diff import diff
from watcher.reading.normalize import normalize
from watcher.store.queries.snapshot_json import decode, encode

few = settings(max_examples=20, deadline=None)
TODAY = date(2026, 3, 2)
RFE = "Request for Initial Evidence Was Sent"
ANSWERED = "Response To USCIS' Request For Evidence Was Received"
REVIEW = "Case Is Being Actively Reviewed By USCIS"
NOT_NEWS = {
    "case_number": "it says which case it is",
    "language": "the same words in another language are the same words",
    "stage": "our own rules read it out of the words",
    "partial": "it says how whole the read was",
}
NOT_NEWS_OF_ENTRIES = {
    "key": "it says which entry it is",
    "due_by_estimate": "our own rules compute it",
}


def settled(fresh: Snapshot) -> Snapshot:
    return normalize(None, fresh, vocabulary="uscis")


def with_(snapshot: Snapshot, name: str, value: Any) -> Snapshot:
    told: dict[str, Any] = {name: value}
    return replace(snapshot, **told)


def moved(before: Snapshot | None, after: Snapshot) -> tuple[Change, ...]:
    """The changes as a round finds them: `before` as it is in the books, `after` as it has just been read."""
    return diff(before, normalize(before, after, vocabulary="uscis"), today=TODAY, vocabulary="uscis")


def kinds(changes: tuple[Change, ...]) -> list[ChangeKind]:
    return [change.kind for change in changes]


def a_case(status: str | None = REVIEW, **told: Any) -> Snapshot:
    return Snapshot(case_number=NUMBER, status=status, stage=meaning_of(status or "").stage, **told)


def unsaid(names: set[str]) -> dict[str, Any]:
    return dict.fromkeys(names)


def an_item(kind: ItemKind = ItemKind.RFE, key: str = "item-1", **told: Any) -> PendingItem:
    return PendingItem(key=key, kind=kind, title="Something is asked for", **told)


class TestNothingMoved:
    @few
    @given(snapshots())
    def test_a_snapshot_against_itself_is_no_news(self, fresh: Snapshot) -> None:
        before = settled(fresh)
        assert moved(before, fresh) == ()
        assert normalize(before, fresh, vocabulary="uscis") == before

    @few
    @given(snapshots(), st.randoms(use_true_random=False))
    def test_the_order_of_entries_is_no_news(self, fresh: Snapshot, chance: Any) -> None:
        shuffled: dict[str, Any] = {}
        for name in COLLECTIONS:
            entries = getattr(fresh, name)
            if entries is not None:
                shuffled[name] = tuple(chance.sample(entries, len(entries)))
        assert moved(settled(fresh), replace(fresh, **shuffled)) == ()

    @few
    @given(snapshots(), st.sets(st.sampled_from((*PLAIN, *COLLECTIONS))))
    def test_what_a_read_leaves_out_stays_as_it_was(self, fresh: Snapshot, left_out: set[str]) -> None:
        if left_out & {"status", "status_key", "description"}:
            left_out |= {"status", "status_key", "description", "status_since"}
        before = settled(fresh)
        assert moved(before, replace(fresh, **unsaid(left_out))) == ()

    @few
    @given(full_snapshots(), st.data())
    def test_what_was_never_known_before_is_no_news(self, fresh: Snapshot, data: st.DataObject) -> None:
        """But for the status itself and what it asks for: of those nothing has been told yet."""
        names = [name for name in (*PLAIN, *COLLECTIONS) if name not in {"status", "pending"}]
        unknown = data.draw(st.sets(st.sampled_from(names)))
        assert moved(settled(replace(fresh, **unsaid(unknown))), fresh) == ()

    @few
    @given(full_snapshots(), st.data())
    def test_a_field_that_did_not_exist_yesterday_is_no_news(self, fresh: Snapshot, data: st.DataObject) -> None:
        before = settled(fresh)
        document = json.loads(encode(before))
        places = list(_keys_of(document))
        for place, key in data.draw(st.lists(st.sampled_from(places), max_size=5, unique_by=str)):
            del place[key]
        assert moved(decode(json.dumps(document), fallback=fresh), fresh) == ()

    def test_the_same_words_in_another_language_are_no_news(self) -> None:
        english = a_case(
            "Case Was Received",
            description="On March 1, 2026, we received your Form I-485.",
            status_since=date(2026, 3, 1),
            notices=(Notice(key="n", title="Receipt notice"),),
            title="Application to Register Permanent Residence",
        )
        spanish = replace(
            english,
            language="es",
            status="Caso Recibido",
            status_key="Case Was Received",
            description="El 1 de marzo de 2026, recibimos su Formulario I-485.",
            notices=(Notice(key="n", title="Aviso de recibo"),),
            title="Solicitud de residencia permanente",
        )
        assert moved(settled(english), spanish) == ()
        assert moved(settled(spanish), english) == ()

    def test_what_an_asking_status_says_in_another_language_is_no_second_request(self) -> None:
        english = a_case(RFE, description="We asked.", status_since=date(2026, 3, 1))
        spanish = replace(english, language="es", status="Pedimos", status_key=RFE, description="Le pedimos.")
        assert moved(settled(english), spanish) == ()

    def test_a_change_is_still_seen_when_the_language_changes_with_it(self) -> None:
        spanish = a_case("Caso Aprobado", language="es", status_key="Case Was Approved")
        assert kinds(moved(settled(a_case(REVIEW)), replace(spanish, stage=Stage.APPROVED))) == [
            ChangeKind.STAGE_CHANGED
        ]

    @few
    @given(snapshots(), st.sampled_from(Stage))
    def test_our_own_rules_reading_the_same_words_differently_is_no_news(self, fresh: Snapshot, stage: Stage) -> None:
        assert moved(replace(settled(fresh), stage=stage), fresh) == ()

    def test_nor_is_it_when_something_else_moves_beside_it(self) -> None:
        before = replace(settled(a_case(REVIEW, notices=())), stage=Stage.UNKNOWN)
        fresh = a_case(REVIEW, notices=(Notice(key="n", title="A letter"),))
        assert kinds(moved(before, fresh)) == [ChangeKind.NOTICE_ADDED]


def _keys_of(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Every key at every level that a newer release might have added: all but those that name things."""
    for name, value in document.items():
        if name not in {"case_number", "stage", "status", "status_key"}:
            yield document, name
        if isinstance(value, list):
            for entry in value:
                yield from ((entry, key) for key in entry if key not in {"key", "kind"})


class TestEveryFieldHasAChangeOfItsOwn:
    @pytest.mark.parametrize("name", [field.name for field in fields(Snapshot) if field.name not in NOT_NEWS])
    @few
    @given(data=st.data())
    def test_of_a_snapshot(self, name: str, data: st.DataObject) -> None:
        before = settled(data.draw(full_snapshots()))
        old = getattr(before, name)
        new = data.draw(some.present_values(name).filter(lambda value: value and _differs(old, value)))
        after = with_(before, name, new)
        if name == "status":
            after = replace(after, status_key=None)
        changes = moved(before, replace(after, stage=meaning_of(after.status_title).stage))
        assert changes
        assert all(change.case_number == NUMBER for change in changes)

    @pytest.mark.parametrize(
        ("collection", "name"),
        [
            (collection, field.name)
            for collection in COLLECTIONS
            for field in fields(kind_of_entries(collection) or Snapshot)
            if field.name not in NOT_NEWS_OF_ENTRIES
        ],
    )
    @few
    @given(data=st.data())
    def test_of_an_entry(self, collection: str, name: str, data: st.DataObject) -> None:
        before = settled(data.draw(full_snapshots()))
        (entry,) = getattr(before, collection)
        values = some.values(kind_of_entries(collection), name).filter(lambda value: value != getattr(entry, name))
        other = replace(entry, **{name: data.draw(values)})
        changes = moved(before, with_(before, collection, (other,)))
        assert [change.subject for change in changes] == [entry.key]

    def test_what_is_no_news_is_still_there(self) -> None:
        """So that an exemption does not outlive its field."""
        assert NOT_NEWS.keys() <= {field.name for field in fields(Snapshot)}
        assert NOT_NEWS_OF_ENTRIES.keys() <= {field.name for kind in some.ENTRIES for field in fields(kind)}


def _differs(old: Any, new: Any) -> bool:
    """Whether a portal that shows `new` after `old` shows something else, beyond what our own rules computed."""
    return bool(_without_estimates(old) != _without_estimates(new))


def _without_estimates(value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    return {
        entry.key: replace(entry, due_by_estimate=None) if isinstance(entry, PendingItem) else entry for entry in value
    }


class TestNewsExactlyWhenSomethingMoved:
    @few
    @given(snapshots(), snapshots())
    def test_of_any_two_reads(self, first: Snapshot, second: Snapshot) -> None:
        before = settled(first)
        after = normalize(before, second, vocabulary="uscis")
        news = diff(before, after, today=TODAY, vocabulary="uscis")
        assert bool(news) is _anything_moved(before, after)
        assert len({(change.kind, change.subject) for change in news}) == len(news)

    @few
    @given(snapshots(), snapshots())
    def test_once_told_it_is_not_told_again(self, first: Snapshot, second: Snapshot) -> None:
        after = normalize(settled(first), second, vocabulary="uscis")
        assert moved(after, second) == ()

    @few
    @given(snapshots(), snapshots())
    def test_a_silent_update_comes_alone(self, first: Snapshot, second: Snapshot) -> None:
        found = kinds(moved(settled(first), second))
        assert ChangeKind.SILENT_UPDATE not in found or found == [ChangeKind.SILENT_UPDATE]


def _anything_moved(before: Snapshot, after: Snapshot) -> bool:
    """The same question asked in the plainest way: is there a field, once known, that says something else now?

    Where there was no status, its text and its date said nothing: they stand or fall together.
    """
    silent = set(STATUS_FIELDS if before.status is None else ()) | NOT_NEWS.keys()
    names = [field.name for field in fields(Snapshot) if field.name not in silent]
    return any(
        getattr(before, name) is not None and _differs(getattr(before, name), getattr(after, name)) for name in names
    )


class TestBaseline:
    def test_however_much_the_portal_shows_only_the_case_and_what_is_open_are_told(self) -> None:
        fresh = a_case(
            pending=(
                an_item(key="1"),
                an_item(ItemKind.INTENT_TO_DENY, key="2", due_on=TODAY),
                an_item(ItemKind.INTERVIEW, key="3", starts_at=TODAY + timedelta(days=9)),
                an_item(ItemKind.FEE, key="4"),
                an_item(ItemKind.RFE, key="5", state=ItemState.ANSWERED),
                an_item(ItemKind.BIOMETRICS, key="6", starts_at=TODAY - timedelta(days=1)),
                an_item(ItemKind.RFE, key="7", due_on=TODAY - timedelta(days=1)),
            ),
            notices=(Notice(key="n", title="A letter"),),
        )
        assert [(change.kind, change.subject) for change in moved(None, fresh)] == [
            (ChangeKind.CASE_ADDED, None),
            (ChangeKind.RFE_RECEIVED, "1"),
            (ChangeKind.INTENT_TO_DENY_RECEIVED, "2"),
            (ChangeKind.APPOINTMENT_SCHEDULED, "3"),
            (ChangeKind.ITEM_ADDED, "4"),
        ]

    @few
    @given(snapshots())
    def test_it_tells_that_the_case_is_watched_and_of_open_items_alone(self, fresh: Snapshot) -> None:
        first, *others = moved(None, fresh)
        assert (first.kind, first.severity) == (ChangeKind.CASE_ADDED, Severity.ROUTINE)
        open_ones = {item.key for item in settled(fresh).pending or () if item.state is ItemState.OPEN}
        assert {change.subject for change in others} <= open_ones

    def test_a_first_status_is_baseline_but_for_what_it_asks(self) -> None:
        assert kinds(moved(settled(a_case(None)), a_case("Case Was Denied"))) == []
        assert kinds(moved(settled(a_case(None)), a_case(RFE))) == [ChangeKind.RFE_RECEIVED]


class TestItemsThatAStatusIs:
    def asked(self, **told: Any) -> Snapshot:
        return a_case(RFE, form="I-485", status_since=date(2026, 3, 1), description="We asked for evidence.", **told)

    def test_a_request_is_an_open_item_with_the_latest_day_as_an_estimate(self) -> None:
        before = settled(a_case(form="I-485"))
        changes = moved(before, self.asked())
        assert kinds(changes) == [ChangeKind.RFE_RECEIVED, ChangeKind.STAGE_CHANGED]
        assert changes[0].severity is Severity.URGENT
        (item,) = normalize(before, self.asked(), vocabulary="uscis").pending or ()
        assert (item.kind, item.state, item.title) == (ItemKind.RFE, ItemState.OPEN, RFE)
        assert (item.due_on, item.due_by_estimate) == (None, date(2026, 3, 1) + timedelta(weeks=12))

    def test_the_status_that_says_so_answers_it(self) -> None:
        before = settled(self.asked())
        after = normalize(before, a_case(ANSWERED), vocabulary="uscis")
        assert [item.state for item in after.pending or ()] == [ItemState.ANSWERED]
        assert kinds(moved(before, a_case(ANSWERED))) == [ChangeKind.ITEM_CLOSED, ChangeKind.STAGE_CHANGED]

    def test_once_answered_it_stays_so_as_the_case_goes_on(self) -> None:
        answered = normalize(settled(self.asked()), a_case(ANSWERED), vocabulary="uscis")
        assert kinds(moved(answered, a_case("Case Was Approved"))) == [ChangeKind.STAGE_CHANGED]

    def test_a_status_that_has_moved_on_closes_it(self) -> None:
        before = settled(self.asked())
        assert kinds(moved(before, a_case("Case Was Approved"))) == [ChangeKind.ITEM_CLOSED, ChangeKind.STAGE_CHANGED]
        assert normalize(before, a_case("Case Was Approved"), vocabulary="uscis").pending == ()

    def test_going_back_and_forth_is_told_each_time(self) -> None:
        before = settled(self.asked())
        back = normalize(before, a_case(REVIEW), vocabulary="uscis")
        assert ChangeKind.RFE_RECEIVED in kinds(moved(back, self.asked()))

    def test_a_second_request_on_another_day_is_a_second_item(self) -> None:
        again = replace(self.asked(), status_since=date(2026, 6, 1), description="We asked for more evidence.")
        found = kinds(moved(settled(self.asked()), again))
        assert found == [ChangeKind.ITEM_CLOSED, ChangeKind.RFE_RECEIVED, ChangeKind.STATUS_CHANGED]

    @pytest.mark.parametrize(
        "again", [{"status_since": date(2026, 3, 9)}, {"description": "We have asked you for evidence."}]
    )
    def test_a_portal_that_moves_only_the_date_or_only_the_words_has_not_asked_twice(self, again: Any) -> None:
        changes = moved(settled(self.asked()), replace(self.asked(), **again))
        assert kinds(changes) == [ChangeKind.STATUS_CHANGED]

    def test_a_request_that_no_rule_knows_by_its_title_is_still_urgent(self) -> None:
        changes = moved(settled(a_case()), a_case("Request for Further Evidence Was Mailed"))
        assert ChangeKind.RFE_RECEIVED in kinds(changes)

    @pytest.mark.parametrize(
        ("title", "kind"),
        [
            ("Interview Was Scheduled", ItemKind.INTERVIEW),
            ("Biometrics Appointment Was Scheduled", ItemKind.BIOMETRICS),
        ],
    )
    def test_an_appointment_is_one_too_and_a_cancellation_cancels_it(self, title: str, kind: ItemKind) -> None:
        before = settled(a_case())
        assert kinds(moved(before, a_case(title))) == [ChangeKind.APPOINTMENT_SCHEDULED, ChangeKind.STAGE_CHANGED]
        (item,) = normalize(before, a_case(title), vocabulary="uscis").pending or ()
        assert item.kind is kind

    def test_an_interview_that_the_status_calls_off_is_cancelled(self) -> None:
        before = settled(a_case("Interview Was Scheduled"))
        changes = moved(before, a_case("Interview Cancelled"))
        assert ChangeKind.APPOINTMENT_CANCELLED in kinds(changes)

    def test_a_portal_that_now_lists_what_its_status_asked_for_has_not_asked_twice(self) -> None:
        listed = replace(self.asked(), pending=(an_item(key="rfe-77", due_on=date(2026, 5, 1)),))
        found = [(change.kind, change.subject) for change in moved(settled(self.asked()), listed)]
        assert found == [(ChangeKind.ITEM_CHANGED, "rfe-77")]


class TestAppointmentsAndItems:
    def pair(self, old: PendingItem | None, new: PendingItem | None) -> list[ChangeKind]:
        before = a_case(pending=() if old is None else (old,))
        return kinds(moved(settled(before), replace(before, pending=() if new is None else (new,))))

    def test_an_interview_at_another_time_or_place_is_changed(self) -> None:
        old = an_item(ItemKind.INTERVIEW, starts_at=datetime(2026, 4, 1, 9, tzinfo=UTC), place="Room 1")
        assert self.pair(old, replace(old, starts_at=datetime(2026, 4, 2, 9, tzinfo=UTC))) == [
            ChangeKind.APPOINTMENT_CHANGED
        ]
        assert self.pair(old, replace(old, place="Room 2")) == [ChangeKind.APPOINTMENT_CHANGED]
        assert self.pair(replace(old, starts_at=None), old) == [ChangeKind.APPOINTMENT_SCHEDULED]

    def test_an_appointment_ahead_that_is_gone_is_cancelled_one_that_is_over_is_closed(self) -> None:
        ahead = an_item(ItemKind.BIOMETRICS, starts_at=TODAY + timedelta(days=1))
        assert self.pair(ahead, None) == [ChangeKind.APPOINTMENT_CANCELLED]
        assert self.pair(replace(ahead, starts_at=TODAY - timedelta(days=1)), None) == [ChangeKind.ITEM_CLOSED]

    def test_an_answered_item_is_closed_and_one_that_opens_again_arrives_again(self) -> None:
        item = an_item()
        assert self.pair(item, replace(item, state=ItemState.ANSWERED)) == [ChangeKind.ITEM_CLOSED]
        assert self.pair(replace(item, state=ItemState.ANSWERED), item) == [ChangeKind.RFE_RECEIVED]

    def test_an_item_that_arrives_answered_asks_for_nothing(self) -> None:
        assert self.pair(None, an_item(state=ItemState.ANSWERED)) == [ChangeKind.ITEM_CLOSED]


class TestPartialReads:
    def test_what_half_the_sources_did_not_say_is_kept(self) -> None:
        before = settled(a_case(pending=(an_item(key="1"), an_item(key="2"))))
        fresh = a_case(pending=(an_item(key="2"), an_item(key="3")), partial=frozenset({"pending"}))
        assert [(change.kind, change.subject) for change in moved(before, fresh)] == [(ChangeKind.RFE_RECEIVED, "3")]
        after = normalize(before, fresh, vocabulary="uscis")
        assert [item.key for item in after.pending or ()] == ["1", "2", "3"]
        assert after.partial == frozenset()

    def test_half_an_answer_opens_nothing_that_was_answered(self) -> None:
        before = settled(a_case(pending=(an_item(state=ItemState.ANSWERED),)))
        assert moved(before, a_case(pending=(an_item(),), partial=frozenset({"pending"}))) == ()


class TestSeverity:
    @pytest.mark.parametrize(
        "title",
        [
            "Case Was Denied",
            "Case Rejected Because I Sent An Incorrect Fee",
            "Case Closed Benefit Received By Other Means",
        ],
    )
    def test_a_stage_that_ends_badly_is_urgent(self, title: str) -> None:
        (change,) = moved(settled(a_case()), a_case(title))
        assert (change.kind, change.severity) == (ChangeKind.STAGE_CHANGED, Severity.URGENT)

    def test_new_words_in_the_same_stage_are_routine(self) -> None:
        (change,) = moved(settled(a_case(description="one")), a_case(description="two"))
        assert (change.kind, change.severity) == (ChangeKind.STATUS_CHANGED, Severity.ROUTINE)
