"""Small secrets that outlast a check, in the database and encrypted, so that every daemon that shares it has them.

They are sessions (cookies, tokens), submitted codes, and the one-time codes and mails that were used. What cannot be
decrypted counts as nothing, so that the portal signs in again; `SavedValue.fault` has the reason.
"""

import hmac
from collections.abc import Callable
from typing import TypeAlias

from pydantic import SecretStr
from sqlalchemy import ColumnElement, Connection

from watcher.privacy.sealing import Seal, SealFault, Unsealable, derived_key
from watcher.privacy.state_keys import SEAL_NAME, StateKeys
from watcher.store.database.engine import Database, queries_on
from watcher.store.database.tables import SEALED
from watcher.store.database.web_tables import PUSH_SUBSCRIPTIONS
from watcher.store.queries.sealed import ALL_SEALED, sealed_content
from watcher.store.queries.web import PUSHED

Change: TypeAlias = Callable[[bytes | None], bytes | None]
"""Takes a content and returns the new one; None stands for no content."""


class SavedValues:
    """The values of every account. Safe to share between threads."""

    def __init__(self, database: Database, keys: StateKeys) -> None:
        """Access nothing yet."""
        self._database, self._keys = database, keys
        self._seal, self._seal_keys = Seal(SEAL_NAME), list[SecretStr]()
        self._is_resealed = False

    @property
    def has_common_key(self) -> bool:
        """Whether other machines with the same configuration can decrypt what this one encrypts."""
        return self._keys.are_common

    def of(self, owner: str, purpose: str = "session") -> "SavedValue":
        """Return the value of an account, a login, or a mailbox. One owner has a value for each purpose."""
        return SavedValue(self._database, self, owner, purpose)

    def seal(self) -> Seal:
        """Return what encrypts and decrypts with the keys that there are now. Raises `StoreUnusable`."""
        keys = self._keys.all()
        if keys != self._seal_keys:
            self._seal, self._seal_keys = Seal(SEAL_NAME, keys), keys
        return self._seal

    def reseal(self) -> None:
        """Encrypt with the first key what another key encrypted, also push subscriptions, so that it can be removed.

        Does something once per object. Raises `StoreUnusable`.
        """
        if self._is_resealed or len(self._keys.all()) < 2:  # noqa: PLR2004 - a second key
            return
        with self._database.writing() as connection:
            seal = self.seal()
            for row in list(queries_on(connection)(ALL_SEALED)):
                if not seal.is_current(row.content) and (content := _unsealed(seal, row.content)) is not None:
                    _write(connection, row.owner, row.purpose, seal.seal(content), is_new=False)
            for row in list(queries_on(connection)(PUSHED)):
                if not seal.is_current(row.content) and (content := _unsealed(seal, row.content)) is not None:
                    of_row = PUSH_SUBSCRIPTIONS.update().where(PUSH_SUBSCRIPTIONS.c.id == row.id)
                    connection.execute(of_row.values(content=seal.seal(content)))
        self._is_resealed = True

    def secret_of(self, name: str) -> bytes:
        """Return 32 bytes that nobody can compute without the first key, the same for one name.

        Raises `StoreUnusable`.
        """
        key = derived_key(self._existing_keys()[0].get_secret_value(), b"watcher secrets")
        return hmac.digest(key, name.encode(), "sha256")

    def sealed(self, content: bytes) -> bytes:
        """Return a content in encrypted form, for another table. Raises `StoreUnusable`."""
        self._existing_keys()
        return self.seal().seal(content)

    def keys(self) -> list[SecretStr]:
        """Return every key there is. Raises `StoreUnusable`."""
        return self._keys.all()

    def _existing_keys(self) -> list[SecretStr]:
        """Return every key, after one was created if there was none."""
        if not self._keys.all():
            with self._database.writing():
                self.create_key()
        return self._keys.all()

    def create_key(self) -> None:
        """Create a key if there is none. Call within a write transaction. Raises `StoreUnusable`."""
        self._keys.create()


class SavedValue:
    """One value. Implements the protocols `SavedSession` (`watcher.portal`) and `SharedValue` (`watcher.sign_in`)."""

    def __init__(self, database: Database, values: SavedValues, owner: str, purpose: str) -> None:
        """Access nothing yet."""
        self._database, self._values = database, values
        self._owner, self._purpose = owner, purpose

    def load(self) -> bytes | None:
        """Return what was last saved; None if there is nothing, or nothing usable. Raises `StoreUnusable`."""
        sealed = self._stored()
        return None if sealed is None else _unsealed(self._values.seal(), sealed)

    def fault(self) -> SealFault | None:
        """Return why there is a content that cannot be used; None if it can, or there is none."""
        sealed = self._stored()
        if sealed is None:
            return None
        try:
            self._values.seal().unseal(sealed)
        except Unsealable as unusable:
            return unusable.fault
        return None

    def save(self, content: bytes) -> None:
        """Replace the content; a kill leaves the old or the new one. Raises `StoreUnusable`."""
        self.update(lambda _: content)

    def delete(self) -> None:
        """Remove the content. Nothing to remove is not an error. Raises `StoreUnusable`."""
        self.update(lambda _: None)

    def update(self, change: Change) -> None:
        """Replace the content by what `change` makes of it, while no other process writes. Raises `StoreUnusable`."""
        with self._database.writing() as connection:
            self._values.create_key()
            seal, sealed = self._values.seal(), sealed_content(queries_on(connection), self._owner, self._purpose)
            before = None if sealed is None else _unsealed(seal, sealed)
            after = change(before)
            if after is not None and after != before:
                _write(connection, self._owner, self._purpose, seal.seal(after), is_new=sealed is None)
            elif after is None and sealed is not None:
                connection.execute(SEALED.delete().where(_is(self._owner, self._purpose)))

    def _stored(self) -> bytes | None:
        with self._database.queries() as run:
            return sealed_content(run, self._owner, self._purpose)


def _unsealed(seal: Seal, sealed: bytes) -> bytes | None:
    try:
        return seal.unseal(sealed)
    except Unsealable:
        return None


def _is(owner: str, purpose: str) -> ColumnElement[bool]:
    return (SEALED.c.owner == owner) & (SEALED.c.purpose == purpose)


def _write(connection: Connection, owner: str, purpose: str, sealed: bytes, *, is_new: bool) -> None:
    if is_new:
        connection.execute(SEALED.insert(), {"owner": owner, "purpose": purpose, "content": sealed})
    else:
        connection.execute(SEALED.update().where(_is(owner, purpose)).values(content=sealed))
