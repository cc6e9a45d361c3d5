"""Which differences between two snapshots of a case are changes, and which are not."""

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import snapshots as some
from tests.support.snapshots import COLLECTIONS, NUMBER, PLAIN, full_snapshots, kind_of_entries, snapshots
from watcher.language.status_meaning import meaning_of
from watcher.model.appointment_time import Day, Moment
from watcher.model.case import STATUS_FIELDS, ItemKind, ItemState, Notice, PendingItem, Snapshot, Stage
from watcher.model.change import Change, ChangeKind, Json, Severity, severity_of
from watcher.reading.diff import diff
from watcher.reading.normalize import normalize
from watcher.store.queries.snapshot_json import decode, encode

few = settings(max_examples=20, deadline=None)
TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")
RFE = "Request for Initial Evidence Was Sent"
ANSWERED = "Response To USCIS' Request For Evidence Was Received"
REVIEW = "Case Is Being Actively Reviewed By USCIS"
NOT_COMPARED = {
    "case_number": "identifies the case",
    "language": "another language is not a change",
    "stage": "derived from the status by our own rules",
    "silent": "describes the check, not the case",
    "answered_sources": "describes the checks, not the case",
}
NOT_COMPARED_IN_ENTRIES = {
    "key": "identifies the entry",
    "due_by_estimate": "computed by our own rules",
    "kind": "another kind under the same id is another item",
    "state": "whether an item opens again depends on the status; see TestAppointmentsAndItems",
    "asked_on": "found out by our own rules",
    "portal_id": "identifies the entry",
    "list_key": "identifies the entry",
    "sources": "describes the answers, not the entry",
    "source": "describes the answers, not the entry",
}


def normalized(fresh: Snapshot) -> Snapshot:
    return normalize(None, fresh, vocabulary="uscis")


def with_field(snapshot: Snapshot, name: str, value: Any) -> Snapshot:
    values: dict[str, Any] = {name: value}
    return replace(snapshot, **values)


def changes_between(before: Snapshot | None, after: Snapshot) -> tuple[Change, ...]:
    """Return the changes that a check finds: `before` is the stored snapshot, `after` the fresh one."""
    return diff(before, normalize(before, after, vocabulary="uscis"), now=NOW, zone=UTC_ZONE, vocabulary="uscis")


def kinds(changes: tuple[Change, ...]) -> list[ChangeKind]:
    return [change.kind for change in changes]


def a_case(status: str | None = REVIEW, **values: Any) -> Snapshot:
    return Snapshot(case_number=NUMBER, status=status, stage=meaning_of(status or "").stage, **values)


def without_values(names: set[str]) -> dict[str, Any]:
    return dict.fromkeys(names)


def an_item(kind: ItemKind = ItemKind.RFE, key: str = "item-1", **values: Any) -> PendingItem:
    return PendingItem(key=key, kind=kind, title="Something is asked for", **values)


