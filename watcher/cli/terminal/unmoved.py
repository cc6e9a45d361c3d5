"""What to do about an SQLite database that a new `database_url` leaves behind."""

from pathlib import Path

from watcher.cli.terminal.output import command_name, print_error
from watcher.settings import Settings
from watcher.settings.derived import DATABASE, database_url
from watcher.store.backup.unmoved_database import unmoved_database


def mention_unmoved_database(settings: Settings, config: Path | None, *, only_first: bool = False) -> None:
    """Print how to move the database in state_dir to the server, on standard error, if it was not moved.

    `only_first`: only as long as no account was ever checked on the server. Raises `StoreUnusable`.
    """
    unmoved = unmoved_database(database_url(settings), settings.state_dir / DATABASE)
    if unmoved is not None and (unmoved.server_is_empty or not only_first):
        print_error(f"watcher: {'; '.join(unmoved.text(command_name(), str(config) if config else None))}")
