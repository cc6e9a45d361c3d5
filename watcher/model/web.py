"""Who may use the page: keys (links, devices, calendars, hand-overs) and passkeys."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LINK_TIME = timedelta(minutes=10)
"""How long a one-time link can be used."""

IDLE_TIME = timedelta(days=90)
"""How long a device stays signed in without being used."""

HAND_OVER_TIME = timedelta(days=180)
"""How long a bookmark, Shortcut, or extension can hand over without being used."""

ALERT_LINK_TIME = timedelta(days=30)
"""How long the link in an alert can be used."""

AHEAD = timedelta(minutes=1)
"""How far in the future a stored moment may lie: clocks of machines that share a database differ."""

PUSH_TARGET = "device"
"""What the URL of a device's channel calls its only subscription."""

SUBSCRIPTION_OPTION = "subscription"
"""The option of that URL that has the subscription as JSON."""


class KeyKind(StrEnum):
    """What a token opens."""

    LINK = "link"  # signs in a device, once
    DEVICE = "device"  # a device that is signed in
    CALENDAR = "calendar"  # the calendar feed
    HANDOVER = "handover"  # hands over a portal's pages or session to an account


@dataclass(frozen=True, slots=True, kw_only=True)
class WebKey:
    """A token that opens something on the page, without the token itself.

    `person` None stands for everybody's cases. `name` is the device, or the account of a hand-over.
    """

    id: int
    kind: KeyKind
    person: str | None
    read_only: bool
    name: str
    created_at: datetime
    last_seen_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """Return whether the token can still be used."""
        if self.kind is KeyKind.LINK:
            return -AHEAD <= now - self.created_at < LINK_TIME
        if self.kind is KeyKind.DEVICE:
            return now - (self.last_seen_at or self.created_at) < IDLE_TIME
        if self.kind is KeyKind.HANDOVER:
            return now - (self.last_seen_at or self.created_at) < HAND_OVER_TIME
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A WebAuthn credential. It signs in a device with the rights of the device that added it."""

    id: int
    credential: bytes
    public_key: bytes
    sign_count: int
    person: str | None
    read_only: bool
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSubscription:
    """Where a device receives alerts through Web Push. `content` is encrypted."""

    id: int
    device: WebKey
    content: bytes
    created_at: datetime
