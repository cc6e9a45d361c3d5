"""Delivery of one message to one channel through Apprise. The only module that imports Apprise.

Apprise is imported when the first message is sent or the first URL is checked, because it takes about 25 MiB that are
never freed. The daemon therefore uses it in a child process (`watcher.delivery.sender_process`).

Each message gets a new service object. Apprise waits up to 5.5 seconds between two messages of one object, which would
delay the following messages; a service that limits the rate returns an error, and the outbox retries later. State of
an object, such as the sign-in at a Matrix server, is created anew for each message. Nothing is stored on disk.
"""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Thread, get_ident
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from watcher.delivery.channel_url import redact_url, schema
from watcher.delivery.smtp_passwords import SMTPLIB
from watcher.errors import DeliveryFailed

if TYPE_CHECKING:
    from apprise import AppriseAsset, AppriseResult, NotifyBase
    from apprise.manager_plugins import NotificationManager

_log = logging.getLogger(__name__)

_MAX_SHORT_FORM_BODY = 400
_LONG_SMS = frozenset(
    {"cm", "eight00com", "exotel", "octopush", "smpp", "smpps", "smseagle", "smseagles", "smstunnel", "telesign"}
)
_HTML_CHATS = frozenset({"tgram", "wecom", "pushplus"})
_CONNECT_TIMEOUT, _READ_TIMEOUT = 10.0, 20.0


class Notifier(Protocol):
    """Sends messages to channels."""

    def send(
        self, url: SecretStr, *, title: str, body: str, html: str, short: str, attachments: Sequence[Path] = ()
    ) -> None:
        """Send one message in the form that suits the service: plain text, HTML, or short enough for an SMS.

        Returns when the service has accepted it. Raises `DeliveryFailed`, whose message shows neither the URL nor a
        secret; it is `permanent` if the URL itself is invalid.
        """
        ...

    def can_attach(self, url: SecretStr) -> bool:
        """Return whether the channel's service accepts attachments; False for an invalid URL."""
        ...


class AppriseNotifier:
    """Sends through Apprise. `timeout` limits one message, in seconds; with None, the caller limits the time.

    A message that takes longer counts as failed and is sent again later. If the service accepted it after all, it
    arrives twice, so `timeout` is longer than Apprise's own timeouts for a server.
    """

    def __init__(self, *, timeout: float | None = 60.0) -> None:
        """Create a notifier without sending anything."""
        self._timeout = timeout

    def send(
        self, url: SecretStr, *, title: str, body: str, html: str, short: str, attachments: Sequence[Path] = ()
    ) -> None:
        """Send as described in `Notifier.send`. Missing attachments are left out."""
        service = _service(url)
        content = _content_for(service, title=title, body=body, html=html, short=short)
        present = [path for path in attachments if path.is_file()] if service.attachment_support else []
        if service.attachment_support and len(present) < len(attachments):
            _log.warning("attachment_missing")
        result = self._send_within_timeout(service, content, present)
        if not result:
            raise DeliveryFailed(f"{_name(service)}: {_reason(result, url)}")

    def can_attach(self, url: SecretStr) -> bool:
        """Return as described in `Notifier.can_attach`."""
        try:
            return bool(_service(url).attachment_support)
        except DeliveryFailed:
            return False

    def _send_within_timeout(
        self, service: "NotifyBase", content: "_Content", attachments: Sequence[Path]
    ) -> "AppriseResult":
        """Return Apprise's result. Uses its own daemon thread: one in Apprise's pool would delay the process's exit."""
        outcome: list[Any] = []

        def deliver() -> None:
            try:
                outcome.append(_deliver(service, content, attachments))
            except Exception as error:  # noqa: BLE001 - there are 183 plug-ins by as many authors; none may stop the outbox
                outcome.append(error)

        if self._timeout is None:
            deliver()
        else:
            thread = Thread(target=deliver, name="delivery", daemon=True)
            thread.start()
            thread.join(self._timeout)
        if not outcome:
            raise DeliveryFailed(f"{_name(service)}: no answer within {self._timeout:g} seconds")
        if isinstance(outcome[0], Exception):
            raise DeliveryFailed(f"{_name(service)}: the plug-in failed with {type(outcome[0]).__name__}")
        result: AppriseResult = outcome[0]
        return result


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """A message in the form that a service takes. `format` is Apprise's: "text" or "html"."""

    title: str
    body: str
    format: str


def check_url(url: SecretStr) -> str | None:
    """Return what is wrong with a channel's URL, without showing it; None if it is valid. Sends nothing.

    Apprise accepts some URLs that can never work. One of them, an ntfy URL without a topic, is refused here.
    """
    try:
        service = _service(url)
    except DeliveryFailed as error:
        return str(error)
    if "ntfy" in _schemas(service) and not getattr(service, "topics", None):
        return "ntfy: the URL names no topic; write ntfys://SERVER/TOPIC"
    return None


