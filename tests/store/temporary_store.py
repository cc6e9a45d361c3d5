"""A store on a real file or server, and data to write to it."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from tests.postgres.server import rows_in
from watcher.model.alert import AlertDraft, AlertText, HoldReason, RoutedAlert
from watcher.model.case import Snapshot, Stage
from watcher.model.change import Change, ChangeKind, RecordedChange, Severity
from watcher.model.writes import CaseWrite, ReadEnd, WriteSet
from watcher.store import SavedValues, Store, digest

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
NUMBER = "IOE0000000001"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporaryStore:
    """An open store, and the URL of its database. `folder` is for files beside it."""

    url: str
    store: Store
    folder: Path

    @property
    def file(self) -> Path:
        """The database file, with SQLite."""
        return Path(self.url.removeprefix("sqlite:///"))

    def values(self, *keys: str, machine: str = "machine") -> SavedValues:
        """Return the saved values as a machine with these keys sees them. Without keys it has one of its own."""
        return self.store.saved_values(list(map(SecretStr, keys)), machine_key=self.folder / machine / "state_key")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what another program reads from the database."""
        if not self.url.startswith("sqlite"):
            return rows_in(self.url, query)
        with closing(sqlite3.connect(self.file)) as database:
            return database.execute(query).fetchall()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAddress:
    """The address of a database, which can be opened any number of times."""

    url: str
    locks: Path

    @contextmanager
    def open(self) -> Iterator[TemporaryStore]:
        store = Store(self.url, locks=self.locks)
        try:
            yield TemporaryStore(url=self.url, store=store, folder=self.locks.parent)
        finally:
            store.close()


@contextmanager
def temporary_store(folder: Path) -> Iterator[TemporaryStore]:
    """Open the store in the file of this folder."""
    address = StoreAddress(url=f"sqlite:///{folder / 'watcher.sqlite3'}", locks=folder / "locks")
    with address.open() as opened:
        yield opened


def case_write(snapshot: Snapshot, *, revision: int | None = None) -> CaseWrite:
    return CaseWrite(
        snapshot=snapshot,
        snapshot_digest=digest(snapshot),
        answer_digest=b"",
        revision=revision,
        stage_since=date(2026, 3, 1),
        stage_since_from_portal=True,
        silent_update_at=None,
    )


def a_snapshot(status: str = "Case Was Received", *, number: str = NUMBER, **fields: Any) -> Snapshot:
    return Snapshot(case_number=number, status=status, stage=Stage.RECEIVED, **fields)


def a_change(
    kind: ChangeKind = ChangeKind.STATUS_CHANGED, *, subject: str | None = None, number: str = NUMBER
) -> Change:
    return Change(kind=kind, severity=Severity.IMPORTANT, case_number=number, subject=subject)


def a_draft(
    title: str = "news",
    *,
    channel: str = "phone",
    at: datetime = NOW,
    hold: HoldReason | None = None,
    severity: Severity = Severity.IMPORTANT,
) -> AlertDraft:
    delivery = RoutedAlert(channel=channel, changes=(0,), severity=severity, not_before=at, hold_reason=hold)
    return AlertDraft(routed=delivery, text=AlertText(title=title, body=title, html=title, short=title))


def record_alerts(
    store: Store, *drafts: AlertDraft, change: Change | None = None, now: datetime = NOW, number: str = NUMBER
) -> list[RecordedChange]:
    """Record one change of the case with these alerts."""
    change = change or a_change(number=number)
    store.accounts.health("family", now)
    write_set = WriteSet(
        account="family", case_number=number, changes=(change,), summaries=("something",), drafts=drafts
    )
    return store.record([write_set], now=now)


def read_end(read: Iterable[str] = (), *, missing: Iterable[str] = (), complete: bool = True) -> ReadEnd:
    return ReadEnd(
        account="family", complete=complete, next_read_at=NOW, read=frozenset(read), missing=frozenset(missing)
    )
