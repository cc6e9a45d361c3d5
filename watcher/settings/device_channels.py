"""Channels of devices: a browser's push subscription with its rules, in the database instead of the configuration.

They are ordinary channels. Their URL is one of Apprise's service `vapid` that contains the subscription as an option,
so that no file on disk does.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Literal, cast
from urllib.parse import urlencode, urlsplit

from pydantic import SecretStr

from watcher.model.change import Severity
from watcher.model.web import PUSH_TARGET, SUBSCRIPTION_OPTION
from watcher.settings import ChannelSettings, Settings, WebSettings

PUSH_KEY_FILE: Final = "push_key.pem"
"""The file in state_dir with the key that signs what is pushed to devices (VAPID, RFC 8292)."""


class DeviceChannel(ChannelSettings):
    """The channel of a device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushTarget:
    """Where a browser receives alerts, and by which rules. `ended`: its push service no longer knows it.

    The endpoint is an address that anybody who knows it could push to, and `auth` is a secret of the browser.
    """

    name: str
    endpoint: str
    p256dh: str
    auth: str
    privacy: Literal["full", "masked", "minimal"] = "masked"
    min_severity: Severity = Severity.IMPORTANT
    language: Literal["", "en", "es", "fr"] = ""
    ended: bool = False

    def encode(self) -> bytes:
        """Return it as it is stored, before it is encrypted."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, content: bytes) -> "PushTarget":
        """Return what `encode` made into bytes."""
        values = json.loads(content)
        return cls(**values | {"min_severity": Severity(values["min_severity"])})

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be in any log."""
        return self.endpoint, self.auth

    def channel(self, person: str | None, settings: Settings) -> DeviceChannel:
        """Return the channel. One for a person gets only the alerts about that person's cases."""
        return DeviceChannel(
            name=self.name,
            url=_url(self, settings),
            people=frozenset({person} if person else ()),
            privacy=self.privacy,
            min_severity=self.min_severity,
            language=self.language,
        )


def push_key_file(settings: Settings) -> Path:
    """Return the file with the key that signs what is pushed to devices."""
    return settings.state_dir / PUSH_KEY_FILE


def without_devices(channels: Mapping[str, ChannelSettings]) -> dict[str, ChannelSettings]:
    """Return the channels of the configuration."""
    return {name: channel for name, channel in channels.items() if not isinstance(channel, DeviceChannel)}


def _url(target: PushTarget, settings: Settings) -> SecretStr:
    keys = {"p256dh": target.p256dh, "auth": target.auth}
    options = {
        "keyfile": str(push_key_file(settings).absolute()),
        "image": "no",
        SUBSCRIPTION_OPTION: json.dumps({"endpoint": target.endpoint, "keys": keys}, separators=(",", ":")),
    }
    return SecretStr(f"vapid://{_contact(settings.web)}/{PUSH_TARGET}?{urlencode(options)}")


def _contact(web: WebSettings) -> str:
    """Return the address that push services are told as the sender's: in the domain of the page, if it has one.

    They require one, and some refuse a domain that cannot exist.
    """
    host = urlsplit(web.url).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        is_domain = "." in host
    else:
        is_domain = False
    return f"case-watcher@{host if is_domain else 'example.com'}"


def privacy_of(text: str) -> Literal["full", "masked", "minimal"]:
    """Return a level of privacy. Raises ValueError for any other text."""
    if text not in {"full", "masked", "minimal"}:
        raise ValueError(text)
    return cast('Literal["full", "masked", "minimal"]', text)
