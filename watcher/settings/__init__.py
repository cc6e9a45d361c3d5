"""What a person can set. The models; `watcher.settings.load` reads them from files, secrets and the environment.

Every key here stands in `config/watcher.example.toml` with its meaning; a test compares the two.
"""

from datetime import timedelta
from pathlib import Path
from types import NoneType
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from watcher.clock.durations import parse_duration
from watcher.clock.quiet_hours import Digest, QuietHours
from watcher.model.case import Stage
from watcher.model.change import ChangeKind, Severity
from watcher.settings.addresses import is_loopback, listening_address, page_address, web_address
from watcher.settings.faults import types_within

MOST_DAYS = 3660
"""No processing time is longer than ten years."""

SHORTEST_TOKEN = 16
"""The fewest characters of a bearer token."""


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int) or (isinstance(value, int) and value != 0):
        raise ValueError('a duration is text: a whole number and a unit, such as "30m", "4h" or "90d"')
    return parse_duration(str(value))


def _zone(value: object) -> ZoneInfo:
    if isinstance(value, ZoneInfo):
        return value
    if not isinstance(value, str):
        raise ValueError('a time zone is text, such as "America/New_York"')
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError('an IANA time zone is wanted, such as "America/New_York" or "Europe/Madrid"') from None


def _positive(span: timedelta) -> timedelta:
    if not span:
        raise ValueError("must be longer than nothing")
    return span


def _quiet_hours(value: object) -> QuietHours | None:
    if value is None or isinstance(value, QuietHours):
        return value
    if not isinstance(value, str):
        raise ValueError('quiet hours are text, such as "22:00-07:00"; leave them empty for none')
    return QuietHours.parse(value) if value.strip() else None


def _digest(value: object) -> Digest | None:
    if value is None or isinstance(value, Digest):
        return value
    if not isinstance(value, str):
        raise ValueError('a digest is text, such as "daily 08:00" or "weekly mon 08:00"; leave it empty for none')
    return Digest.parse(value) if value.strip() else None


def _escalation(value: object) -> timedelta | None:
    return None if value is None or value == "" else _duration(value) or None


def _processing_time(value: object) -> timedelta:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST_DAYS:
        return timedelta(days=value)
    if isinstance(value, str | timedelta):
        return _positive(_duration(value))
    raise ValueError('a processing time is a number of days, such as 420, or a duration, such as "420d"')


def _page(value: SecretStr) -> SecretStr:
    return SecretStr(page_address(value.get_secret_value()))


