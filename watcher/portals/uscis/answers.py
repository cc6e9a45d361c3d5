"""The answers of my.uscis.gov, in the portal's own spelling.

The shapes are undocumented; they are those of recordings that others published (facts of August 2026, four forms).
Fields that the program reads are checked strictly by type, so that a changed shape is noticed; other fields are
ignored. A missing list is None (not stated), which differs from an empty list.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from watcher.errors import UnexpectedAnswer
from watcher.language.uscis_wording import ONLINE_RECEIPT, is_online_receipt
from watcher.messages import _
from watcher.model.appointment_time import AppointmentTime, parse_appointment_time
from watcher.text.json import read_json


def _timestamp(value: object) -> object:
    """Parse ISO 8601. The portal writes `Z` or `+0000`; a time without a zone is taken as UTC too."""
    if not isinstance(value, str):
        return value
    moment = datetime.fromisoformat(value)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _day(value: object) -> object:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _american_day(value: object) -> object:
    """Parse `MM-DD-YYYY HH:mm:ss`. The time is always midnight, so the result is a day."""
    return datetime.strptime(value, "%m-%d-%Y %H:%M:%S").date() if isinstance(value, str) else value  # noqa: DTZ007


def _appointment_time(value: object) -> object:
    """Parse the time of an appointment. `Z` is true: a notice that says 3:00 PM Eastern arrives as 19:00Z.

    Midnight stands for a day without a time (caselens, CHANGELOG 1.3.2 and 1.14.1).
    """
    return parse_appointment_time(value) if isinstance(value, str) else value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty")
    return value


def utc_day(moment: datetime | None) -> date | None:
    """Return the day of a timestamp."""
    return None if moment is None else moment.date()


Text = Annotated[str, AfterValidator(_not_blank)]
Timestamp = Annotated[datetime, BeforeValidator(_timestamp)]
Day = Annotated[date, BeforeValidator(_day)]
AmericanDay = Annotated[date, BeforeValidator(_american_day)]
When = Annotated[AppointmentTime, BeforeValidator(_appointment_time)]
ReceiptNumber = Annotated[str, Field(pattern=rf"^{ONLINE_RECEIPT}$")]


class _Answer(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, extra="ignore", strict=True, frozen=True, hide_input_in_errors=True
    )


class Event(_Answer):
    """An event of a case: `createdAt...` is when it was recorded, `event...` is the time assigned to it."""

    event_id: Text
    event_code: Text
    created_at_timestamp: Timestamp | None = None
    event_timestamp: Timestamp | None = None
    event_date_time: Day | None = None

    @property
    def day(self) -> date | None:
        """The day assigned to the event, else the day it was recorded."""
        moment = self.event_timestamp or self.event_date_time or self.created_at_timestamp
        return moment.date() if isinstance(moment, datetime) else moment

    @property
    def recorded_on(self) -> date | None:
        """The day on which the event was recorded, if the portal states it."""
        return utc_day(self.created_at_timestamp)


class Letter(_Answer):
    """An entry of `notices`."""

    letter_id: Text
    action_type: Text
    generation_date: Timestamp | None = None
    appointment_date_time: When | None = None


class EvidenceRequest(_Answer):
    """An entry of `evidenceRequests`. Answered requests stay in the list.

    `is_responded_to` is required: a guess could show an answered request as open, or the reverse.
    """

    notice_id: str | None = None
    letter_id: str | None = None
    is_responded_to: bool
    finalized: bool | None = None

    @property
    def id(self) -> str:
        """The portal's ID of the request, or an empty string."""
        return self.notice_id or self.letter_id or ""

    @property
    def is_open(self) -> bool:
        """Whether the request still has to be answered."""
        return not self.is_responded_to and not self.finalized


class Case(_Answer):
    """The answer of `cases/RECEIPT`."""

    receipt_number: ReceiptNumber
    form_type: Text | None = None
    form_name: Text | None = None
    submission_date: Day | None = None
    updated_at: Day | None = None
    updated_at_timestamp: Timestamp | None = None
    closed: bool | None = None
    action_required: bool | None = None
    evidence_requests: list[EvidenceRequest] | None = None
    notices: list[Letter] | None = None
    events: list[Event] | None = None


class EarlierStatus(_Answer):
    """An entry of `historicalCaseStatuses`."""

    date: AmericanDay
    status_title: Text
    status_title_spanish: str | None = None
    action_code: str | None = None


class Status(_Answer):
    """The answer of `case_status/RECEIPT`. Its texts are HTML."""

    receipt_number: ReceiptNumber
    form_type: Text | None = None
    status_title: Text
    status_text: str | None = None
    status_title_spanish: str | None = None
    status_text_spanish: str | None = None
    current_action_code: str | None = None
    current_action_code_date: Timestamp | None = None
    jurisdiction: str | None = None
    jurisdiction_description: str | None = None
    historical_case_statuses: list[EarlierStatus] | None = None


class Document(_Answer):
    """An entry of `cases/RECEIPT/documents`. The file name is not read because it contains people's names."""

    content_id: Text
    type: Text
    create_date: Timestamp | None = None
    source_type: str | None = None

    @property
    def by_uscis(self) -> bool:
        """Whether USCIS made the document. The applicant's own documents do not show what USCIS requests."""
        return self.source_type != "Applicant Provided"


_DOCUMENTS = TypeAdapter(list[Document])
_T = TypeVar("_T", bound=BaseModel)


def read_case(body: bytes) -> Case:
    """Parse the answer of `cases/RECEIPT`. Raises `UnexpectedAnswer`."""
    return _validate(Case, unwrap(body, "case"), "case")


def read_status(body: bytes) -> Status:
    """Parse the answer of `case_status/RECEIPT`. Raises `UnexpectedAnswer`."""
    return _validate(Status, unwrap(body, "status"), "status")


def read_documents(body: bytes) -> list[Document]:
    """Parse the answer of `cases/RECEIPT/documents`, with or without its envelope. Raises `UnexpectedAnswer`."""
    try:
        return _DOCUMENTS.validate_python(unwrap(body, "documents"))
    except ValidationError as error:
        raise _unexpected("documents", error) from None


def unwrap(body: bytes, answer: str) -> Any:
    """Return the content of the envelope `{"data": ...}`. Raises `UnexpectedAnswer` if it is empty."""
    data = read_json(body)
    if isinstance(data, dict):
        data = data.get("data")
    if data is None:
        raise UnexpectedAnswer(_('USCIS online account: the {answer} answer has no "data"', answer=answer))
    return data


def embedded_cases(case: object) -> Mapping[str, Any]:
    """Return the complete cases inside an unwrapped case answer (`concurrentCases`), by receipt number."""
    entries = case.get("concurrentCases") if isinstance(case, dict) else None
    return {
        entry["receiptNumber"]: entry
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict) and is_online_receipt(entry.get("receiptNumber"))
    }


def _validate(model: type[_T], data: object, answer: str) -> _T:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _unexpected(answer, error) from None


def _unexpected(answer: str, error: ValidationError) -> UnexpectedAnswer:
    """Name the path of the first error, never the value."""
    first = error.errors(include_input=False, include_url=False)[0]
    path = ".".join(str(step) for step in first["loc"]) or _("the whole answer")
    return UnexpectedAnswer(
        _(
            "USCIS online account: {path} in the {answer} answer has an unknown format ({type})",
            path=path,
            answer=answer,
            type=first["type"],
        )
    )
