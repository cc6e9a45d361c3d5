"""What can be told from a channel's URL without Apprise: its schema, its caveat, and which parts to redact."""

import re
from urllib.parse import unquote

from pydantic import SecretStr

from watcher.messages import _, mark

# Redacting shorter parts would damage the text, and they protect nothing that could not be guessed.
_MIN_REDACTED_LENGTH = 4

_MATRIX = mark("Apprise creates a room that does not exist and reports success. Check that this is the room you read.")
_MQTT = mark("The broker accepted the message. It does not say whether anyone is subscribed.")
_MAIL = mark("The mail server accepted the message. It may still land in a spam folder or bounce.")
_IRC = mark("IRC confirms nothing: Apprise reports success even if the nick or channel does not exist.")
_XMPP = mark(
    "XMPP confirms nothing: Apprise reports success even if the recipient is unknown, the server's certificate is"
    " not trusted, or the sign-in failed."
)
_SYSLOG = mark("Nothing confirms that a log was written.")
_CAVEATS = {
    "irc": _IRC,
    "ircs": _IRC,
    "xmpp": _XMPP,
    "xmpps": _XMPP,
    "matrix": _MATRIX,
    "matrixs": _MATRIX,
    "mqtt": _MQTT,
    "mqtts": _MQTT,
    "mailto": _MAIL,
    "mailtos": _MAIL,
    "syslog": _SYSLOG,
    "rsyslog": _SYSLOG,
}


def schema(url: SecretStr) -> str:
    """Return what precedes `://`, in lower case; "" if there is none. No other part of a URL may be shown."""
    match = re.match(r"\s*([A-Za-z0-9]{1,20})://", url.get_secret_value())
    return match[1].lower() if match else ""


def delivery_caveat(url: SecretStr) -> str | None:
    """Return one sentence if the service confirms less than "sent" suggests; None if it confirms delivery."""
    caveat = _CAVEATS.get(schema(url))
    return caveat and _(caveat)


def redact_url(text: str, url: SecretStr) -> str:
    """Replace every part of the URL that could be secret: host, names, passwords, path, query. Longest parts first."""
    full_url = url.get_secret_value()
    rest = full_url.partition("://")[2]
    raw_parts = {full_url, rest, *re.split(r"[/?&=:@,;#]", rest)}
    parts = {form for part in raw_parts for form in (part, unquote(part)) if len(form) >= _MIN_REDACTED_LENGTH}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, "…")
    return text