class TestNoChange:
    @few
    @given(snapshots())
    def test_equal_snapshots_give_no_change(self, fresh: Snapshot) -> None:
        before = normalized(fresh)
        assert changes_between(before, fresh) == ()
        assert normalize(before, fresh, vocabulary="uscis") == before

    @few
    @given(snapshots(), st.randoms(use_true_random=False))
    def test_the_order_of_entries_is_not_a_change(self, fresh: Snapshot, random: Any) -> None:
        shuffled: dict[str, Any] = {}
        for name in COLLECTIONS:
            entries = getattr(fresh, name)
            if entries is not None:
                shuffled[name] = tuple(random.sample(entries, len(entries)))
        assert changes_between(normalized(fresh), replace(fresh, **shuffled)) == ()

    @few
    @given(snapshots(), st.sets(st.sampled_from((*PLAIN, *COLLECTIONS))))
    def test_omitted_fields_keep_their_values(self, fresh: Snapshot, omitted: set[str]) -> None:
        if omitted & {"status", "status_key", "description"}:
            omitted |= {"status", "status_key", "description", "status_since"}
        before = normalized(fresh)
        assert changes_between(before, replace(fresh, **without_values(omitted))) == ()

    @few
    @given(full_snapshots(), st.data())
    def test_a_field_that_had_no_value_before_is_not_a_change(self, fresh: Snapshot, data: st.DataObject) -> None:
        """Except for the status itself, its day, and what it asks for: the day decides which request is meant."""
        asked = {"status", "status_since", "status_updated_on", "pending"}
        names = [name for name in (*PLAIN, *COLLECTIONS) if name not in asked]
        unknown = data.draw(st.sets(st.sampled_from(names)))
        assert changes_between(normalized(replace(fresh, **without_values(unknown))), fresh) == ()

    @few
    @given(full_snapshots(), st.data())
    def test_a_field_that_an_older_release_did_not_store_is_not_a_change(
        self, fresh: Snapshot, data: st.DataObject
    ) -> None:
        before = normalized(fresh)
        document = json.loads(encode(before))
        candidates = list(_removable_keys(document))
        for place, key in data.draw(st.lists(st.sampled_from(candidates), max_size=5, unique_by=str)):
            del place[key]
        assert changes_between(decode(json.dumps(document), fallback=fresh), fresh) == ()

    def test_the_same_texts_in_another_language_are_not_a_change(self) -> None:
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
        assert changes_between(normalized(english), spanish) == ()
        assert changes_between(normalized(spanish), english) == ()

    def test_a_request_in_another_language_is_not_a_second_request(self) -> None:
        english = a_case(RFE, description="We asked.", status_since=date(2026, 3, 1))
        spanish = replace(english, language="es", status="Pedimos", status_key=RFE, description="Le pedimos.")
        assert changes_between(normalized(english), spanish) == ()

    def test_a_change_is_detected_when_the_language_changes_too(self) -> None:
        spanish = a_case("Caso Aprobado", language="es", status_key="Case Was Approved")
        assert kinds(changes_between(normalized(a_case(REVIEW)), replace(spanish, stage=Stage.APPROVED))) == [
            ChangeKind.STAGE_CHANGED
        ]

    @few
    @given(snapshots(), st.sampled_from(Stage))
    def test_another_stage_for_the_same_text_is_not_a_change(self, fresh: Snapshot, stage: Stage) -> None:
        assert changes_between(replace(normalized(fresh), stage=stage), fresh) == ()

    def test_another_stage_for_the_same_text_is_not_reported_with_other_changes(self) -> None:
        before = replace(normalized(a_case(REVIEW, notices=())), stage=Stage.UNKNOWN)
        fresh = a_case(REVIEW, notices=(Notice(key="n", title="A letter"),))
        assert kinds(changes_between(before, fresh)) == [ChangeKind.NOTICE_ADDED]


