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
from watcher.context.read_only import settings_with_devices
from watcher.delivery.outbox_worker import delivery_lock
from watcher.messages import _, plural
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
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@FILE
def backup_command(config: Path | None, file: Path, *, force: bool) -> None:
    """Copy the database to FILE, even while `watcher run` is running, and check the copy.

    FILE is an SQLite database that only you can read, even if your database is on a PostgreSQL server. `watcher
    restore` puts it back into either. Saved letters (in state_dir) and sessions are not part of the copy.
    """
    settings = load_settings(config)
    with _progress(_("backup")) as count:
        contents = backup_files.create_backup(database_url(settings), file, force=force, count=count)
    print_line(
        plural(
            "{file}: backup created ({n} case, {size} KiB).",
            "{file}: backup created ({n} cases, {size} KiB).",
            contents.cases,
            file=file,
            size=file.stat().st_size // 1024,
        )
    )


@click.command("restore")
@CONFIG
@click.option("--force", is_flag=True, help="Restore even if the current database is newer than FILE.")
@FILE
def restore_command(config: Path | None, file: Path, *, force: bool) -> None:
    """Replace the database with the backup in FILE. The replaced database is kept as a file in state_dir.

    Alerts sent since the backup are not sent again, and your `done` and `due` entries stay, if the replaced database
    can still be read. If it cannot, alerts say that you may have seen them already.

    FILE may also be the database of an earlier installation, for example to move from SQLite to PostgreSQL.
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
            count=stack.enter_context(_progress(_("restore"))),
        )
        result = restore.run(database_url(settings), settings.state_dir / DATABASE)
    print_line(_("{database}: restored from {file}.", database=result.database, file=file))
    if result.previous_file is not None:
        print_line(_("The replaced database is kept as {file}.", file=result.previous_file))
    if result.alerts_known:
        print_line(_("Alerts sent since the backup will not be sent again."))
    else:
        print_line(
            _(
                "The alerts sent since the backup could not be read from it. Alerts that you may have seen already will"
                " say so."
            )
        )
    if not result.ledger_known:
        print_line(
            _(
                "Some of your `watcher done` and `watcher due` entries since the backup could not be read. Check"
                " `watcher pending` and enter what is missing again."
            )
        )


@contextmanager
def _progress(task: str) -> Iterator[CountRows]:
    """Show the number of rows on a terminal while a server's database is copied."""
    if not Progress.is_visible():
        yield no_count
        return
    progress = Progress(task, lambda n: plural("{n} row", "{n} rows", n))
    try:
        yield progress
    finally:
        progress.clear()


def _restore_note(settings: Settings) -> AddRestoreNote:
    def add_note(text: AlertText, channel: str, since: datetime) -> AlertText:
        return with_restore_note(text, since=since, language=settings.language_of(channel), zone=settings.timezone)

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
        raise click.ClickException(_("`watcher run` is using this database. Stop it first, then restore.")) from None
    # A server's devices have no lock files here, and asking for them would create tables before the backup is examined.
    known = settings if database is None else settings_with_devices(settings)
    try:
        for name in (
            "time",
            *map(delivery_lock, known.channels),
            *(f"account {account}" for account in settings.accounts),
        ):
            stack.enter_context(locks.acquire(name, wait=_CHECK_TIMEOUT))
    except Busy:
        raise click.ClickException(
            _("Another `watcher` command is using this database. Try again in a moment.")
        ) from None
