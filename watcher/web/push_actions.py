"""Actions on push subscriptions, for `watcher.web.performing`. Imported only in the process that performs one."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from watcher.actions.alerts import send_test
from watcher.app import App
from watcher.context.device_channels import PushDevice, end_target, push_devices, save_target
from watcher.context.push_key import public_push_key
from watcher.errors import os_error_text
from watcher.messages import LANGUAGES, _
from watcher.model.change import Severity
from watcher.model.web import WebKey
from watcher.settings import WebSettings
from watcher.settings.device_channels import PushTarget, privacy_of, push_key_file, without_devices
from watcher.text.loopback import is_loopback
from watcher.web.outcome import Outcome

Arguments: TypeAlias = Mapping[str, Any]

_LOCK, _LOCK_TIMEOUT = "push key", 5.0
_MAX_ADDRESS, _POINT_BYTES, _AUTH_BYTES = 2_000, 65, 16
_MAX_NAME = 60
_PUBLIC_NAME = re.compile(r"(?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]*\.?")
"""A host that no resolver takes for an address: `127.1` and `0x7f.1` are 127.0.0.1."""

_LOCAL_NAMES = (".local", ".localhost", ".internal", ".lan", ".home.arpa")


def _key(app: App, _arguments: Arguments) -> Outcome:
    """Return the public key with which browsers subscribe. It is made when it is first needed."""
    file = push_key_file(app.settings)
    try:
        with app.store.locks.acquire(_LOCK, wait=_LOCK_TIMEOUT):
            return Outcome(texts=(public_push_key(file),))
    except OSError as error:
        return Outcome(refused=f"{file}: {os_error_text(error)}")


def _subscribe(app: App, arguments: Arguments) -> Outcome:
    """Set where a device receives alerts. The browser may have had another device's session before."""
    device: WebKey = arguments["device"]
    sent = arguments["sent"] if isinstance(arguments["sent"], dict) else {}
    language = arguments["language"]
    known = push_devices(app.store, app.settings)
    mine = next((one for one in known if one.subscription.device.id == device.id and one.target), None)
    try:
        endpoint, p256dh, auth = _checked(sent.get("subscription"), app.settings.web)
        target = PushTarget(
            name=mine.name if mine else _free_name(device.name, app, known),
            endpoint=endpoint,
            p256dh=p256dh,
            auth=auth,
            privacy=privacy_of(sent.get("privacy", "masked")),
            min_severity=Severity(sent.get("min_severity", "important")),
            language=language if language in LANGUAGES else "",
        )
    except (ValueError, TypeError, KeyError):
        return Outcome(refused=_("The browser sent no subscription that can be used. Reload the page and try again."))
    for other in known:
        if other.target is not None and other.target.endpoint == endpoint:
            app.store.web.unsubscribe(other.subscription.id)
    save_target(app.store, app.settings, device.id, target, now=app.clock.now())
    return Outcome(texts=(_("This device gets alerts from now on."),))


def _rules(app: App, arguments: Arguments) -> Outcome:
    device = _of_device(app, arguments)
    if device is None or device.target is None:
        return _not_subscribed()
    target = replace(
        device.target,
        privacy=privacy_of(arguments["privacy"]),
        min_severity=Severity(arguments["min_severity"]),
    )
    save_target(app.store, app.settings, arguments["device"], target, now=app.clock.now())
    return Outcome(texts=(_("Saved."),))


def _test(app: App, arguments: Arguments) -> Outcome:
    device = _of_device(app, arguments)
    channel = app.settings.channels.get(device.name) if device else None
    if device is None or channel is None:
        return _not_subscribed()
    result = send_test(channel, language=app.settings.language_of(channel.name), notifier=app.notifier)
    if result.gone:
        end_target(app.store, app.settings, channel.name, now=app.clock.now())
    if result.error is not None:
        return Outcome(refused=_("Not sent: {reason}", reason=result.error))
    return Outcome(texts=(_("A test alert was sent to this device."),))


def _stop(app: App, arguments: Arguments) -> Outcome:
    app.store.web.unsubscribe(arguments["subscription"])
    return Outcome(texts=(_("The device gets no more alerts."),))


ACTIONS: dict[str, Callable[[App, Arguments], Outcome]] = {
    "push_key": _key,
    "push_subscribe": _subscribe,
    "push_rules": _rules,
    "push_test": _test,
    "push_stop": _stop,
}


def _of_device(app: App, arguments: Arguments) -> PushDevice | None:
    devices = push_devices(app.store, app.settings)
    return next((device for device in devices if device.subscription.device.id == arguments["device"]), None)


def _not_subscribed() -> Outcome:
    return Outcome(refused=_("This device gets no alerts."))


def _free_name(name: str, app: App, known: Collection[PushDevice]) -> str:
    """Return a name for the channel that no other channel or device has."""
    taken = {*without_devices(app.settings.channels), *(device.name for device in known)}
    name = name[:_MAX_NAME]
    numbered = (f"{name} {number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(one for one in numbered if one not in taken)


def _checked(subscription: Any, web: WebSettings) -> tuple[str, str, str]:
    """Return address and keys of a browser's subscription. Raises ValueError, TypeError, or KeyError."""
    endpoint, keys = subscription["endpoint"], subscription["keys"]
    if not isinstance(endpoint, str) or not _is_push_service(endpoint, web):
        raise ValueError(endpoint)
    point, auth = _decoded(keys["p256dh"]), _decoded(keys["auth"])
    if len(point) != _POINT_BYTES or len(auth) != _AUTH_BYTES:
        raise ValueError(keys)
    EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    return endpoint, keys["p256dh"], keys["auth"]


def _is_push_service(endpoint: str, web: WebSettings) -> bool:
    """Return whether an address may be that of a push service: a public one, or this machine if the page is local.

    The address comes from a browser, and requests to it must not reach other machines of the network.
    """
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    if parts.scheme != "https" or len(endpoint) > _MAX_ADDRESS or not endpoint.isprintable() or parts.username:
        return False
    if is_loopback(endpoint):
        return web.is_local and (not web.url or is_loopback(web.url))
    return bool(_PUBLIC_NAME.fullmatch(host)) and not host.rstrip(".").endswith(_LOCAL_NAMES)


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
