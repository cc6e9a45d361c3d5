"""What follows from the settings: database URL, sealing keys, secrets, watched cases."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pydantic import BaseModel, SecretStr

from watcher.settings import AccountSettings, Settings

if TYPE_CHECKING:
    pass


DATABASE = "watcher.sqlite3"


def database_url(settings: Settings) -> str:
    """Which database the configuration means; it may hold a password."""
    return settings.database_url.get_secret_value() or f"sqlite:///{settings.state_dir / DATABASE}"


def sealing_keys(settings: Settings) -> list[SecretStr]:
    """The keys that seal what is kept on disk, the one that writes first."""
    keys = settings.state_key.get_secret_value().replace(",", "\n").split("\n") if settings.state_key else []
    return [SecretStr(key.strip()) for key in keys if key.strip()]


def secrets_in(section: BaseModel) -> Iterator[str]:
    """The value of every secret in a part of the configuration."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        for each in value.values() if isinstance(value, dict) else (value,):
            if isinstance(each, SecretStr) and each.get_secret_value():
                yield each.get_secret_value()
            elif isinstance(each, BaseModel):
                yield from secrets_in(each)


def watched_numbers(numbers: Iterable[str], account: AccountSettings) -> set[str]:
    """Those of the case numbers that the account's configuration still asks for; as `is_watched`, for many at once."""
    return set(numbers).intersection(account.cases) if account.cases else set(numbers)


def is_watched(account: AccountSettings, case_number: str) -> bool:
    """Whether the account's configuration still asks for this case: without a list it asks for all."""
    return not account.cases or case_number in account.cases
