"""Values derived from the settings: database URL, sealing keys, secrets, watched cases."""

from collections.abc import Iterable, Iterator

from pydantic import BaseModel, SecretStr

from watcher.settings import AccountSettings, Settings

DATABASE = "watcher.sqlite3"


def database_url(settings: Settings) -> str:
    """Return the URL of the database. It may contain a password."""
    return settings.database_url.get_secret_value() or f"sqlite:///{settings.state_dir / DATABASE}"


def sealing_keys(settings: Settings) -> list[SecretStr]:
    """Return the keys for state on disk. The first one encrypts."""
    keys = settings.state_key.get_secret_value().replace(",", "\n").split("\n") if settings.state_key else []
    return [SecretStr(key.strip()) for key in keys if key.strip()]


def secrets_in(section: BaseModel) -> Iterator[str]:
    """Yield the value of every secret in a part of the configuration."""
    for name in type(section).model_fields:
        yield from _secrets_in(getattr(section, name))


def _secrets_in(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr) and value.get_secret_value():
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        yield from secrets_in(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _secrets_in(item)


def watched_numbers(numbers: Iterable[str], account: AccountSettings) -> set[str]:
    """Return those of the case numbers that the account watches; like `is_watched`, for many at once."""
    return set(numbers).intersection(account.cases) if account.cases else set(numbers)


def is_watched(account: AccountSettings, case_number: str) -> bool:
    """Return whether the account watches this case. Without a list of cases it watches all."""
    return not account.cases or case_number in account.cases
