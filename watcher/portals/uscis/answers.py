"""The answers of my.uscis.gov, in the portal's own spelling.

The shapes are undocumented; they are those of recordings that others published (facts of August 2026, four forms).
What is read is strict in type, so that a changed shape is noticed; what is not read is not looked at. An absent list is
None, "the portal did not say", which is not an empty one.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from watcher.errors import UnexpectedAnswer
from watcher.text.json import read_json

RECEIPT = r"IOE[0-9]{10}"
"""The only receipts that the online account serves; paper receipts (EAC, WAC, LIN, SRC, MSC) are not."""


def _timestamp(value: object) -> object:
    """ISO 8601; the portal stamps its times `Z` or `+0000`, and one without a zone is taken to be the same."""
    if not isinstance(value, str):
        return value
    moment = datetime.fromisoformat(value)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _day(value: object) -> object:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _american_day(value: object) -> object:
    """`MM-DD-YYYY HH:mm:ss`, always at midnight: a day."""
    return datetime.strptime(value, "%m-%d-%Y %H:%M:%S").date() if isinstance(value, str) else value  # noqa: DTZ007


def _wall_clock(value: object) -> object:
    """A time whose zone is not to be trusted: the portal stamps `Z` on what may be local time."""
    return datetime.fromisoformat(value).replace(tzinfo=None) if isinstance(value, str) else value


def _something(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty")
    return value


Words = Annotated[str, AfterValidator(_something)]
Timestamp = Annotated[datetime, BeforeValidator(_timestamp)]
Day = Annotated[date, BeforeValidator(_day)]
AmericanDay = Annotated[date, BeforeValidator(_american_day)]
WallClock = Annotated[datetime, BeforeValidator(_wall_clock)]


class _Said(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, extra="ignore", strict=True, frozen=True, hide_input_in_errors=True
    )


class Event(_Said):
    """One line of the case's feed: `createdAt` is when it was written, `event...` the time assigned to it."""

    event_id: Words
    event_code: Words
    created_at_timestamp: Timestamp | None = None
    event_timestamp: Timestamp | None = None
    event_date_time: Day | None = None

    @property
    def day(self) -> date | None:
        """The day assigned to it, else the day it was written."""
        moment = self.event_timestamp or self.event_date_time or self.created_at_timestamp
        return moment.date() if isinstance(moment, datetime) else moment

    @property
    def written(self) -> date | None:
        """The day on which it was written, where the portal says."""
        return self.created_at_timestamp.date() if self.created_at_timestamp else None


class Letter(_Said):
    """One entry of `notices`."""

    letter_id: Words
    action_type: Words
    generation_date: Timestamp | None = None
    appointment_date_time: WallClock | None = None


class EvidenceRequest(_Said):
    """One entry of `evidenceRequests`; answered ones stay in the list.

    Whether it was responded to must be said: guessing would make an open request of an answered one, or the reverse.
    """

    notice_id: str | None = None
    letter_id: str | None = None
    is_responded_to: bool
    finalized: bool | None = None

    @property
    def id(self) -> str:
        """The portal's id of it; empty where it gave none."""
        return self.notice_id or self.letter_id or ""

    @property
    def open(self) -> bool:
        """Whether an answer is still wanted."""
        return not self.is_responded_to and not self.finalized


class Case(_Said):
    """What `cases/RECEIPT` says."""

    receipt_number: Annotated[str, Field(pattern=rf"^{RECEIPT}$")]
    form_type: Words | None = None
    form_name: Words | None = None
    submission_date: Day | None = None
    updated_at: Day | None = None
    updated_at_timestamp: Timestamp | None = None
    closed: bool | None = None
    action_required: bool | None = None
    evidence_requests: list[EvidenceRequest] | None = None
    notices: list[Letter] | None = None
    events: list[Event] | None = None


class EarlierStatus(_Said):
    """One entry of `historicalCaseStatuses`."""

    date: AmericanDay
    status_title: Words
    status_title_spanish: str | None = None
    action_code: str | None = None


class Status(_Said):
    """What `case_status/RECEIPT` says. Texts are HTML."""

    receipt_number: Annotated[str, Field(pattern=rf"^{RECEIPT}$")]
    form_type: Words | None = None
    status_title: Words
    status_text: str | None = None
    status_title_spanish: str | None = None
    status_text_spanish: str | None = None
    current_action_code: str | None = None
    current_action_code_date: Timestamp | None = None
    jurisdiction: str | None = None
    jurisdiction_description: str | None = None
    historical_case_statuses: list[EarlierStatus] | None = None


class Document(_Said):
    """One entry of `cases/RECEIPT/documents`. The file's name is left alone: people's names stand in it."""

    content_id: Words
    type: Words
    create_date: Timestamp | None = None
    source_type: str | None = None

    @property
    def by_uscis(self) -> bool:
        """Whether USCIS made it; what the applicant provided says nothing about what USCIS wants."""
        return self.source_type != "Applicant Provided"


_DOCUMENTS = TypeAdapter(list[Document])
_T = TypeVar("_T", bound=BaseModel)


def read_case(body: bytes) -> Case:
    """The answer of `cases/RECEIPT`. Raises `UnexpectedAnswer`."""
    return _as(Case, content(body, "case"), "case")


def read_status(body: bytes) -> Status:
    """The answer of `case_status/RECEIPT`. Raises `UnexpectedAnswer`."""
    return _as(Status, content(body, "status"), "status")


def read_documents(body: bytes) -> list[Document]:
    """The answer of `cases/RECEIPT/documents`, which comes with and without an envelope. Raises `UnexpectedAnswer`."""
    try:
        return _DOCUMENTS.validate_python(content(body, "documents"))
    except ValidationError as error:
        raise _strange("documents", error) from None


def content(body: bytes, answer: str) -> Any:
    """What is in the envelope `{"data": ...}`. Raises `UnexpectedAnswer` where nothing is."""
    said = read_json(body)
    if isinstance(said, dict):
        said = said.get("data")
    if said is None:
        raise UnexpectedAnswer(f'USCIS online account: the {answer} answer holds no "data"')
    return said


def _as(model: type[_T], said: object, answer: str) -> _T:
    try:
        return model.model_validate(said)
    except ValidationError as error:
        raise _strange(answer, error) from None


def _strange(answer: str, error: ValidationError) -> UnexpectedAnswer:
    """Names the first fault by its place, never by its value."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(step) for step in first["loc"]) or "the whole"
    return UnexpectedAnswer(f"USCIS online account: {place} of the {answer} answer is not as known ({first['type']})")
