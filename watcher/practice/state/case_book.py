"""The practice portal's cases, changed by tests and by the story. Thread-safe."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from itertools import count
from threading import Lock

from watcher.clock import Clock
from watcher.practice.state.case_record import (
    FORM_NAMES,
    ActionItem,
    CaseEvent,
    CaseNotice,
    CaseRecord,
    Status,
    local_date,
)
from watcher.practice.state.wording import event_of, status_of

RFE_STATUS = "Request for Initial Evidence Was Sent"
RFE_KIND = "Request for Evidence"


class PracticeCase:
    """One case. Its content is `record`, which each method replaces as a whole.

    `at` (aware) is when the portal says that a change happened; the default is now on the portal's clock. Every method
    moves the portal's own timestamp.
    """

    def __init__(self, record: CaseRecord, clock: Clock) -> None:
        """Start with this record."""
        self._record, self._clock, self._lock, self._numbers = record, clock, Lock(), count(1)

    @property
    def record(self) -> CaseRecord:
        """Return the current content."""
        return self._record

    def set_status(
        self, title: str, *, text: str | None = None, at: datetime | None = None, in_history: bool = False
    ) -> None:
        """Set the status title. `text` (HTML) replaces the default description in both languages."""
        key = self._next_key("event")

        def alter(record: CaseRecord, moment: datetime) -> CaseRecord:
            on = local_date(moment)
            status = status_of(title, form=record.form, number=record.number, on=on)
            if text is not None:
                status = replace(status, text_en=text, text_es=text)
            event = event_of(title, key=key, form=record.form, on=on)
            events = (*record.events, event) if in_history else record.events
            return replace(record, status=status, events=events)

        self._alter(alter, at)

    def show_status(self, status: Status, *, at: datetime | None = None) -> None:
        """Set this exact status with text and date, such as an earlier one or an invalid one."""
        self._alter(lambda record, _: replace(record, status=status), at)

    def touch(self, *, at: datetime | None = None) -> None:
        """Change only the portal's own timestamp."""
        self._alter(lambda record, _: record, at)

    def add_item(
        self,
        kind: str,
        title: str,
        *,
        key: str | None = None,
        due_on: date | None = None,
        starts_at: datetime | None = None,
        place: str | None = None,
        at: datetime | None = None,
    ) -> str:
        """Add an item to answer or attend, and return its key. `starts_at` is naive, in the portal's local time."""
        name = key or self._next_key("item")
        item = ActionItem(key=name, kind=kind, title=title, due_on=due_on, starts_at=starts_at, place=place)
        self._alter(lambda record, _: replace(record, items=(*record.items, item)), at)
        return name

    def request_evidence(
        self, *, key: str | None = None, due_on: date | None = None, at: datetime | None = None
    ) -> str:
        """Add an RFE: a status and an item. Returns the item's key."""
        self.set_status(RFE_STATUS, at=at, in_history=True)
        return self.add_item(RFE_KIND, "Send the evidence that the notice asks for", key=key, due_on=due_on, at=at)

    def move_appointment(
        self, key: str, starts_at: datetime, *, place: str | None = None, at: datetime | None = None
    ) -> None:
        """Move an appointment to another time, and to another place if one is given."""
        self._alter_item(
            key, lambda item: replace(item, starts_at=starts_at, place=item.place if place is None else place), at
        )

    def set_due(self, key: str, due_on: date | None, *, at: datetime | None = None) -> None:
        """Change the due date of an item."""
        self._alter_item(key, lambda item: replace(item, due_on=due_on), at)

    def answer_item(self, key: str, *, at: datetime | None = None) -> None:
        """Mark the item as answered. It stays in the list."""
        self._alter_item(key, lambda item: replace(item, answered=True), at)

    def remove_item(self, key: str, *, at: datetime | None = None) -> None:
        """Remove the item from the list, such as a cancelled appointment."""
        self._find_item(key)
        self._alter(
            lambda record, _: replace(record, items=tuple(item for item in record.items if item.key != key)), at
        )

    def add_notice(self, title: str, *, key: str | None = None, at: datetime | None = None) -> str:
        """Add a letter as a PDF, and return its key."""
        name = key or self._next_key("notice")
        self._alter(
            lambda record, moment: replace(
                record, notices=(*record.notices, CaseNotice(key=name, title=title, dated=local_date(moment)))
            ),
            at,
        )
        return name

    def add_event(self, text: str, *, text_es: str | None = None, at: datetime | None = None) -> None:
        """Add a line to the history."""
        key = self._next_key("event")

        def alter(record: CaseRecord, moment: datetime) -> CaseRecord:
            event = CaseEvent(key=key, on=local_date(moment), text_en=text, text_es=text_es or text)
            return replace(record, events=(*record.events, event))

        self._alter(alter, at)

    def _alter(self, alter: Callable[[CaseRecord, datetime], CaseRecord], at: datetime | None) -> None:
        moment = at or self._clock.now()
        with self._lock:
            self._record = replace(alter(self._record, moment), updated_at=moment)

    def _alter_item(self, key: str, alter: Callable[[ActionItem], ActionItem], at: datetime | None) -> None:
        self._find_item(key)

        def apply(record: CaseRecord, _: datetime) -> CaseRecord:
            return replace(record, items=tuple(alter(item) if item.key == key else item for item in record.items))

        self._alter(apply, at)

    def _next_key(self, kind: str) -> str:
        return f"{self._record.number}-{kind}-{next(self._numbers)}"

    def _find_item(self, key: str) -> None:
        if not any(item.key == key for item in self._record.items):
            raise KeyError(f"case {self._record.number} has no item {key}")


