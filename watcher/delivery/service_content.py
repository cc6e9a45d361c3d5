"""The form of a message that a service takes: plain text, HTML, or short enough for an SMS."""

from dataclasses import dataclass
from typing import Any

_MAX_SHORT_FORM_BODY = 400
_LONG_SMS = frozenset(
    {"cm", "eight00com", "exotel", "octopush", "smpp", "smpps", "smseagle", "smseagles", "smstunnel", "telesign"}
)
_HTML_CHATS = frozenset({"tgram", "wecom", "pushplus"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A message in the form that a service takes. `format` is Apprise's: "text" or "html"."""

    title: str
    body: str
    format: str


def content_for(service: Any, *, title: str, body: str, html: str, short: str) -> Content:
    """Return the form of the message that suits one of Apprise's services."""
    formats = _formats(service)
    if service.body_maxlen <= _MAX_SHORT_FORM_BODY or schemas_of(service) & _LONG_SMS:
        return Content(title="", body=short, format="text")
    if formats[0] == "html" and not schemas_of(service) & _HTML_CHATS:
        return Content(title=title, body=html, format="html")
    return Content(title=title, body=body, format="text")


def _formats(service: Any) -> tuple[str, ...]:
    """Return the formats that the service takes, preferred first. A `format` in the URL overrides them."""
    override = service._format_override  # noqa: SLF001 - Apprise has no public way to get it
    if override is not None:
        return (str(override.value),)
    declared: Any = service.notify_format  # one, or several of which the first is preferred
    return tuple(str(entry.value) for entry in (declared if isinstance(declared, tuple | list) else (declared,)))


def schemas_of(service: Any) -> frozenset[str]:
    """Return the schemas of URLs that lead to the service."""
    return frozenset(service.schemas())
