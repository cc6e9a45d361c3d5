"""Who may use the page: links, devices, calendars, hand-overs, passkeys, and push subscriptions."""

from datetime import datetime

from sqlalchemy import Connection, select

from watcher.model.web import KeyKind, Passkey, WebKey
from watcher.privacy.web_tokens import digest_of
from watcher.store.database.engine import Database, queries_on
from watcher.store.database.web_tables import PASSKEYS, PUSH_SUBSCRIPTIONS, WEB_KEYS
from watcher.store.queries import web
from watcher.store.queries.views import WebView


class WebKeys(WebView):
    """Who may use the page. Every method is one transaction and raises `StoreUnusable`."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.queries)
        self._database = database

    def add(
        self,
        kind: KeyKind,
        token: str,
        *,
        now: datetime,
        person: str | None = None,
        read_only: bool = False,
        name: str = "",
    ) -> int:
        """Add a key and return its number. Removes keys that have expired."""
        with self._database.writing() as connection:
            _remove_expired(connection, now)
            return _add(connection, kind, token, now=now, person=person, read_only=read_only, name=name)

    def replace(self, kind: KeyKind, token: str, *, now: datetime, person: str | None = None, name: str = "") -> int:
        """Add a key and remove those of the same kind, person, and name: their tokens end."""
        same = (
            (WEB_KEYS.c.kind == kind.value) & (WEB_KEYS.c.name == name) & WEB_KEYS.c.person.is_not_distinct_from(person)
        )
        with self._database.writing() as connection:
            connection.execute(WEB_KEYS.delete().where(same))
            return _add(connection, kind, token, now=now, person=person, read_only=True, name=name)

    def use_link(self, link: str, device: str, *, name: str, now: datetime) -> WebKey | None:
        """Sign in a device, called `name`, with the token of a one-time link, which ends; None if it has ended.

        `device` is the device's new token.
        """
        with self._database.writing() as connection:
            run = queries_on(connection)
            key = web.key_with(run, KeyKind.LINK, digest_of(link))
            if key is None or connection.execute(WEB_KEYS.delete().where(WEB_KEYS.c.id == key.id)).rowcount == 0:
                return None
            if not key.is_valid(now):
                return None
            _add(connection, KeyKind.DEVICE, device, now=now, person=key.person, read_only=key.read_only, name=name)
            return web.key_with(run, KeyKind.DEVICE, digest_of(device))

    def note_seen(self, key_id: int, now: datetime) -> None:
        """Record that the key was used."""
        with self._database.writing() as connection:
            connection.execute(WEB_KEYS.update().where(WEB_KEYS.c.id == key_id).values(last_seen_at=now))

    def remove(self, *key_ids: int) -> int:
        """End these keys with their push subscriptions; return how many there were."""
        with self._database.writing() as connection:
            return connection.execute(WEB_KEYS.delete().where(WEB_KEYS.c.id.in_(key_ids))).rowcount

    def add_passkey(
        self, credential: bytes, public_key: bytes, *, sign_count: int, owner: WebKey, name: str, now: datetime
    ) -> int:
        """Add a passkey with the rights of the device `owner`, and return its number."""
        values = {
            "credential": credential,
            "public_key": public_key,
            "sign_count": sign_count,
            "person": owner.person,
            "read_only": owner.read_only,
            "name": name,
            "created_at": now,
        }
        with self._database.writing() as connection:
            return int(connection.execute(PASSKEYS.insert().returning(PASSKEYS.c.id), values).scalar_one())

    def use_passkey(self, passkey: Passkey, device: str, *, sign_count: int, name: str, now: datetime) -> WebKey | None:
        """Sign in a device, called `name`, with a passkey; None if the passkey was removed or used meanwhile.

        `device` is the device's new token.
        """
        unchanged = (PASSKEYS.c.id == passkey.id) & (PASSKEYS.c.sign_count == passkey.sign_count)
        used = PASSKEYS.update().where(unchanged).values(sign_count=sign_count, last_used_at=now)
        with self._database.writing() as connection:
            if connection.execute(used).rowcount == 0:
                return None
            _remove_expired(connection, now)
            person, read_only = passkey.person, passkey.read_only
            _add(connection, KeyKind.DEVICE, device, now=now, person=person, read_only=read_only, name=name)
            return web.key_with(queries_on(connection), KeyKind.DEVICE, digest_of(device))

    def remove_passkeys(self, *passkey_ids: int) -> int:
        """Remove these passkeys; return how many there were."""
        with self._database.writing() as connection:
            return connection.execute(PASSKEYS.delete().where(PASSKEYS.c.id.in_(passkey_ids))).rowcount

    def subscribe(self, device_id: int, content: bytes, now: datetime) -> int:
        """Set the push subscription of a device, encrypted by the caller, and return its number."""
        values = {"device_id": device_id, "content": content, "created_at": now}
        with self._database.writing() as connection:
            connection.execute(PUSH_SUBSCRIPTIONS.delete().where(PUSH_SUBSCRIPTIONS.c.device_id == device_id))
            added = connection.execute(PUSH_SUBSCRIPTIONS.insert().returning(PUSH_SUBSCRIPTIONS.c.id), values)
            return int(added.scalar_one())

    def unsubscribe(self, subscription_id: int) -> bool:
        """Remove a push subscription; return whether there was one."""
        of_id = PUSH_SUBSCRIPTIONS.c.id == subscription_id
        with self._database.writing() as connection:
            return connection.execute(PUSH_SUBSCRIPTIONS.delete().where(of_id)).rowcount > 0


def _add(
    connection: Connection,
    kind: KeyKind,
    token: str,
    *,
    now: datetime,
    person: str | None,
    read_only: bool,
    name: str,
) -> int:
    values = {
        "kind": kind.value,
        "digest": digest_of(token),
        "person": person,
        "read_only": read_only,
        "name": name,
        "created_at": now,
    }
    return int(connection.execute(WEB_KEYS.insert().returning(WEB_KEYS.c.id), values).scalar_one())


def _remove_expired(connection: Connection, now: datetime) -> None:
    """Remove links and devices that have expired. A device that receives alerts stays, so that it still does."""
    run = queries_on(connection)
    expired = [
        key.id for kind in (KeyKind.LINK, KeyKind.DEVICE) for key in web.keys(run, kind) if not key.is_valid(now)
    ]
    is_subscribed = WEB_KEYS.c.id.in_(select(PUSH_SUBSCRIPTIONS.c.device_id))
    connection.execute(WEB_KEYS.delete().where(WEB_KEYS.c.id.in_(expired), ~is_subscribed))
