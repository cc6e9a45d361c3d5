"""The end of the supervisor after its database was lost: keep what is left of it, and announce it.

Imports most of the program, which matters no more.
"""

import sys
from datetime import datetime
from functools import partial
from pathlib import Path

from watcher.alerts.restore_note import with_restore_note
from watcher.context.accepted_settings import unpacked
from watcher.delivery.emergency_notice import EmergencyNotice
from watcher.delivery.sender_process import SenderProcess
from watcher.errors import StoreLost, StoreUnusable
from watcher.messages import _
from watcher.model.alert import AlertText
from watcher.settings import Settings
from watcher.settings.derived import DATABASE, database_url
from watcher.store.backup.lost_database import keep_lost_database
from watcher.store.backup.restoring import Restore, RestoreResult
from watcher.store.database.known_databases import FILE, KnownDatabases
from watcher.store.database.resting_database import RestingDatabase


def end_with_lost_database(packed: str, database: RestingDatabase | None, lost: StoreLost, *, now: datetime) -> None:
    """Save what the open database still holds, print what was done, and tell every channel.

    `packed` is the configuration, and `database` None if the database is on a server.
    """
    settings = unpacked(packed)
    if database is not None:
        try:
            done = keep(settings, database, lost, now=now)
        except StoreUnusable as error:
            done = _("its content could not be saved: {reason}", reason=error)
        if done is not None:
            print(f"watcher: {done}", file=sys.stderr, flush=True)  # noqa: T201 - as the reason itself
    sender = SenderProcess()
    EmergencyNotice(sender).database_lost(str(lost), settings)
    sender.close()


def keep(settings: Settings, database: RestingDatabase, lost: StoreLost, *, now: datetime) -> str | None:
    """Save what is left of a database that was deleted, moved, or replaced. Return what was done, if anything."""

    def restore(copy: Path) -> RestoreResult:
        note = partial(_restore_note, settings)
        restoring = Restore(copy=copy, accounts=settings.accounts, now=now, add_note=note, force=True)
        return restoring.run(database_url(settings), settings.state_dir / DATABASE)

    known = KnownDatabases(settings.state_dir / FILE)
    return keep_lost_database(database.connection, database.files, lost, known=known, now=now, restore=restore)


def _restore_note(settings: Settings, text: AlertText, channel: str, since: datetime) -> AlertText:
    return with_restore_note(text, since=since, language=settings.language_of(channel), zone=settings.timezone)
