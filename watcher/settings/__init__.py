"""The models of the configuration. `watcher.settings.load` fills them from files, secrets, and the environment.

`config/watcher.example.toml` explains every key; a test compares the two.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from watcher.messages import _
from watcher.model.case import Stage
from watcher.model.change import ChangeKind, Severity
from watcher.settings.addresses import listening_address
from watcher.settings.email_services import is_email
from watcher.settings.list_sources import ListSource
from watcher.settings.machine_zone import machine_zone
from watcher.settings.mailboxes import OfficialMailSettings
from watcher.settings.section import Section
from watcher.settings.values import (
    CaseNumber,
    DigestPlan,
    Duration,
    OptionalDuration,
    PageUrl,
    PersonName,
    PositiveDuration,
    ProcessingTime,
    ProxyAddress,
    QuietWindow,
    SecretPageAddress,
    SecretText,
    WebAddress,
    Zone,
)
from watcher.text.loopback import is_loopback

MIN_TOKEN_LENGTH = 16
"""The minimum number of characters of a bearer token."""


class ScheduleSettings(Section):
    """When accounts are checked."""

    every: PositiveDuration = timedelta(hours=4)
    jitter: Duration = timedelta(minutes=10)
    blind_after: PositiveDuration = timedelta(hours=24)


class StallSettings(Section):
    """How long a case may stay in one stage before an alert. A duration of 0 turns the alert off.

    The threshold of the stage has priority over that of the form, which has priority over `after`. `published` has the
    agency's published processing times by form, as the user entered them; those in `published_file` (CSV lines of form
    and days) have priority.
    """

    after: Duration = timedelta(days=90)
    repeat: PositiveDuration = timedelta(days=30)
    forms: dict[str, Duration] = Field(default_factory=dict)
    stages: dict[Stage, Duration] = Field(default_factory=dict)
    published: dict[str, ProcessingTime] = Field(default_factory=dict)
    published_file: Path | None = None


class ReferenceSettings(Section):
    """Published lists that cases are compared with: files of the user's, or addresses that are fetched once a day.

    `subtypes` are the form subtypes of cases, by form or by case number. `ca_file` has further trusted CA certificates.
    """

    inquiry_dates: ListSource | None = None
    visa_bulletin: ListSource | None = None
    filing_chart: ListSource | None = None
    subtypes: dict[str, str] = Field(default_factory=dict)
    ca_file: Path | None = None


class DeadlineSettings(Section):
    """When to send reminders before a due date."""

    remind: tuple[PositiveDuration, ...] = tuple(timedelta(days=days) for days in (30, 14, 7, 3, 1))


class AppointmentSettings(Section):
    """When to send reminders before an appointment."""

    remind: tuple[PositiveDuration, ...] = (timedelta(days=7), timedelta(days=1))


class AccountSettings(Section):
    """The keys of every account. Each portal adds its own in a subclass.

    `name` comes from the title of the section. `every` is None for the interval of [schedule].
    `timezone` is the office's zone for appointments, None for the general one. `official_mail` is the mailbox that
    receives the agency's own mails, None if nobody is to look there.
    """

    name: str
    portal: str
    cases: tuple[str, ...] = ()
    every: PositiveDuration | None = None
    base_url: WebAddress = ""
    ca_file: Path | None = None
    timezone: Zone | None = None
    max_sign_ins_per_day: Annotated[int, Field(ge=1, le=24)] = 5
    save_notices: bool = True
    official_mail: OfficialMailSettings | None = None

    @field_validator("official_mail", mode="before")
    @classmethod
    def _none_if_empty(cls, value: object) -> object:
        return value or None

    @classmethod
    def secret_keys_of(cls, _keys: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
        """Yield the keys of secrets that this model does not name, because they follow from other keys of the account.

        `_keys` are those of the account as they are written, not validated yet.
        """
        yield from ()

    @property
    def min_every(self) -> timedelta | None:
        """The shortest time between two checks of this account. None for that of its portal."""
        return None

    @property
    def is_handed_over(self) -> bool:
        """Whether the program never checks the account itself: a person hands over what the portal shows."""
        return False

    @property
    def default_every(self) -> timedelta:
        """The interval of an account without `every`, if the general one is shorter."""
        return timedelta(0)

    def credential(self) -> str | None:
        """Return what would be submitted at sign-in, as one text whose fingerprint shows a change.

        None if the portal needs no credential. Never store or log it.
        """
        return None

    def login(self) -> str | None:
        """Return which login this is (see `watcher.settings.logins`); None if nobody signs in.

        Two sections cannot have the same one, and what the sign-in guard knows of it outlasts a new name.
        """
        return None


class ChannelSettings(Section):
    """One Apprise URL with its rules.

    `max_per_hour` limits messages; further alerts are combined, except urgent ones. 0 means no limit. `detail` "" is
    full for e-mail and short elsewhere. `language` "" is the general one: `Settings.language_of` returns it.
    `watcher.alerts.coverage` says what `cases` and `people` mean for alerts about an account.
    """

    name: str
    url: SecretText
    min_severity: Severity = Severity.IMPORTANT
    kinds: frozenset[ChangeKind] = frozenset()
    accounts: frozenset[str] = frozenset()
    cases: frozenset[CaseNumber] = frozenset()
    people: frozenset[PersonName] = frozenset()
    quiet_hours: QuietWindow = None
    urgent_breaks_quiet: bool = True
    digest: DigestPlan = None
    privacy: Literal["full", "masked", "minimal"] = "masked"
    language: Literal["", "en", "es", "fr"] = ""
    detail: Literal["", "short", "full"] = ""
    attach_notices: bool = False
    escalate_after: OptionalDuration = None
    max_per_hour: Annotated[int, Field(ge=0)] = 30

    @property
    def text_detail(self) -> Literal["short", "full"]:
        """How much the alerts of this channel say."""
        return self.detail or ("full" if is_email(self.url) else "short")


class BackupSettings(Section):
    """The daemon's backups of the database. `every` None means none, `folder` None a folder in state_dir."""

    every: OptionalDuration = None
    keep: Annotated[int, Field(ge=1, le=1000)] = 7
    folder: Path | None = None


