"""The trackers' answers, in their own spelling. Fields with names of persons are left out and so never parsed.

Only definite errors are rejected: a missing number, a wrong type, an invalid time. A field that is null or missing is
unknown.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from watcher.errors import UnexpectedAnswer
from watcher.messages import _
from watcher.portals.ircc.account import normalize_number
from watcher.text.json import read_json
from watcher.text.printable import clean

_EARLIEST: Final = datetime(1980, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_MAX_LISTED_PATHS: Final = 3
_LONGEST_PATH: Final = 80


def _moment(value: object) -> datetime | None:
    """Parse ISO 8601 (immigration tracker) or Unix time in milliseconds (citizenship tracker). Aware, UTC."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("must be a time")
    try:
        moment = _from_text(value) if isinstance(value, str) else datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError("must be a time") from None
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError("must be a time between 1980 and 2100")
    return moment


def _from_text(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Moment: TypeAlias = Annotated[datetime, BeforeValidator(_moment)]
MaybeMoment: TypeAlias = Annotated[datetime | None, BeforeValidator(_moment)]


def _number(value: object) -> object:
    return normalize_number(value) if isinstance(value, str) else value


class _Answer(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)


class Bilingual(_Answer):
    """A text in English and French."""

    en: str | None = None
    fr: str | None = None


Text: TypeAlias = Bilingual | str | None
Number: TypeAlias = Annotated[str, BeforeValidator(_number), Field(pattern=r"^[A-Z]{1,3}[0-9]{7,10}$")]
"""A complete application number, normalized."""


class Application(_Answer):
    """An entry of the list of applications."""

    number: str = Field(validation_alias=AliasChoices("appNum", "appNumber", "applicationNumber"), min_length=1)
    """As the tracker spells it, for the request of the details."""
    app_type: str | None = Field(None, validation_alias="appType")
    uci: str | None = None
    tasks: int | None = None


class Profile(_Answer):
    """The answer to `get-profile-summary`."""

    apps: list[Application]


class ImmigrationAction(_Answer):
    """A request of the immigration tracker. No example has been published; any of these fields may be missing."""

    id: str | int | None = None
    key: str | None = None
    activity: str | None = None
    title: Text = None
    content: Text = None


class Event(_Answer):
    """An entry of the immigration tracker's history. `created` is the time of the event, not of its publication."""

    key: str = Field(min_length=1)
    created: Moment = Field(validation_alias="dateCreated")
    status: int | None = Field(None, validation_alias="actStatus")


class Relation(_Answer):
    """A person in an immigration application. The principal applicant has been observed with `role` 1."""

    uci: str | None = None
    role: int | None = None
    medical_until: MaybeMoment = Field(None, validation_alias="imeExpiry")
    activities: dict[str, str | None] | None = None
    history: list[Event] | None = None
    actions: list[ImmigrationAction] | None = None


class App(_Answer):
    """The application itself at the immigration tracker. `dateRecieved` is the portal's own spelling."""

    number: Number = Field(validation_alias=AliasChoices("appNum", "appNumber", "applicationNumber"))
    lob: str | None = None
    status: str | None = None
    updated: MaybeMoment = Field(None, validation_alias=AliasChoices("lastUpdated", "lastUpdatedTime"))
    received: MaybeMoment = Field(None, validation_alias=AliasChoices("dateRecieved", "dateReceived"))


class ImmigrationDetails(_Answer):
    """The immigration tracker's answer to `get-application-details`."""

    app: App
    relations: list[Relation] | None = None


class Activity(_Answer):
    """A part of a citizenship application."""

    activity: str = Field(min_length=1)
    status: str | None = None


class CitizenshipEvent(_Answer):
    """An entry of the citizenship tracker's history. `isNew` only tells whether the user opened the page."""

    time: Moment
    type: str = Field(min_length=1)
    activity: str | None = None
    title: Text = None
    text: Text = None


class Title(_Answer):
    """The title of a citizenship action. The English title identifies the action."""

    en: str = Field(min_length=1)
    fr: str | None = None


class CitizenshipAction(_Answer):
    """A request of the citizenship tracker."""

    activity: str = Field(min_length=1)
    title: Title
    content: Text = None


class CitizenshipDetails(_Answer):
    """The citizenship tracker's answer to `get-application-details`."""

    number: Number = Field(validation_alias=AliasChoices("applicationNumber", "appNumber", "appNum"))
    status: str | None = None
    updated: MaybeMoment = Field(None, validation_alias=AliasChoices("lastUpdatedTime", "lastUpdated"))
    activities: list[Activity] | None = None
    actions: list[CitizenshipAction] | None = None
    history: list[CitizenshipEvent] | None = None


_Shape = TypeVar("_Shape", bound=_Answer)


def read_profile(body: bytes) -> Profile:
    """Parse the list of applications. Raises `UnexpectedAnswer`."""
    return _validate(Profile, "get-profile-summary", read_json(body))


def read_details(body: bytes) -> ImmigrationDetails | CitizenshipDetails:
    """Parse one application of either tracker. Raises `UnexpectedAnswer`."""
    answer = read_json(body)
    if isinstance(answer, dict) and "app" in answer:
        return _validate(ImmigrationDetails, "get-application-details", answer)
    return _validate(CitizenshipDetails, "get-application-details", answer)


def _validate(shape: type[_Shape], endpoint: str, answer: Any) -> _Shape:
    try:
        return shape.model_validate(answer)
    except ValidationError as error:
        paths = [".".join(map(str, item["loc"])) or _("the whole answer") for item in error.errors(include_input=False)]
        listed = ", ".join(clean(path)[:_LONGEST_PATH] for path in paths[:_MAX_LISTED_PATHS])
        raise UnexpectedAnswer(
            _("the answer to {endpoint} has an unknown format: {listed}", endpoint=endpoint, listed=listed)
        ) from None
