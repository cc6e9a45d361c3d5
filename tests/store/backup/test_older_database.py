"""A backup that is restored over an older database, as after a move to a server and back, is not overwritten by it."""

import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.store.temporary_store import NOW, NUMBER, a_draft, a_snapshot, case_write, record_alerts, temporary_store
from watcher.model.case import ItemKind, PendingItem
from watcher.model.writes import WriteSet
from watcher.store import Store
from watcher.store.backup.backup_files import create_backup
from watcher.store.backup.restoring import Restore, RestoreResult

LATER = NOW + timedelta(days=1)
ITEM = PendingItem(key="rfe", kind=ItemKind.RFE, title="Evidence")


def item_states(store: Store) -> list[str]:
    return [item.state.value for case in store.tracked_cases() for item in case.items]


def restore(copy: Path, folder: Path, now: datetime) -> RestoreResult:
    added = Restore(copy=copy, accounts=["family"], now=now, add_note=lambda text, *_: text, force=True)
    return added.run(f"sqlite:///{folder / 'watcher.sqlite3'}", folder / "watcher.sqlite3")


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """Return the folder of a database with an open item. Its file is also in the folder `newer`."""
    folder, newer = tmp_path / "older", tmp_path / "newer"
    folder.mkdir()
    with temporary_store(folder) as opened:
        record_alerts(opened.store, a_draft("first"))
        case = case_write(replace(a_snapshot(), pending=(ITEM,)))
        opened.store.record([WriteSet(account="family", case_number=NUMBER, case=case)], now=NOW)
    shutil.copytree(folder, newer)
    return folder


def backup_of(folder: Path, *, checked_at: datetime) -> Path:
    """Mark the item as done, record a later check, and return a backup."""
    with temporary_store(folder) as opened:
        (item,) = (item for case in opened.store.tracked_cases() for item in case.items)
        opened.store.ledger.set_done(item.id)
        record_alerts(opened.store, a_draft("second"), now=checked_at)
        create_backup(opened.url, folder / "copy.sqlite3")
    return folder / "copy.sqlite3"


def test_entries_in_the_backup_stay_if_the_replaced_database_is_older(older: Path, tmp_path: Path) -> None:
    copy = backup_of(tmp_path / "newer", checked_at=LATER)
    result = restore(copy, older, LATER)
    assert not result.alerts_known
    with temporary_store(older) as opened:
        assert item_states(opened.store) == ["done"]
        assert len(opened.store.outbox.list()) == 2


def test_wrong_clock_in_the_backup_does_not_make_the_replaced_database_older(older: Path, tmp_path: Path) -> None:
    copy = backup_of(tmp_path / "newer", checked_at=NOW + timedelta(days=365))
    assert restore(copy, older, LATER).alerts_known
    with temporary_store(older) as opened:
        assert item_states(opened.store) == ["open"]
