"""The books of a configuration, open to be looked into: settings, database, time. Nothing here asks, tells or sends.

What only looks opens these and no more: what reads portals and brings alerts takes as long to import as all the rest,
and what writes a database longer still.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, SecretStr

from watcher import portals
from watcher.clock import Clock, SystemClock
from watcher.errors import StoreUnusable
from watcher.processing_times import read_processing_times
from watcher.settings import AccountSettings, Settings
from watcher.settings.load import load
from watcher.standing import CaseStanding
from watcher.store import View
from watcher.store.glance import glance_at

if TYPE_CHECKING:
    from watcher.store import Store

DATABASE = "watcher.sqlite3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """One configuration and what has been written down for it."""

    store: View
    settings: Settings
    clock: Clock

    def watched_cases(self) -> list[CaseStanding]:
        """The cases in the books that the configuration still asks for."""
        return watched_cases(self.store, self.settings)


@contextmanager
def open_books(settings: Settings) -> Iterator[Books]:
    """Opens the database to be looked into, and closes it at the end.

    At a glance where that is enough; else the store is opened, as by what writes. Raises `StoreUnusable`.
    """
    store = glance_at(database_url(settings), locks=_locks(settings)) or open_store(settings)
    with closing(store):
        yield Books(store=store, settings=settings, clock=SystemClock())


def open_store(settings: Settings) -> "Store":
    """Opens the database, and makes the state folder where there is none. Raises `StoreUnusable`."""
    from watcher.store import Store  # noqa: PLC0415 - SQLModel takes longer to import than a glance takes in all

    state_dir = settings.state_dir
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable(
            f"state_dir {state_dir}: {error.strerror}; it must be a folder that can be written"
        ) from None
    try:
        return Store(database_url(settings), locks=_locks(settings), keys=sealing_keys(settings))
    except StoreUnusable as error:
        if "damaged" in str(error):
            from watcher.backups import way_back  # noqa: PLC0415 - of no use to a database that is whole

            raise StoreUnusable(f"{error}; {way_back(settings)}") from None
        raise


def _locks(settings: Settings) -> Path:
    return settings.state_dir / "locks"


def database_url(settings: Settings) -> str:
    """Which database the configuration means; it may hold a password."""
    return settings.database_url.get_secret_value() or f"sqlite:///{settings.state_dir / DATABASE}"


def sealing_keys(settings: Settings) -> list[SecretStr]:
    """The keys that seal what is kept on disk, the one that writes first."""
    keys = settings.state_key.get_secret_value().replace(",", "\n").split("\n") if settings.state_key else []
    return [SecretStr(key.strip()) for key in keys if key.strip()]


def read_settings(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """The configuration of `--config`, or of where one usually lies. Raises `SettingsFaults`."""
    settings = load(config, environ=environ, portals=portals)
    if settings.stall.published_file is not None:
        read_processing_times(settings.stall.published_file)  # its faults are faults of the configuration
    return settings


def secrets_in(section: BaseModel) -> Iterator[str]:
    """The value of every secret in a part of the configuration."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        for each in value.values() if isinstance(value, dict) else (value,):
            if isinstance(each, SecretStr) and each.get_secret_value():
                yield each.get_secret_value()
            elif isinstance(each, BaseModel):
                yield from secrets_in(each)


def watched_cases(store: View, settings: Settings) -> list[CaseStanding]:
    """The cases in the books that the configuration still asks for."""
    cases = store.standings()
    wanted = {
        name: watched_among((case.case_number for case in cases if case.account == name), account)
        for name, account in settings.accounts.items()
    }
    return [case for case in cases if case.case_number in wanted.get(case.account, ())]


def watched_among(numbers: Iterable[str], account: AccountSettings) -> set[str]:
    """Those of the case numbers that the account's configuration still asks for; as `is_watched`, for many at once."""
    return set(numbers).intersection(account.cases) if account.cases else set(numbers)


def is_watched(account: AccountSettings, case_number: str) -> bool:
    """Whether the account's configuration still asks for this case: without a list it asks for all."""
    return not account.cases or case_number in account.cases
