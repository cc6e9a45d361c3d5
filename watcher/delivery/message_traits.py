"""What a message is about, for services that show it: priority, tag, the page it opens, and its mail thread. Pure.

They are given as options of the channel's URL, which is how Apprise takes them. An option that the user set stays.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from pydantic import SecretStr

from watcher.delivery.channel_url import schema
from watcher.model.change import Severity

_NTFY: Final = {Severity.URGENT: "max", Severity.IMPORTANT: "high", Severity.ROUTINE: "default"}
"""ntfy's priorities 5, 4, and 3."""

_PUSH: Final = {Severity.URGENT: "high", Severity.IMPORTANT: "normal", Severity.ROUTINE: "low"}
"""The highest one of these services, "emergency", repeats until somebody confirms it; only the user may choose that."""

_MAIL: Final = {Severity.URGENT: ("1", "high"), Severity.IMPORTANT: ("3", "normal"), Severity.ROUTINE: ("5", "low")}
"""The headers X-Priority and Importance (RFC 2156)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What a message is about. A trait that is None or empty is left out.

    `tag` is the kind of its most severe change. `link` is the alert on the program's own page, otherwise an address of
    the portal's fixed table. A POST to `seen` marks it as seen; `seen_label` is the button's text. `thread` is the same
    for all messages about one case; it is not shown to anybody, only its hash is.
    """

    severity: Severity | None = None
    tag: str = ""
    link: str = ""
    seen: str = ""
    seen_label: str = ""
    thread: str = ""


NO_TRAITS: Final = Traits()


def with_traits(url: SecretStr, traits: Traits) -> SecretStr:
    """Return the URL with the options of its service that show the traits."""
    given = {name.lower() for name, _ in parse_qsl(urlsplit(url.get_secret_value()).query, keep_blank_values=True)}
    options = {
        name: value for name, value in _options(url, traits).items() if value and not {name.lower(), name[1:]} & given
    }
    if not options:
        return url
    text = url.get_secret_value()
    return SecretStr(f"{text}{'&' if '?' in text else '?'}{urlencode(options, safe='+', quote_via=quote)}")


def _options(url: SecretStr, traits: Traits) -> dict[str, str]:
    severity = traits.severity
    match schema(url):
        case "ntfy" | "ntfys":
            priority = _NTFY[severity] if severity else ""
            return {"priority": priority, "xtags": traits.tag, "click": traits.link, "actions": _seen_button(traits)}
        case "pover":
            return {"priority": _PUSH[severity] if severity else "", "url": traits.link}
        case "gotify" | "gotifys" | "prowl" | "pushsafer" | "pushsafers":
            return {"priority": _PUSH[severity] if severity else ""}
        case "bark" | "barks":
            return {"click": traits.link}
        case "mailto" | "mailtos":
            return _mail_headers(url, traits)
    return {}


def _seen_button(traits: Traits) -> str:
    """Return ntfy's action that marks the alert as seen and takes it off the phone; "" if there is no address for it.

    See https://docs.ntfy.sh/publish/#send-http-request.
    """
    return traits.seen and f"http, {traits.seen_label}, {traits.seen}, method=POST, clear=true"


def _mail_headers(url: SecretStr, traits: Traits) -> dict[str, str]:
    """Return the headers by which mail programs sort by priority and show one case as one thread.

    Apprise makes the Message-ID itself. All messages of a case refer to the same message, which was never sent (RFC
    5322, 3.6.4): mail programs group them below it. The URL, which is secret, keeps anybody from guessing the number.
    """
    headers = {}
    if traits.severity is not None:
        headers["+X-Priority"], headers["+Importance"] = _MAIL[traits.severity]
    if traits.thread:
        digest = hmac.new(url.get_secret_value().encode(), traits.thread.encode(), hashlib.sha256).hexdigest()
        headers["+References"] = headers["+In-Reply-To"] = f"<{digest[:32]}@case-watcher>"
    return headers
