"""Alerts to devices through Apprise's service `vapid`: the subscription from the channel's URL, and what is pushed.

The page's service worker shows what is pushed; `watcher/web/static/service-worker.js` reads the same keys.
"""

import json
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from watcher.delivery.channel_url import schema
from watcher.delivery.message_traits import Traits
from watcher.model.change import Severity
from watcher.model.web import PUSH_TARGET, SUBSCRIPTION_OPTION

MAX_BYTES: Final = 3_800
"""Of what is pushed. Services accept at least 4,096, encrypted (RFC 8030, 7.2)."""

KEPT_FOR: Final = 7 * 24 * 3600
"""Seconds for which a service keeps an alert for a device that cannot be reached."""

_GONE: Final = frozenset({404, 410})
_ELLIPSIS: Final = "…"


def is_device(url: SecretStr) -> bool:
    """Return whether the URL is the channel of a device. Others may use `vapid` for a page of their own."""
    return schema(url) == "vapid" and SUBSCRIPTION_OPTION in _options(url)


def prepare(service: Any, url: SecretStr) -> None:
    """Give Apprise's service the subscription that is in the URL, which it would read from a file."""
    service.subscriptions.add(_options(url)[SUBSCRIPTION_OPTION][0], name=PUSH_TARGET)
    service.targets = [PUSH_TARGET]
    service.ttl = KEPT_FOR  # Apprise's option allows a minute


def headers_of(traits: Traits) -> dict[str, str]:
    """Return the header that lets an urgent alert wake a phone that saves power (RFC 8030, 5.3)."""
    return {"Urgency": "high"} if traits.severity is Severity.URGENT else {}


def has_ended(statuses: list[int]) -> bool:
    """Return whether the service's answers say that it no longer knows the subscription (RFC 8030, 7.3)."""
    return bool(statuses) and _GONE.issuperset(statuses)


def pushed(title: str, body: str, traits: Traits) -> str:
    """Return what is pushed, as JSON within the limit. The end of a long body is left out."""
    room = MAX_BYTES - len(_encoded(title, "", traits).encode())
    text = body
    while text and len(json.dumps(text, ensure_ascii=False).encode()) > room:
        text = _shortened(text)
    return _encoded(title, text, traits)


def _shortened(text: str) -> str:
    start = text.removesuffix(_ELLIPSIS)
    start = start[: -max(1, len(start) // 20)].rstrip()
    return start and start + _ELLIPSIS


def _encoded(title: str, body: str, traits: Traits) -> str:
    urgent = traits.severity is Severity.URGENT
    alert = {"title": title, "body": body, "link": traits.link, "urgent": urgent}
    return json.dumps(alert, ensure_ascii=False, separators=(",", ":"))


def _options(url: SecretStr) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url.get_secret_value()).query)
