"""Writes about accounts: health, next check, the salt of fingerprints, and the daily quota."""

import hashlib
import secrets
from datetime import datetime
from threading import Lock

from sqlalchemy import Update

from watcher.model.account_health import AccountHealth
from watcher.store.database.engine import Database, queries_on
from watcher.store.database.tables import ACCOUNTS, META, QUOTAS
from watcher.store.queries.accounts import SESSION_END, account_health, next_read, used_quota
from watcher.store.queries.meta import meta_value
from watcher.store.queries.views import AccountsView
from watcher.store.writes.recording import save_health

SALT = "fingerprint_salt"


class Accounts(AccountsView):
    """Health and next check by account. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.queries)
        self._database = database
        self._fingerprints: dict[tuple[str, bytes], str] = {}
        self._hashing = Lock()

    def health(self, name: str, now: datetime) -> AccountHealth:
        """Return the account's health. An unknown account is added, first seen `now`."""
        with self._database.queries() as run:
            if (health := account_health(run, name)) is not None:
                return health
        with self._database.writing() as connection:
            if (health := account_health(queries_on(connection), name)) is not None:
                return health
            health = AccountHealth(first_seen_at=now)
            save_health(connection, name, health)
        return health

    def next_read(self, name: str) -> datetime | None:
        """Return when the account is checked next; None if that is not planned yet."""
        with self._database.queries() as run:
            return next_read(run, name)

    def set_health(self, name: str, health: AccountHealth) -> None:
        """Replace the account's health."""
        with self._database.writing() as connection:
            save_health(connection, name, health)

    def set_next_read(self, name: str, moment: datetime) -> None:
        """Set when the account is checked next."""
        with self._database.writing() as connection:
            connection.execute(ACCOUNTS.update().where(ACCOUNTS.c.name == name).values(next_read_at=moment))

    def set_session_end(self, name: str, moment: datetime | None) -> None:
        """Set when the account's saved session ends at the latest; None if it has none, or that is not known."""
        if self.session_ends().get(name) == moment:
            return
        key = f"{SESSION_END}{name}"
        with self._database.writing() as connection:
            connection.execute(META.delete().where(META.c.key == key))
            if moment is not None:
                connection.execute(META.insert(), {"key": key, "value": moment.isoformat()})

    def fingerprint(self, credential: str | None) -> str | None:
        """Return a fingerprint that differs between credentials: scrypt with this database's salt.

        Computed once per credential and object: it takes 16 MiB, which the allocator then keeps for every thread that
        has computed one.
        """
        if credential is None:
            return None
        salt = self._salt()
        with self._hashing:
            if (credential, salt) not in self._fingerprints:
                digest = hashlib.scrypt(credential.encode(), salt=salt, n=2**14, r=8, p=1, dklen=16)
                self._fingerprints[credential, salt] = digest.hex()
            return self._fingerprints[credential, salt]

    def _salt(self) -> bytes:
        with self._database.queries() as run:
            salt = meta_value(run, SALT)
        if salt is None:
            with self._database.writing() as connection:
                salt = meta_value(queries_on(connection), SALT)
                if salt is None:
                    salt = secrets.token_hex(16)
                    connection.execute(META.insert(), {"key": SALT, "value": salt})
        return bytes.fromhex(salt)


class DailyQuota:
    """Requests of one account, counted in the database before they are sent, so that a restart forgets none."""

    def __init__(self, database: Database, account: str) -> None:
        self._database, self._account = database, account

    def take(self, requests: int, *, daily_limit: int, day: str) -> int:
        """Take up to `requests` from the rest of the day's limit; return how many were granted."""
        with self._database.writing() as connection:
            used = used_quota(queries_on(connection), self._account, day)
            granted = max(0, min(requests, daily_limit - (used or 0)))
            if used is None:
                connection.execute(QUOTAS.insert(), {"account": self._account, "day": day, "taken": granted})
            elif granted:
                connection.execute(self._of(day).values(taken=used + granted))
        return granted

    def give_back(self, requests: int, *, day: str) -> None:
        """Return requests that were taken and not used."""
        if requests <= 0:
            return
        with self._database.writing() as connection:
            used = used_quota(queries_on(connection), self._account, day)
            if used:
                connection.execute(self._of(day).values(taken=max(0, used - requests)))

    def _of(self, day: str) -> Update:
        return QUOTAS.update().where(QUOTAS.c.account == self._account, QUOTAS.c.day == day)