class CaseBook:
    """All cases of the portal's account, in the order they were added."""

    def __init__(self, clock: Clock) -> None:
        """Start without cases."""
        self._clock, self._lock, self._cases = clock, Lock(), dict[str, PracticeCase]()

    def add(
        self,
        number: str,
        *,
        form: str = "I-485",
        status: str = "Case Was Received",
        at: datetime | None = None,
        in_history: bool = False,
    ) -> PracticeCase:
        """Add a case, submitted and updated at `at`. A case with the same number is replaced."""
        moment = at or self._clock.now()
        on = local_date(moment)
        record = CaseRecord(
            number=number,
            form=form,
            title=FORM_NAMES.get(form, f"Form {form}"),
            submitted_at=moment,
            updated_at=moment,
            status=status_of(status, form=form, number=number, on=on),
            events=(event_of(status, key=f"{number}-filed", form=form, on=on),) if in_history else (),
        )
        case = PracticeCase(record, self._clock)
        with self._lock:
            self._cases[number] = case
        return case

    def __getitem__(self, number: str) -> PracticeCase:
        """Return the case with this number. Raises KeyError if there is none."""
        with self._lock:
            return self._cases[number]

    def remove(self, number: str) -> PracticeCase:
        """Remove the case, and return it. Raises KeyError if there is none."""
        with self._lock:
            return self._cases.pop(number)

    def put_back(self, case: PracticeCase) -> None:
        """Show a removed case again, as the last one."""
        with self._lock:
            self._cases[case.record.number] = case

    def record(self, number: str) -> CaseRecord | None:
        """Return the current content of a case, or None."""
        with self._lock:
            case = self._cases.get(number)
        return case.record if case else None

    def records(self) -> tuple[CaseRecord, ...]:
        """Return the current content of every case."""
        with self._lock:
            return tuple(case.record for case in self._cases.values())

    def notice(self, key: str) -> tuple[CaseRecord, CaseNotice] | None:
        """Return the notice with this key and its case, or None."""
        found = ((record, notice) for record in self.records() for notice in record.notices if notice.key == key)
        return next(found, None)
