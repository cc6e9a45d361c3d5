"""Open the settings and the store."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from watcher import portals
from watcher.errors import StoreUnusable
from watcher.model.ledger import TrackedCase
from watcher.privacy.private_file import create_private_folder
from watcher.settings import Settings
from watcher.settings.derived import database_url, sealing_keys, watched_numbers
from watcher.settings.load import load
from watcher.settings.processing_times import read_processing_times
from watcher.store import StoreReader

if TYPE_CHECKING:
    from watcher.store import Store


def open_store(settings: Settings) -> "Store":
    """Open the database, and create the state folder if there is none. Raises `StoreUnusable`."""
    from watcher.store import Store  # noqa: PLC0415 - importing SQLModel takes longer than a whole command that only reads

    state_dir = settings.state_dir
    try:
        create_private_folder(state_dir)
    except OSError as error:
        raise StoreUnusable(
            f"state_dir {state_dir}: {error.strerror}; it must be a folder that can be written"
        ) from None
    try:
        return Store(database_url(settings), locks=locks_folder(settings), keys=sealing_keys(settings))
    except StoreUnusable as error:
        if "damaged" in str(error):
            from watcher.store.backup.rotation import restore_advice  # noqa: PLC0415 - needed for a damaged database only

            raise StoreUnusable(f"{error}; {restore_advice(settings)}") from None
        raise


def locks_folder(settings: Settings) -> Path:
    """Return the folder of the lock files."""
    return settings.state_dir / "locks"


def read_settings(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """Load the configuration from `--config` or one of the usual places. Raises `SettingsFaults`."""
    settings = load(config, environ=environ, portals=portals)
    if settings.stall.published_file is not None:
        read_processing_times(settings.stall.published_file)  # faults in this file are faults of the configuration
    return settings


def watched_cases(store: StoreReader, settings: Settings) -> list[TrackedCase]:
    """Return the stored cases that the configuration still lists."""
    cases = store.tracked_cases()
    watched = {
        name: watched_numbers((case.case_number for case in cases if case.account == name), account)
        for name, account in settings.accounts.items()
    }
    return [case for case in cases if case.case_number in watched.get(case.account, ())]
