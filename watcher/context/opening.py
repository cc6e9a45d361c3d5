"""Open the settings and the store."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from watcher import portals
from watcher.errors import SettingsFaults, StoreDamaged, StoreUnusable, system_reason
from watcher.messages import LANGUAGES, _, use_language
from watcher.model.ledger import TrackedCase
from watcher.privacy.private_file import create_private_folder
from watcher.settings import Settings
from watcher.settings.config_files import find_file, read_document
from watcher.settings.derived import database_url, sealing_keys, watched_numbers
from watcher.settings.processing_times import read_processing_times
from watcher.store import StoreReader
from watcher.store.database.daemon_lock import daemon_holds
from watcher.store.database.known_databases import FILE, KnownDatabases
from watcher.store.database.sqlite_url import split_sqlite_url

if TYPE_CHECKING:
    from watcher.store import SavedValues, Store


def open_store(settings: Settings) -> "Store":
    """Open the database, and create the state folder if there is none. Raises `StoreUnusable`."""
    from watcher.store import Store  # noqa: PLC0415 - importing SQLModel takes longer than a whole command that only reads

    state_dir = settings.state_dir
    file = missing_database(settings)
    if file is not None and daemon_holds(file):  # on the file that was there before
        raise StoreUnusable(
            _(
                "database {name}: it was deleted or moved while `watcher run` was using it. Wait a minute "
                "until `watcher run` has stopped",
                name=file,
            )
        )
    try:
        create_private_folder(state_dir)
    except OSError as error:
        raise StoreUnusable(
            _(
                "state_dir {state_dir}: {reason}; it must be a folder that you can write to",
                state_dir=state_dir,
                reason=system_reason(error),
            )
        ) from None
    known = KnownDatabases(state_dir / FILE)
    try:
        return Store(database_url(settings), locks=locks_folder(settings), keys=sealing_keys(settings), known=known)
    except StoreDamaged as error:
        from watcher.store.backup.rotation import with_restore_advice  # noqa: PLC0415 - for a damaged database only

        raise with_restore_advice(error, settings) from None


def saved_values(store: "Store", settings: Settings) -> "SavedValues":
    """Return what is stored encrypted, with the keys of the configuration or of this machine."""
    return store.saved_values(sealing_keys(settings), machine_key=machine_key_file(settings))


def machine_key_file(settings: Settings) -> Path:
    """Return the file with this machine's own key, which is used if the configuration has none."""
    return settings.state_dir / "state_key"


def database_file(settings: Settings) -> Path | None:
    """Return the database file; None if the database is on a server."""
    name, _ = split_sqlite_url(database_url(settings)) or ("", "")
    return Path(name) if name else None


def missing_database(settings: Settings) -> Path | None:
    """Return the database file if it does not exist, else None."""
    file = database_file(settings)
    return None if file is None or os.path.lexists(file) else file


def locks_folder(settings: Settings) -> Path:
    """Return the folder of the lock files."""
    return settings.state_dir / "locks"


def read_settings(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """Load the configuration from `--config` or one of the usual places. Raises `SettingsFaults`."""
    from watcher.settings.load import load  # noqa: PLC0415 - most workers are given a configuration that was loaded

    settings = load(config, environ=environ, portals=portals)
    if settings.stall.published_file is not None:
        read_processing_times(settings.stall.published_file)  # faults in this file are faults of the configuration
    return settings


def use_configured_language(config: Path | None, environ: Mapping[str, str]) -> None:
    """Let the process speak the language that is written in the configuration, even if other keys have faults."""
    with suppress(SettingsFaults):
        file = find_file(config, environ)
        language = read_document(file).keys.get("language") if file else None
        if language in LANGUAGES:
            use_language(language)


def use_language_of(settings: Settings) -> None:
    """Let the process speak the language of the configuration, if one is written there."""
    if "language" in settings.model_fields_set:
        use_language(settings.language)


def watched_cases(store: StoreReader, settings: Settings) -> list[TrackedCase]:
    """Return the stored cases that the configuration still lists."""
    cases = store.tracked_cases()
    watched = {
        name: watched_numbers((case.case_number for case in cases if case.account == name), account)
        for name, account in settings.accounts.items()
    }
    return [case for case in cases if case.case_number in watched.get(case.account, ())]
