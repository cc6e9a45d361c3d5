"""What a person can set. The models; `watcher.settings.load` reads them from files, secrets and the environment.

Every key here stands in `config/watcher.example.toml` with its meaning; a test compares the two.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzlocal
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from watcher.case import Stage
from watcher.change import ChangeKind, Severity
from watcher.durations import parse_duration


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


Duration = Annotated[timedelta, BeforeValidator(_duration)]
PositiveDuration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_positive)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]


class Section(BaseModel):
    """A part of the configuration: unknown keys are faults, values never show in errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True)


class ScheduleSettings(Section):
    """When accounts are read."""

    every: PositiveDuration = timedelta(hours=4)
    jitter: Duration = timedelta(minutes=10)
    blind_after: PositiveDuration = timedelta(hours=24)


class StallSettings(Section):
    """How long a stage may stand still; a duration of 0 turns the alert off."""

    after: Duration = timedelta(days=90)
    repeat: PositiveDuration = timedelta(days=30)
    forms: dict[str, Duration] = Field(default_factory=dict)
    stages: dict[Stage, Duration] = Field(default_factory=dict)


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
    base_url: str = ""
    ca_file: Path | None = None

    def credential(self) -> str | None:
        """What would be submitted at sign-in, as one text; its fingerprint tells whether it has changed.

        None where the portal takes no credential. Never stored, never logged.
        """
        return None


class ChannelSettings(Section):
    """One Apprise URL with its rules."""

    name: str
    url: SecretStr
    min_severity: Severity = Severity.IMPORTANT
    kinds: frozenset[ChangeKind] = frozenset()
    accounts: frozenset[str] = frozenset()
    quiet_hours: str = ""
    urgent_breaks_quiet: bool = True
    digest: str = ""
    privacy: Literal["full", "masked", "minimal"] = "masked"
    attach_notices: bool = False
    escalate_after: Duration | None = None


class HealthSettings(Section):
    """How others learn that the watcher lives."""

    listen: str = ""
    heartbeat_url: SecretStr | None = None


def _machine_zone() -> ZoneInfo:
    return ZoneInfo(tzlocal.get_localzone_name() or "UTC")


class Settings(Section):
    """The whole configuration, checked. `state_dir` and `secrets_dir` are settled by the loader."""

    timezone: Zone = Field(default_factory=_machine_zone)
    language: Literal["en", "es", "fr"] = "en"
    state_dir: Path
    database_url: SecretStr = SecretStr("")
    secrets_dir: Path | None = None
    schedule: ScheduleSettings = ScheduleSettings()
    stall: StallSettings = StallSettings()
    deadlines: DeadlineSettings = DeadlineSettings()
    appointments: AppointmentSettings = AppointmentSettings()
    accounts: dict[str, AccountSettings] = Field(default_factory=dict)
    channels: dict[str, ChannelSettings] = Field(default_factory=dict)
    health: HealthSettings = HealthSettings()
