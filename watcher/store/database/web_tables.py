"""The tables of who may use the page, declared as in `watcher.store.database.tables`."""

from datetime import datetime

from sqlmodel import Field

from watcher.store.database.row import Row


class WebKeyRow(Row, table=True):
    """A token that opens something on the page, as its SHA-256 digest. `kind` is one of `watcher.model.web.KeyKind`.

    `person` NULL stands for everybody. `name` is the device, or the account of a hand-over token. `last_seen_at` is
    when a device was last used.
    """

    __tablename__ = "web_key"

    id: int = Field(primary_key=True)
    kind: str
    digest: bytes = Field(unique=True)
    person: str | None
    read_only: bool
    name: str
    created_at: datetime
    last_seen_at: datetime | None


class PasskeyRow(Row, table=True):
    """A passkey (WebAuthn credential) that signs in a device with the rights of the device that added it."""

    __tablename__ = "passkey"

    id: int = Field(primary_key=True)
    credential: bytes = Field(unique=True)
    public_key: bytes
    sign_count: int
    person: str | None
    read_only: bool
    name: str
    created_at: datetime
    last_used_at: datetime | None


class PushSubscriptionRow(Row, table=True):
    """Where a device receives alerts through Web Push. `content` is encrypted like `sealed`.

    It is deleted with its device.
    """

    __tablename__ = "push_subscription"

    id: int = Field(primary_key=True)
    device_id: int = Field(foreign_key="web_key.id", ondelete="CASCADE", unique=True)
    content: bytes
    created_at: datetime


WEB_KEYS, PASSKEYS, PUSH_SUBSCRIPTIONS = (
    Row.metadata.tables[name] for name in ("web_key", "passkey", "push_subscription")
)