def _service(url: SecretStr) -> "NotifyBase":
    """Return the service for the URL. Raises a permanent `DeliveryFailed` if none is available."""
    import apprise  # noqa: PLC0415 - see the module's docstring

    _refuse_disabled(schema(url))
    with _without_logging():
        service = apprise.Apprise.instantiate(url.get_secret_value(), asset=_asset())
    if service is None:
        shown = f"{schema(url)}://" if schema(url) else "this"
        raise DeliveryFailed(f"{shown} is no URL that Apprise understands; see the page of the service", permanent=True)
    # An optional service would report a failure as a success.
    service.optional = False
    options = {name.lower() for name, _ in parse_qsl(urlsplit(url.get_secret_value()).query)}
    if "cto" not in options:
        service.socket_connect_timeout = _CONNECT_TIMEOUT
    if "rto" not in options:
        service.socket_read_timeout = _READ_TIMEOUT
    if "overflow" not in options:
        service.overflow_mode = apprise.OverflowMode.SPLIT
    return service


@contextmanager
def _without_logging() -> Iterator[None]:
    """Suppress Apprise's log messages in this thread, because they contain a URL that it cannot parse."""
    thread = get_ident()

    def is_other_thread(record: logging.LogRecord) -> bool:
        return record.thread != thread

    logger = logging.getLogger("apprise")
    logger.addFilter(is_other_thread)
    try:
        yield
    finally:
        logger.removeFilter(is_other_thread)


def _asset() -> "AppriseAsset":
    from apprise import AppriseAsset  # noqa: PLC0415 - see the module's docstring

    return AppriseAsset(
        app_id="case-watcher",
        app_desc="case-watcher",
        app_url="",
        # Every phone that shows the alert would load an icon from a third party.
        image_url_mask="",
        image_url_logo="",
        http_redirects=False,
        interpret_escapes=False,
        interpret_emojis=False,
        allow_templates=False,
        secure_logging=True,
        pgp_autogen=False,
        pem_autogen=False,
        service_timeout=0,  # `AppriseNotifier` has its own timeout
    )


@cache
def _plugins() -> "NotificationManager":
    """Return Apprise's plug-ins; reads them from disk the first time. Mail passwords may be beyond ASCII."""
    from apprise.manager_plugins import NotificationManager  # noqa: PLC0415 - see the module's docstring

    with warnings.catch_warnings():
        # Apprise tries a module that Python 3.13 removed, and has a substitute.
        warnings.filterwarnings("ignore", message="'imghdr' is deprecated", category=DeprecationWarning)
        plugins = NotificationManager()  # type: ignore[no-untyped-call]
        plugins.load_modules()  # type: ignore[no-untyped-call]
        from apprise.plugins.email import smtp  # noqa: PLC0415

    setattr(smtp, "smtplib", SMTPLIB)  # noqa: B010 - the plug-in has no option for its client
    return plugins


def _refuse_disabled(name: str) -> None:
    """Raise `DeliveryFailed` if the plug-in lacks a package: Apprise would only report an invalid URL."""
    plugins = _plugins()
    if name not in plugins or plugins[name].enabled:
        return
    required = plugins[name].requirements.get("packages_required") or "something that this system does not have"
    packages = ", ".join([required] if isinstance(required, str) else required)
    raise DeliveryFailed(f"{name}:// needs {packages}; install it beside case-watcher", permanent=True)


def _content_for(service: "NotifyBase", *, title: str, body: str, html: str, short: str) -> _Content:
    formats = _formats(service)
    if service.body_maxlen <= _MAX_SHORT_FORM_BODY or _schemas(service) & _LONG_SMS:
        return _Content(title="", body=short, format="text")
    if formats[0] == "html" and not _schemas(service) & _HTML_CHATS:
        return _Content(title=title, body=html, format="html")
    return _Content(title=title, body=body, format="text")


def _formats(service: "NotifyBase") -> tuple[str, ...]:
    """Return the formats that the service takes, preferred first. A `format` in the URL overrides them."""
    override = service._format_override  # noqa: SLF001 - Apprise has no public way to get it
    if override is not None:
        return (str(override.value),)
    declared: Any = service.notify_format  # one, or several of which the first is preferred
    return tuple(str(entry.value) for entry in (declared if isinstance(declared, tuple | list) else (declared,)))


def _schemas(service: "NotifyBase") -> frozenset[str]:
    return frozenset(service.schemas())  # type: ignore[no-untyped-call]


def _deliver(service: "NotifyBase", content: _Content, attachments: Sequence[Path]) -> "AppriseResult":
    from apprise import Apprise, AppriseAttachment  # noqa: PLC0415 - see the module's docstring
    from apprise.attachment.file import AttachFile  # noqa: PLC0415

    files = [AttachFile(str(path)) for path in attachments]  # type: ignore[no-untyped-call]
    attach = AppriseAttachment(files) if files else None
    sender = Apprise(service, asset=service.asset)
    return sender.notify(content.body, title=content.title, body_format=content.format, attach=attach)


def _name(service: "NotifyBase") -> str:
    return str(service.service_name)


def _reason(result: "AppriseResult", url: SecretStr) -> str:
    """Return the plug-in's last log message with every part of the URL redacted."""
    messages = [str(entry.message) for service_result in result for entry in service_result.logs()]
    reason = " ".join(messages[-1].split()) if messages else f"it reported {result.status.name.lower()}"
    return redact_url(reason, url)[:300]