def _something(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().strip():
        raise ValueError("is empty; give it a value")
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
PositiveDuration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_positive)]
ProcessingTime = Annotated[timedelta, BeforeValidator(_processing_time)]
QuietWindow = Annotated[QuietHours | None, BeforeValidator(_quiet_hours)]
DigestPlan = Annotated[Digest | None, BeforeValidator(_digest)]
Escalation = Annotated[timedelta | None, BeforeValidator(_escalation)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
WebAddress = Annotated[str, AfterValidator(web_address)]


class Section(BaseModel):
    """A part of the configuration: unknown keys are faults, values never show in errors."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
        defer_build=True,  # until a section is first read: many never are
    )

    @field_validator("*", mode="before")
    @classmethod
    def _of_its_own_type(cls, value: object, info: ValidationInfo) -> object:
        """TOML knows truth and numbers; pydantic would also take "yes" for true, and true for 1."""
        wanted = set(types_within(cls.model_fields[info.field_name or ""].annotation)) - {NoneType}
        if wanted == {bool} and not isinstance(value, bool | None):
            raise ValueError("must be true or false, without quotes")
        if wanted == {int} and (isinstance(value, bool) or not isinstance(value, int | None)):
            raise ValueError("must be a whole number, without quotes")
        if wanted == {float} and (isinstance(value, bool) or not isinstance(value, int | float | None)):
            raise ValueError("must be a number, without quotes")
        return value


class ScheduleSettings(Section):
    """When accounts are read."""

    every: PositiveDuration = timedelta(hours=4)
    jitter: Duration = timedelta(minutes=10)
    blind_after: PositiveDuration = timedelta(hours=24)


class StallSettings(Section):
    """How long a stage may stand still; a duration of 0 turns the alert off.

    The threshold of the stage counts before that of the form, that of the form before `after`. `published` holds the
    processing times that the agency publishes, by form, as the user keeps them; what `published_file` says (CSV lines
    of form and days) counts before it.
    """

    after: Duration = timedelta(days=90)
    repeat: PositiveDuration = timedelta(days=30)
    forms: dict[str, Duration] = Field(default_factory=dict)
    stages: dict[Stage, Duration] = Field(default_factory=dict)
    published: dict[str, ProcessingTime] = Field(default_factory=dict)
    published_file: Path | None = None


class DeadlineSettings(Section):
    """How long before a due date to remind."""

    remind: tuple[PositiveDuration, ...] = tuple(timedelta(days=days) for days in (30, 14, 7, 3, 1))


class AppointmentSettings(Section):
    """How long before an appointment to remind."""

    remind: tuple[PositiveDuration, ...] = (timedelta(days=7), timedelta(days=1))


class AccountSettings(Section):
    """What every account has, whatever its portal; each portal adds its own keys in a subclass.

    `name` is the user's own and comes from the section's title. `every` None: as in [schedule].
    """

    name: str
    portal: str
    cases: tuple[str, ...] = ()
    every: PositiveDuration | None = None
    base_url: WebAddress = ""
    ca_file: Path | None = None
    max_sign_ins_per_day: Annotated[int, Field(ge=1, le=24)] = 5
    save_notices: bool = True

    @property
    def min_every(self) -> timedelta | None:
        """The shortest time between two reads where that depends on the account; None: as its portal says."""
        return None

    def credential(self) -> str | None:
        """What would be submitted at sign-in, as one text; its fingerprint tells whether it has changed.

        None where the portal takes no credential. Never stored, never logged.
        """
        return None


class ChannelSettings(Section):
    """One Apprise URL with its rules.

    `max_per_hour` is how many alerts go out one by one; what is beyond is folded into one that lists and counts. 0 is
    no limit.
    """

    name: str
    url: Annotated[SecretStr, AfterValidator(_something)]
    min_severity: Severity = Severity.IMPORTANT
    kinds: frozenset[ChangeKind] = frozenset()
    accounts: frozenset[str] = frozenset()
    quiet_hours: QuietWindow = None
    urgent_breaks_quiet: bool = True
    digest: DigestPlan = None
    privacy: Literal["full", "masked", "minimal"] = "masked"
    attach_notices: bool = False
    escalate_after: Escalation = None
    max_per_hour: Annotated[int, Field(ge=0)] = 30


class BackupSettings(Section):
    """Copies of the database that the daemon takes by itself. `every` None: none. `folder` None: in state_dir."""

    every: Annotated[timedelta | None, BeforeValidator(_escalation)] = None
    keep: Annotated[int, Field(ge=1, le=1000)] = 7
    folder: Path | None = None


class HealthSettings(Section):
    """How others learn that the watcher lives.

    `token` is what whoever asks must bring as a bearer token; an address that other machines reach needs one.
    """

    listen: Annotated[str, AfterValidator(listening_address)] = ""
    token: SecretStr | None = Field(default=None, validate_default=True)
    heartbeat_url: Annotated[SecretStr, AfterValidator(_page)] | None = None

    @field_validator("token")
    @classmethod
    def _needed_where_others_listen(cls, token: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        listen = info.data.get("listen", "")
        if token is None and listen and not is_loopback(f"//{listen}"):
            raise ValueError(
                "is missing; other machines reach the address in listen, so whoever asks must show a token"
            )
        if token is not None and len(token.get_secret_value()) < SHORTEST_TOKEN:
            raise ValueError(f"is too short; take {SHORTEST_TOKEN} characters or more, at random")
        return token


def _machine_zone() -> ZoneInfo:
    import tzlocal  # noqa: PLC0415 - only where the configuration names no time zone

    return ZoneInfo(tzlocal.get_localzone_name() or "UTC")


class Settings(Section):
    """The whole configuration, checked. `state_dir` and `secrets_dir` are settled by the loader.

    `state_key` encrypts what is kept on disk; several, separated by commas or lines, where an old one is still to be
    read: the first one writes.
    """

    timezone: Zone = Field(default_factory=_machine_zone)
    language: Literal["en", "es", "fr"] = "en"
    state_dir: Path
    database_url: SecretStr = SecretStr("")
    secrets_dir: Path | None = None
    keyring: bool = False
    state_key: SecretStr | None = None
    schedule: ScheduleSettings = ScheduleSettings()
    stall: StallSettings = StallSettings()
    deadlines: DeadlineSettings = DeadlineSettings()
    appointments: AppointmentSettings = AppointmentSettings()
    accounts: dict[str, AccountSettings] = Field(default_factory=dict)
    channels: dict[str, ChannelSettings] = Field(default_factory=dict)
    health: HealthSettings = HealthSettings()
    backup: BackupSettings = BackupSettings()
    calendar_file: Path | None = None