class HealthSettings(Section):
    """The health page and the heartbeat.

    `token` is the bearer token for the page. It is required if other machines can reach the address.
    """

    listen: Annotated[str, AfterValidator(listening_address)] = ""
    token: SecretStr | None = Field(default=None, validate_default=True)
    heartbeat_url: SecretPageAddress | None = None

    @field_validator("token")
    @classmethod
    def _check_token(cls, token: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        listen = info.data.get("listen", "")
        if token is None and listen and not is_loopback(f"//{listen}"):
            raise ValueError(_("is missing; other machines can reach the address in listen, so requests need a token"))
        if token is not None and len(token.get_secret_value()) < MIN_TOKEN_LENGTH:
            raise ValueError(_("is too short; use at least {limit} random characters", limit=MIN_TOKEN_LENGTH))
        return token


class WebSettings(Section):
    """The page. It is off unless `listen` is set.

    `url` is how a browser reaches it, if that is not the address in `listen`. `insecure_lan` permits plain HTTP on an
    address that other machines can reach. `X-Forwarded-*` is believed only from `trusted_proxies`.
    """

    listen: Annotated[str, AfterValidator(listening_address)] = ""
    url: PageUrl = ""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    insecure_lan: bool = False
    trusted_proxies: tuple[ProxyAddress, ...] = ()

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the address in `listen`."""
        return is_loopback(f"//{self.listen}")

    @property
    def serves_tls(self) -> bool:
        """Whether the page itself speaks HTTPS, not a proxy in front of it."""
        return self.tls_cert is not None


class Settings(Section):
    """The whole configuration, validated. The loader sets the defaults of `state_dir` and `secrets_dir`.

    `state_key` encrypts sessions and portal answers. It may hold several keys, separated by commas or line breaks: the
    first one encrypts, and all of them decrypt.
    """

    timezone: Zone = Field(default_factory=machine_zone)
    language: Literal["en", "es", "fr"] = "en"
    state_dir: Path
    database_url: SecretStr = SecretStr("")
    secrets_dir: Path | None = None
    keyring: bool = False
    state_key: SecretStr | None = None
    schedule: ScheduleSettings = Field(default_factory=ScheduleSettings)
    stall: StallSettings = Field(default_factory=StallSettings)
    reference: ReferenceSettings = Field(default_factory=ReferenceSettings)
    deadlines: DeadlineSettings = Field(default_factory=DeadlineSettings)
    appointments: AppointmentSettings = Field(default_factory=AppointmentSettings)
    accounts: dict[str, AccountSettings] = Field(default_factory=dict)
    channels: dict[str, ChannelSettings] = Field(default_factory=dict)
    health: HealthSettings = Field(default_factory=HealthSettings)
    web: WebSettings = Field(default_factory=WebSettings)
    backup: BackupSettings = Field(default_factory=BackupSettings)
    calendar_file: Path | None = None

    def office_zone(self, account: str) -> ZoneInfo:
        """Return the zone of the office for the appointments of an account, also of one that is no longer set up."""
        settings = self.accounts.get(account)
        return (settings and settings.timezone) or self.timezone

    def language_of(self, channel: str) -> str:
        """Return the language of a channel's alerts, also of one that is no longer set up."""
        settings = self.channels.get(channel)
        return (settings and settings.language) or self.language