def _removable_keys(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield every key at every level that a newer release might have added: all except identifying ones."""
    for name, value in document.items():
        if name not in {"case_number", "stage", "status", "status_key", "pending"}:
            yield document, name
        if isinstance(value, list):
            for entry in (entry for entry in value if isinstance(entry, dict)):
                yield from ((entry, key) for key in entry if key not in {"key", "kind", "title"})


class TestEveryFieldCausesAChange:
    @pytest.mark.parametrize("name", [field.name for field in fields(Snapshot) if field.name not in NOT_COMPARED])
    @few
    @given(data=st.data())
    def test_for_a_snapshot(self, name: str, data: st.DataObject) -> None:
        before = normalized(data.draw(full_snapshots()))
        old = getattr(before, name)
        new = data.draw(some.present_values(name).filter(lambda value: value and _differs(old, value)))
        after = with_field(before, name, new)
        if name == "status":
            after = replace(after, status_key=None)
        changes = changes_between(before, replace(after, stage=meaning_of(after.status_title).stage))
        assert changes
        assert all(change.case_number == NUMBER for change in changes)

    @pytest.mark.parametrize(
        ("collection", "name"),
        [
            (collection, field.name)
            for collection in COLLECTIONS
            for field in fields(kind_of_entries(collection) or Snapshot)
            if field.name not in NOT_COMPARED_IN_ENTRIES
        ],
    )
    @few
    @given(data=st.data())
    def test_for_an_entry(self, collection: str, name: str, data: st.DataObject) -> None:
        before = normalized(data.draw(full_snapshots()))
        entry = next(entry for entry in getattr(before, collection) if entry.key == "a")
        values = some.values(kind_of_entries(collection), name).filter(lambda value: value != getattr(entry, name))
        other = replace(entry, **{name: data.draw(values)})
        changes = changes_between(before, with_field(before, collection, (other,)))
        assert [change.subject for change in changes] == [entry.key]

    def test_exempt_fields_still_exist(self) -> None:
        """An exemption must be removed with its field."""
        assert NOT_COMPARED.keys() <= {field.name for field in fields(Snapshot)}
        assert NOT_COMPARED_IN_ENTRIES.keys() <= {field.name for kind in some.ENTRIES for field in fields(kind)}


def _differs(old: Any, new: Any) -> bool:
    """Return whether the values differ in more than what our own rules compute."""
    return bool(_without_own_fields(old) != _without_own_fields(new))


def _without_own_fields(value: Any) -> Any:
    """Return the entries by key, without what our own rules found out about them."""
    if not isinstance(value, tuple):
        return value
    return {
        entry.key: replace(entry, due_by_estimate=None, list_key=None) if isinstance(entry, PendingItem) else entry
        for entry in value
    }


class TestChangesIfAndOnlyIfSomethingDiffers:
    @few
    @given(snapshots(), snapshots())
    def test_for_any_two_snapshots(self, first: Snapshot, second: Snapshot) -> None:
        before = normalized(first)
        after = normalize(before, second, vocabulary="uscis")
        changes = diff(before, after, now=NOW, zone=UTC_ZONE, vocabulary="uscis")
        assert bool(changes) is _anything_differs(before, after)
        assert len({(change.kind, change.subject) for change in changes}) == len(changes)

    @few
    @given(snapshots(), snapshots())
    def test_a_change_is_reported_once(self, first: Snapshot, second: Snapshot) -> None:
        after = normalize(normalized(first), second, vocabulary="uscis")
        assert changes_between(after, second) == ()

    @few
    @given(snapshots(), snapshots())
    def test_a_silent_update_is_the_only_change(self, first: Snapshot, second: Snapshot) -> None:
        result = kinds(changes_between(normalized(first), second))
        assert ChangeKind.SILENT_UPDATE not in result or result == [ChangeKind.SILENT_UPDATE]


def _anything_differs(before: Snapshot, after: Snapshot) -> bool:
    """Answer the same question in the simplest way: does any field with an earlier value differ?

    Without an earlier status, its text and date do not count: the three belong together. A bad end counts, and so does
    what is open and ahead where no list of items was known before.
    """
    if before.pending is None and any(item.is_open and not _is_over(item) for item in after.pending or ()):
        return True
    ends_badly = severity_of(ChangeKind.STAGE_CHANGED, after.stage) is Severity.URGENT
    if before.status is None and before.stage is not after.stage and ends_badly:
        return True
    ignored = set(STATUS_FIELDS if before.status is None else ()) | NOT_COMPARED.keys()
    names = [field.name for field in fields(Snapshot) if field.name not in ignored]
    return any(
        getattr(before, name) is not None and _differs(getattr(before, name), getattr(after, name)) for name in names
    )


def _is_over(item: PendingItem) -> bool:
    return item.starts_at is not None and item.starts_at.is_over(NOW, UTC_ZONE)


class TestBaseline:
    def test_only_the_case_and_its_open_items_are_reported(self) -> None:
        fresh = a_case(
            pending=(
                an_item(key="1"),
                an_item(ItemKind.INTENT_TO_DENY, key="2", due_on=TODAY),
                an_item(ItemKind.INTERVIEW, key="3", starts_at=Day(TODAY + timedelta(days=9))),
                an_item(ItemKind.FEE, key="4"),
                an_item(ItemKind.RFE, key="5", state=ItemState.ANSWERED),
                an_item(ItemKind.BIOMETRICS, key="6", starts_at=Day(TODAY - timedelta(days=1))),
                an_item(ItemKind.RFE, key="7", due_on=TODAY - timedelta(days=1)),
            ),
            notices=(Notice(key="n", title="A letter"),),
        )
        assert [(change.kind, change.subject) for change in changes_between(None, fresh)] == [
            (ChangeKind.CASE_ADDED, None),
            (ChangeKind.RFE_RECEIVED, "1"),
            (ChangeKind.INTENT_TO_DENY_RECEIVED, "2"),
            (ChangeKind.APPOINTMENT_SCHEDULED, "3"),
            (ChangeKind.ITEM_ADDED, "4"),
            (ChangeKind.RFE_RECEIVED, "7"),
        ]

    @few
    @given(snapshots())
    def test_any_snapshot_gives_case_added_and_open_items_only(self, fresh: Snapshot) -> None:
        first, *others = changes_between(None, fresh)
        assert (first.kind, first.severity) == (ChangeKind.CASE_ADDED, Severity.ROUTINE)
        open_keys = {item.key for item in normalized(fresh).pending or () if item.state is ItemState.OPEN}
        assert {change.subject for change in others} <= open_keys

    def test_a_first_status_is_not_a_change_except_for_what_it_asks_for(self) -> None:
        assert kinds(changes_between(normalized(a_case(None)), a_case("Case Was Approved"))) == []
        assert kinds(changes_between(normalized(a_case(None)), a_case(RFE))) == [ChangeKind.RFE_RECEIVED]

    def test_a_first_status_that_ends_the_case_badly_is_urgent(self) -> None:
        denied = a_case("Case Was Denied")
        (change,) = changes_between(normalized(a_case(None)), denied)
        assert (change.kind, change.severity) == (ChangeKind.STAGE_CHANGED, Severity.URGENT)
        assert changes_between(normalized(denied), denied) == ()


class TestItemsFromAStatus:
    def asked(self, **values: Any) -> Snapshot:
        return a_case(RFE, form="I-485", status_since=date(2026, 3, 1), description="We asked for evidence.", **values)

    def test_a_request_is_an_open_item_with_an_estimated_due_date(self) -> None:
        before = normalized(a_case(form="I-485"))
        changes = changes_between(before, self.asked())
        assert kinds(changes) == [ChangeKind.RFE_RECEIVED, ChangeKind.STAGE_CHANGED]
        assert changes[0].severity is Severity.URGENT
        (item,) = normalize(before, self.asked(), vocabulary="uscis").pending or ()
        assert (item.kind, item.state, item.title) == (ItemKind.RFE, ItemState.OPEN, RFE)
        assert (item.due_on, item.due_by_estimate) == (None, date(2026, 3, 1) + timedelta(weeks=12))

    def test_an_answered_status_marks_the_item_as_answered(self) -> None:
        before = normalized(self.asked())
        after = normalize(before, a_case(ANSWERED), vocabulary="uscis")
        assert [item.state for item in after.pending or ()] == [ItemState.ANSWERED]
        assert kinds(changes_between(before, a_case(ANSWERED))) == [ChangeKind.ITEM_CLOSED, ChangeKind.STAGE_CHANGED]

    def test_an_answered_item_stays_answered_when_the_case_continues(self) -> None:
        answered = normalize(normalized(self.asked()), a_case(ANSWERED), vocabulary="uscis")
        assert kinds(changes_between(answered, a_case("Case Was Approved"))) == [ChangeKind.STAGE_CHANGED]

    def test_the_end_of_the_case_closes_the_item(self) -> None:
        before = normalized(self.asked())
        assert kinds(changes_between(before, a_case("Case Was Approved"))) == [
            ChangeKind.ITEM_CLOSED,
            ChangeKind.STAGE_CHANGED,
        ]
        (item,) = normalize(before, a_case("Case Was Approved"), vocabulary="uscis").pending or ()
        assert item.state is ItemState.CLOSED

    @pytest.mark.parametrize("title", [REVIEW, "Name Was Updated", "Something that no rule knows"])
    def test_a_status_that_answers_nothing_leaves_the_item_open(self, title: str) -> None:
        before = normalized(self.asked())
        back = normalize(before, a_case(title), vocabulary="uscis")
        assert [item.state for item in back.pending or ()] == [ItemState.OPEN]
        assert kinds(changes_between(back, self.asked())) in (
            [ChangeKind.STAGE_CHANGED],
            [ChangeKind.STATUS_CHANGED],
        )

    def test_a_second_request_on_another_day_is_a_second_item(self) -> None:
        second = replace(self.asked(), status_since=date(2026, 6, 1), description="We asked for more evidence.")
        result = kinds(changes_between(normalized(self.asked()), second))
        assert result == [ChangeKind.RFE_RECEIVED, ChangeKind.STATUS_CHANGED]

    @pytest.mark.parametrize(
        "changed", [{"status_since": date(2026, 3, 9)}, {"description": "We have asked you for evidence."}]
    )
    def test_a_new_date_or_a_new_text_alone_is_not_a_second_request(self, changed: Any) -> None:
        changes = changes_between(normalized(self.asked()), replace(self.asked(), **changed))
        assert kinds(changes) == [ChangeKind.STATUS_CHANGED]

    def test_a_request_with_an_unknown_title_is_still_a_request(self) -> None:
        changes = changes_between(normalized(a_case()), a_case("Request for Further Evidence Was Mailed"))
        assert ChangeKind.RFE_RECEIVED in kinds(changes)

    @pytest.mark.parametrize(
        ("title", "kind"),
        [
            ("Interview Was Scheduled", ItemKind.INTERVIEW),
            ("Biometrics Appointment Was Scheduled", ItemKind.BIOMETRICS),
        ],
    )
    def test_a_scheduled_appointment_is_an_item(self, title: str, kind: ItemKind) -> None:
        before = normalized(a_case())
        assert kinds(changes_between(before, a_case(title))) == [
            ChangeKind.APPOINTMENT_SCHEDULED,
            ChangeKind.STAGE_CHANGED,
        ]
        (item,) = normalize(before, a_case(title), vocabulary="uscis").pending or ()
        assert item.kind is kind

    def test_a_cancelled_interview_is_reported_as_cancelled(self) -> None:
        before = normalized(a_case("Interview Was Scheduled"))
        changes = changes_between(before, a_case("Interview Cancelled"))
        assert ChangeKind.APPOINTMENT_CANCELLED in kinds(changes)

    def test_listing_a_request_that_a_status_made_is_not_a_second_request(self) -> None:
        listed = replace(self.asked(), pending=(an_item(key="rfe-77", due_on=date(2026, 5, 1)),))
        result = [(change.kind, change.subject) for change in changes_between(normalized(self.asked()), listed)]
        assert result == [(ChangeKind.ITEM_CHANGED, "status:rfe:2026-03-01")]


class TestAppointmentsAndItems:
    def kinds_between(self, old: PendingItem | None, new: PendingItem | None) -> list[ChangeKind]:
        before = a_case(pending=() if old is None else (old,))
        return kinds(changes_between(normalized(before), replace(before, pending=() if new is None else (new,))))

    def test_another_time_or_place_changes_an_interview(self) -> None:
        old = an_item(ItemKind.INTERVIEW, starts_at=Moment(datetime(2026, 4, 1, 9, tzinfo=UTC)), place="Room 1")
        assert self.kinds_between(old, replace(old, starts_at=Moment(datetime(2026, 4, 2, 9, tzinfo=UTC)))) == [
            ChangeKind.APPOINTMENT_CHANGED
        ]
        assert self.kinds_between(old, replace(old, place="Room 2")) == [ChangeKind.APPOINTMENT_CHANGED]
        assert self.kinds_between(replace(old, starts_at=None), old) == [ChangeKind.APPOINTMENT_SCHEDULED]

    def test_a_removed_appointment_is_cancelled_if_ahead_and_closed_if_over(self) -> None:
        ahead = an_item(ItemKind.BIOMETRICS, starts_at=Day(TODAY + timedelta(days=1)))
        assert self.kinds_between(ahead, None) == [ChangeKind.APPOINTMENT_CANCELLED]
        assert self.kinds_between(replace(ahead, starts_at=Day(TODAY - timedelta(days=1))), None) == [
            ChangeKind.ITEM_CLOSED
        ]

    def test_an_answered_item_is_closed_and_a_reopened_one_is_new(self) -> None:
        item = an_item()
        assert self.kinds_between(item, replace(item, state=ItemState.ANSWERED)) == [ChangeKind.ITEM_CLOSED]
        assert self.kinds_between(replace(item, state=ItemState.ANSWERED), item) == [ChangeKind.RFE_RECEIVED]

    def test_a_new_item_that_is_already_answered_is_closed(self) -> None:
        assert self.kinds_between(None, an_item(state=ItemState.ANSWERED)) == [ChangeKind.ITEM_CLOSED]


class TestReasons:
    """Why an item is over, and what is said of a new one whose date has passed."""

    def reason(self, before: Snapshot, after: Snapshot) -> Json:
        closed = [one for one in changes_between(normalized(before), after) if one.kind is ChangeKind.ITEM_CLOSED]
        return closed[0].new["reason"] if closed and isinstance(closed[0].new, dict) else None

    def listed(self, status: str = RFE, **values: Any) -> Snapshot:
        asked = an_item(asked_on=date(2026, 1, 20), **values)
        return a_case(status, status_since=date(2026, 2, 1), pending=(asked,))

    def test_a_request_that_left_its_list_is_unlisted(self) -> None:
        before = self.listed(REVIEW)
        assert self.reason(before, replace(before, pending=())) == "unlisted"

    def test_an_answer_is_the_reason_whoever_reports_it(self) -> None:
        before = self.listed()
        answered = an_item(asked_on=date(2026, 1, 20), state=ItemState.ANSWERED)
        assert self.reason(before, replace(before, pending=(answered,))) == "answered"
        assert self.reason(replace(before, pending=None), a_case(ANSWERED)) == "answered"

    @pytest.mark.parametrize(
        "title", ["Case Was Approved", "Case Was Denied", "Withdrawal Acknowledgement Notice Was Sent"]
    )
    def test_the_end_of_the_case_is_a_reason(self, title: str) -> None:
        assert self.reason(self.listed(), a_case(title, status_since=date(2026, 3, 1), pending=())) == "case_ended"

    def test_a_status_may_say_that_nothing_is_outstanding(self) -> None:
        text = "Our records show nothing is outstanding at this time."
        after = a_case(REVIEW, status_since=date(2026, 3, 1), description=text, pending=())
        assert self.reason(self.listed(), after) == "nothing_outstanding"

    def test_an_appointment_whose_time_has_passed_is_no_longer_shown(self) -> None:
        visit = an_item(ItemKind.BIOMETRICS, starts_at=Day(TODAY - timedelta(days=1)))
        assert self.reason(a_case(pending=(visit,)), a_case(pending=())) == "time_passed"

    @pytest.mark.parametrize("before", [None, a_case(pending=())])
    @pytest.mark.parametrize("name", ["due_on", "due_by_estimate"])
    @pytest.mark.parametrize("days", [-3, 0])
    def test_a_new_item_whose_date_has_passed_says_so(self, before: Snapshot | None, name: str, days: int) -> None:
        values: dict[str, Any] = {name: TODAY + timedelta(days=days)}
        item = replace(an_item(), **values)
        change = changes_between(before and normalized(before), a_case(pending=(item,)))[-1]
        assert isinstance(change.new, dict)
        assert (change.kind, change.new.get("is_overdue")) == (ChangeKind.RFE_RECEIVED, True if days < 0 else None)

    def test_an_estimate_on_a_weekend_is_overdue_after_the_next_business_day(self) -> None:
        sunday = TODAY - timedelta(days=1)
        item = replace(an_item(), due_by_estimate=sunday)
        (*_, change) = changes_between(None, a_case(pending=(item,)))
        assert isinstance(change.new, dict)
        assert "is_overdue" not in change.new

    @pytest.mark.parametrize("days", [-1, 0])
    def test_an_appointment_that_is_over_when_first_shown_says_so(self, days: int) -> None:
        visit = an_item(ItemKind.BIOMETRICS, starts_at=Day(TODAY + timedelta(days=days)))
        undated = replace(visit, starts_at=None)
        for before in (a_case(pending=()), a_case(pending=(undated,))):
            (change,) = changes_between(normalized(before), a_case(pending=(visit,)))
            assert isinstance(change.new, dict)
            assert (change.kind, "has_passed" in change.new) == (ChangeKind.APPOINTMENT_SCHEDULED, days < 0)

    def test_a_new_date_alone_is_important(self) -> None:
        before = a_case(status_since=date(2026, 2, 1))
        (change,) = changes_between(normalized(before), replace(before, status_since=date(2026, 2, 7)))
        assert (change.kind, change.severity) == (ChangeKind.STATUS_CHANGED, Severity.IMPORTANT)


class TestSourcesOfEntries:
    """What a list of letters shows when it first answers belongs to the baseline (review A10)."""

    OLD = Notice(key="a", title="Receipt notice", source="case.notices[0]")
    LATE = Notice(key="1:b", title="Request for Initial Evidence Was Sent", source="case.notices[1]")

    def test_a_list_that_answers_for_the_first_time_is_not_news(self) -> None:
        before = normalized(a_case(notices=(self.OLD,), answered_sources=frozenset({self.OLD.source})))
        both = a_case(notices=(self.LATE, self.OLD), answered_sources=frozenset({self.OLD.source, self.LATE.source}))
        assert changes_between(before, both) == ()
        new = Notice(key="c", title="Decision", source=self.LATE.source)
        after = replace(both, notices=(self.LATE, self.OLD, new))
        assert kinds(changes_between(normalize(before, both, vocabulary="uscis"), after)) == [ChangeKind.NOTICE_ADDED]

    def test_entries_of_an_older_release_without_a_source_do_not_hide_a_new_one(self) -> None:
        before = normalized(a_case(notices=(replace(self.OLD, source=""),)))
        after = a_case(notices=(self.LATE, self.OLD), answered_sources=frozenset({self.OLD.source, self.LATE.source}))
        assert [(one.kind, one.subject) for one in changes_between(before, after)] == [
            (ChangeKind.NOTICE_ADDED, self.LATE.key)
        ]


class TestPartialSnapshots:
    def test_items_of_a_missing_source_are_kept(self) -> None:
        before = normalized(a_case(pending=(an_item(key="1"), an_item(key="2"))))
        fresh = a_case(pending=(an_item(key="2"), an_item(key="3")), silent=frozenset({"pending"}))
        assert [(change.kind, change.subject) for change in changes_between(before, fresh)] == [
            (ChangeKind.RFE_RECEIVED, "3")
        ]
        after = normalize(before, fresh, vocabulary="uscis")
        assert [item.key for item in after.pending or ()] == ["1", "2", "3"]
        assert after.silent == frozenset()

    def test_a_partial_answer_does_not_reopen_an_answered_item(self) -> None:
        before = normalized(a_case(pending=(an_item(state=ItemState.ANSWERED),)))
        assert changes_between(before, a_case(pending=(an_item(),), silent=frozenset({"pending"}))) == ()


class TestSeverity:
    @pytest.mark.parametrize(
        "title",
        [
            "Case Was Denied",
            "Case Rejected Because I Sent An Incorrect Fee",
            "Case Closed Benefit Received By Other Means",
        ],
    )
    def test_a_negative_final_stage_is_urgent(self, title: str) -> None:
        (change,) = changes_between(normalized(a_case()), a_case(title))
        assert (change.kind, change.severity) == (ChangeKind.STAGE_CHANGED, Severity.URGENT)

    @pytest.mark.parametrize(
        ("title", "severity"),
        [
            ("Case Was Reopened", Severity.IMPORTANT),
            ("Expedite Request Denied", Severity.IMPORTANT),
            ("Name Was Updated", Severity.ROUTINE),
            ("Case Is On Hold", Severity.URGENT),
            ("Form G-28 Was Rejected Because It Was Improperly Filed", Severity.URGENT),
        ],
    )
    def test_new_words_in_the_same_stage_are_as_severe_as_the_vocabulary_says(
        self, title: str, severity: Severity
    ) -> None:
        (change,) = changes_between(normalized(a_case()), a_case(title))
        assert (change.kind, change.severity) == (ChangeKind.STATUS_CHANGED, severity)

    def test_new_description_under_the_same_title_is_important_but_not_urgent(self) -> None:
        for title in (REVIEW, "Case Is On Hold"):
            (change,) = changes_between(normalized(a_case(title, description="one")), a_case(title, description="two"))
            assert (change.kind, change.severity) == (ChangeKind.STATUS_CHANGED, Severity.IMPORTANT)

    def test_unknown_words_are_urgent_if_they_ask_for_something_else_important(self) -> None:
        asks, other = "Action Required: please upload your passport", "Something USCIS Has Never Said"
        for title, severity in ((asks, Severity.URGENT), (other, Severity.IMPORTANT)):
            change = changes_between(normalized(a_case()), a_case(title))[-1]
            assert (change.kind, change.severity) == (ChangeKind.STAGE_CHANGED, severity)
            change = changes_between(normalized(a_case("Something Else")), a_case(title))[-1]
            assert (change.kind, change.severity) == (ChangeKind.STATUS_CHANGED, severity)
