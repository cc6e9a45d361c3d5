"""The channels of devices, which are in the database, beside those of the configuration."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import SecretStr

from watcher.context.opening import machine_key_file, saved_values
from watcher.model.web import PushSubscription
from watcher.privacy.redaction import register_secrets
from watcher.privacy.sealing import Seal, Unsealable
from watcher.privacy.state_keys import SEAL_NAME, StateKeys
from watcher.settings import Settings
from watcher.settings.derived import sealing_keys
from watcher.settings.device_channels import PushTarget, without_devices
from watcher.store import StoreReader
from watcher.store.readonly import ReadOnlyStore

if TYPE_CHECKING:
    from watcher.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class PushDevice:
    """A device with a push subscription. `target` is None if no key of this machine decrypts it."""

    subscription: PushSubscription
    target: PushTarget | None

    @property
    def name(self) -> str:
        """The name of its channel, otherwise that of the device."""
        return self.target.name if self.target else self.subscription.device.name

    @property
    def has_ended(self) -> bool:
        """Whether its push service no longer knows the subscription, so that it gets no alerts."""
        return self.target is not None and self.target.ended


def push_devices(store: StoreReader, settings: Settings) -> list[PushDevice]:
    """Return the devices with a push subscription, also those whose subscription has ended. Raises `StoreUnusable`."""
    stored = store.web.push_subscriptions()
    if not stored:
        return []
    keys = tuple(key.get_secret_value() for key in _keys(store, settings))
    return [PushDevice(subscription=one, target=_opened(keys, one.content)) for one in stored]


def with_devices(settings: Settings, store: StoreReader) -> Settings:
    """Return the settings with the devices that receive alerts now as channels. Raises `StoreUnusable`.

    They are the same object if nothing has changed. A channel of the configuration has precedence over a device with
    the same name.
    """
    configured = without_devices(settings.channels)
    channels = dict(configured)
    for device in push_devices(store, settings):
        if device.target is not None and not device.has_ended and device.name not in configured:
            register_secrets(device.target.secrets)
            channels[device.name] = device.target.channel(device.subscription.device.person, settings)
    return settings if channels == settings.channels else settings.model_copy(update={"channels": channels})


def save_target(store: "Store", settings: Settings, device_id: int, target: PushTarget, *, now: datetime) -> None:
    """Set the push subscription of a device. Raises `StoreUnusable`."""
    store.web.subscribe(device_id, saved_values(store, settings).sealed(target.encode()), now)


def end_target(store: "Store", settings: Settings, name: str, *, now: datetime) -> None:
    """Record that the push service of the device with this channel ended its subscription. Raises `StoreUnusable`."""
    for device in push_devices(store, settings):
        if device.target is not None and device.name == name and not device.has_ended:
            ended = replace(device.target, ended=True, endpoint="", auth="", p256dh="")
            save_target(store, settings, device.subscription.device.id, ended, now=now)


def _keys(store: StoreReader, settings: Settings) -> Sequence[SecretStr]:
    if isinstance(store, ReadOnlyStore):  # of a database that has no password
        return StateKeys(sealing_keys(settings), password=None, file=machine_key_file(settings)).all()
    return saved_values(store, settings).keys()  # type: ignore[arg-type]  # every other one is a Store


@lru_cache(maxsize=64)  # decryption with a passphrase takes 0.05 s
def _opened(keys: Sequence[str], content: bytes) -> PushTarget | None:
    try:
        return PushTarget.decode(Seal(SEAL_NAME, [SecretStr(key) for key in keys]).unseal(content))
    except Unsealable:
        return None
