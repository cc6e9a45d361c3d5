"""What the books hold of an account besides its cases: health, turns, quota, and the breaker before its password."""

import hashlib
import secrets
from datetime import datetime
from threading import Lock

from sqlmodel import col, select, update

from watcher.model.account_health import AccountHealth
from watcher.store.database.engine import Database
from watcher.store.database.tables import AccountRow, MetaRow, QuotaRow
from watcher.store.queries.queries import health_of
from watcher.store.queries.views import AccountsView
from watcher.store.writes.recording import save_health

SALT = "fingerprint_salt"


class Accounts(AccountsView):
    """Health and turns by account. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        """Works on an open database."""
        super().__init__(database.queries)
        self._database = database
        self._fingerprints: dict[tuple[str, bytes], str] = {}
        self._stretching = Lock()

    def health(self, name: str, now: datetime) -> AccountHealth:
        """The account's health; one that is new to the books is entered, first seen `now`."""
        with self._database.reading() as session:
            row = session.get(AccountRow, name)
            if row is not None:
                return health_of(row)
        health = AccountHealth(first_seen_at=now)
        with self._database.writing() as session:
            row = session.get(AccountRow, name)
            if row is not None:
                return health_of(row)
            save_health(session.connection(), name, health)
        return health

    def next_read(self, name: str) -> datetime | None:
        """When the account is read next, as it stands in the books now; None for one that was never read."""
        with self._database.reading() as session:
            return session.exec(select(AccountRow.next_read_at).where(AccountRow.name == name)).one_or_none()

    def set_health(self, name: str, health: AccountHealth) -> None:
        """Replaces the account's health."""
        with self._database.writing_statements() as connection:
            save_health(connection, name, health)

    def set_next_read(self, name: str, moment: datetime) -> None:
        """When the account is read next."""
        with self._database.writing() as session:
            session.exec(update(AccountRow).where(col(AccountRow.name) == name).values(next_read_at=moment))

    def fingerprint(self, credential: str | None) -> str | None:
        """Tells two credentials apart without writing either down: scrypt with this database's own salt.

        Made once for each credential in the life of this object: it takes 16 MiB, which the allocator then keeps for
        every thread that has made one.
        """
        if credential is None:
            return None
        salt = self._salt()
        with self._stretching:
            if (credential, salt) not in self._fingerprints:
                digest = hashlib.scrypt(credential.encode(), salt=salt, n=2**14, r=8, p=1, dklen=16)
                self._fingerprints[credential, salt] = digest.hex()
            return self._fingerprints[credential, salt]

    def _salt(self) -> bytes:
        with self._database.reading() as session:
            row = session.get(MetaRow, SALT)
            if row is not None:
                return bytes.fromhex(row.value)
        with self._database.writing() as session:
            row = session.get(MetaRow, SALT) or MetaRow(key=SALT, value=secrets.token_hex(16))
            session.add(row)
            return bytes.fromhex(row.value)


class DailyQuota:
    """Requests of one account, counted in the database before they are sent, so that a restart forgets none."""

    def __init__(self, database: Database, account: str) -> None:
        """Counts for this account."""
        self._database, self._account = database, account

    def take(self, requests: int, *, daily_limit: int, day: str) -> int:
        """Takes up to `requests` from what is left of `day`; returns how many were granted."""
        with self._database.writing() as session:
            row = session.get(QuotaRow, (self._account, day)) or QuotaRow(account=self._account, day=day)
            granted = max(0, min(requests, daily_limit - row.taken))
            row.taken += granted
            session.add(row)
            return granted

    def give_back(self, requests: int, *, day: str) -> None:
        """Returns what was taken and not used."""
        if requests <= 0:
            return
        with self._database.writing() as session:
            row = session.get(QuotaRow, (self._account, day))
            if row is not None:
                row.taken = max(0, row.taken - requests)
                session.add(row)
