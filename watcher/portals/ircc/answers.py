"""What the two trackers answer, in their own spelling. Nothing here names a person: names are never read.

Only what is wrong for certain is refused: a missing number, another type, a time that is none. What is null or left
out was not said.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from watcher.errors import UnexpectedAnswer
from watcher.text.json import read_json

_EARLIEST: Final = datetime(1980, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_MOST_SHOWN: Final = 3
_LONGEST_PLACE: Final = 80


def _moment(value: object) -> datetime | None:
    """ISO 8601 (the immigration tracker) or milliseconds of Unix time (the citizenship tracker); aware, UTC."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("a time is wanted")
    try:
        moment = _from_text(value) if isinstance(value, str) else datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError("a time is wanted") from None
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError("a time of this century is wanted")
    return moment


def _from_text(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Moment: TypeAlias = Annotated[datetime, BeforeValidator(_moment)]
MaybeMoment: TypeAlias = Annotated[datetime | None, BeforeValidator(_moment)]


class _Answer(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)


class Bilingual(_Answer):
    """A text in both languages."""

    en: str | None = None
    fr: str | None = None


Text: TypeAlias = Bilingual | str | None
Number: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z]{1,3}[0-9]{7,10}$")]
"""An application number; half of one is none."""


class Application(_Answer):
    """One line of the list of applications."""

    number: str = Field(validation_alias=AliasChoices("appNum", "appNumber", "applicationNumber"), min_length=1)
    app_type: str | None = Field(None, validation_alias="appType")
    uci: str | None = None
    tasks: int | None = None


class Profile(_Answer):
    """The answer to `get-profile-summary`."""

    apps: list[Application]


class ImmigrationAction(_Answer):
    """Something the immigration tracker asks for. Nobody has published one; it may have any of these, or none."""

    id: str | int | None = None
    key: str | None = None
    activity: str | None = None
    title: Text = None
    content: Text = None


class Event(_Answer):
    """One line of the immigration tracker's history. `created` is when it happened, not when the page showed it."""

    key: str = Field(min_length=1)
    created: Moment = Field(validation_alias="dateCreated")
    status: int | None = Field(None, validation_alias="actStatus")


class Relation(_Answer):
    """One person of an immigration application. `role` 1 is seen on the principal applicant."""

    uci: str | None = None
    role: int | None = None
    medical_until: MaybeMoment = Field(None, validation_alias="imeExpiry")
    activities: dict[str, str | None] | None = None
    history: list[Event] | None = None
    actions: list[ImmigrationAction] | None = None


class App(_Answer):
    """The application itself, as the immigration tracker has it. `dateRecieved` is the portal's own spelling."""

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
    """One part of a citizenship application."""

    activity: str = Field(min_length=1)
    status: str | None = None


class CitizenshipEvent(_Answer):
    """One line of the citizenship tracker's history. `isNew` only says whether the page was looked at."""

    time: Moment
    type: str = Field(min_length=1)
    activity: str | None = None
    title: Text = None
    text: Text = None


class Title(_Answer):
    """What an action of the citizenship tracker is called; the English title is what it is known by."""

    en: str = Field(min_length=1)
    fr: str | None = None


class CitizenshipAction(_Answer):
    """Something the citizenship tracker asks for."""

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
    """The list of applications. Raises `UnexpectedAnswer`."""
    return _checked(Profile, "get-profile-summary", read_json(body))


def read_details(body: bytes) -> ImmigrationDetails | CitizenshipDetails:
    """One application, of whichever tracker it is. Raises `UnexpectedAnswer`."""
    answer = read_json(body)
    if isinstance(answer, dict) and "app" in answer:
        return _checked(ImmigrationDetails, "get-application-details", answer)
    return _checked(CitizenshipDetails, "get-application-details", answer)


def _checked(shape: type[_Shape], endpoint: str, answer: Any) -> _Shape:
    try:
        return shape.model_validate(answer)
    except ValidationError as error:
        places = [".".join(map(str, fault["loc"])) or "the whole" for fault in error.errors(include_input=False)]
        shown = ", ".join(place[:_LONGEST_PLACE] for place in places[:_MOST_SHOWN])
        raise UnexpectedAnswer(f"the answer to {endpoint} is not in the known shape: {shown}") from None
