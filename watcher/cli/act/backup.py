"""`watcher backup`, `restore`: copy the database while the daemon runs, and put a copy back."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from watcher.alerts.restore_note import with_restore_note
from watcher.cli.context import load_settings
from watcher.cli.options import CONFIG
from watcher.cli.terminal.output import Progress, print_line
from watcher.context.opening import locks_folder
from watcher.delivery.outbox_worker import delivery_lock
from watcher.model.alert import AlertText
from watcher.privacy.private_file import create_private_folder
from watcher.settings import Settings
from watcher.settings.derived import DATABASE, database_url
from watcher.store import Busy
from watcher.store.backup import backup_files
from watcher.store.backup.restore_merge import AddRestoreNote
from watcher.store.backup.restoring import Restore
from watcher.store.backup.server_rows import CountRows, no_count
from watcher.store.database.daemon_lock import hold_daemon_lock
from watcher.store.database.locks import FileLocks

FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
_CHECK_TIMEOUT = 60.0


@click.command("backup")
@CONFIG
@click.option("--force", is_flag=True, help="Replace FILE where it is there already.")
@FILE
def backup_command(config: Path | None, file: Path, *, force: bool) -> None:
    """Writes a consistent copy of the database to FILE (mode 0600), also while the daemon runs, and examines it.

    FILE is an SQLite database, also where the database is on a PostgreSQL server. `watcher restore` puts it into either
    of them, and so moves from one to the other. Saved notices lie in state_dir and are not in it; sessions are not
    copied either.
    """
    settings = load_settings(config)
    with _progress("backup") as count:
        contents = backup_files.create_backup(database_url(settings), file, force=force, count=count)
    cases = "1 case" if contents.cases == 1 else f"{contents.cases} cases"
    print_line(f"{file}: a good copy, {cases}, {file.stat().st_size // 1024} KiB.")


@click.command("restore")
@CONFIG
@click.option("--force", is_flag=True, help="Also over a database that tells of more than FILE does.")
@FILE
def restore_command(config: Path | None, file: Path, *, force: bool) -> None:
    """Puts the copy in FILE in the place of the database. What was there is kept as a file in state_dir.

    What was told since the copy was made is not told again, and what you said of items since (done, due) stands, as far
    as the database that is replaced can be read. Where it cannot, alerts that may have gone out before say so.

    FILE may also be the database of an installation that has ended, such as the SQLite database that a new database_url
    leaves in state_dir.
    """
    settings = load_settings(config)
    with ExitStack() as stack:
        _hold_all_locks(stack, settings)
        restore = Restore(
            copy=file,
            accounts=settings.accounts,
            now=datetime.now(UTC),
            add_note=_restore_note(settings),
            force=force,
            count=stack.enter_context(_progress("restore")),
        )
        result = restore.run(database_url(settings), settings.state_dir / DATABASE)
    print_line(f"{result.database}: restored from {file}.")
    if result.previous_file is not None:
        print_line(f"What was there before is kept as {result.previous_file}.")
    if result.alerts_known:
        print_line("What was told since the copy was made is known from it and is not told again.")
    else:
        print_line(
            "What was told since the copy was made cannot be read; alerts that may have gone out before will say so."
        )
    if not result.ledger_known:
        print_line(
            "What you said of items since (`watcher done`, `watcher due`) could not all be read there; look through"
            " `watcher pending`, and say it again where it is missing."
        )


@contextmanager
def _progress(task: str) -> Iterator[CountRows]:
    """Show the number of rows on a terminal while a server's database is copied."""
    if not Progress.is_visible():
        yield no_count
        return
    progress = Progress(task, "rows")
    try:
        yield progress
    finally:
        progress.clear()


def _restore_note(settings: Settings) -> AddRestoreNote:
    def add_note(text: AlertText, since: datetime) -> AlertText:
        return with_restore_note(text, since=since, language=settings.language, zone=settings.timezone)

    return add_note


def _hold_all_locks(stack: ExitStack, settings: Settings) -> None:
    """Hold every lock that a check, a delivery, or the daemon takes on a database file.

    With a server, they are those of the file in state_dir, which may be moved to it.
    """
    create_private_folder(settings.state_dir)
    locks = FileLocks(locks_folder(settings))
    try:
        database = backup_files.sqlite_path(database_url(settings))
        stack.enter_context(hold_daemon_lock(locks, database or settings.state_dir / DATABASE))
    except Busy:
        raise click.ClickException("`watcher run` is working on this database; stop it first, then restore") from None
    try:
        for name in (
            "time",
            *map(delivery_lock, settings.channels),
            *(f"account {account}" for account in settings.accounts),
        ):
            stack.enter_context(locks.acquire(name, wait=_CHECK_TIMEOUT))
    except Busy:
        raise click.ClickException("another `watcher` command is working on this database; try again soon") from None
