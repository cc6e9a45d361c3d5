"""Delivery of one message to one channel through Apprise. The only module that imports Apprise.

Apprise is imported when the first message is sent or the first URL is checked, because it takes about 25 MiB that are
never freed. The daemon therefore uses it in a child process (`watcher.delivery.sender_process`).

Each message gets a new service object. Apprise waits up to 5.5 seconds between two messages of one object, which would
delay the following messages; a service that limits the rate returns an error, and the outbox retries later. State of
an object, such as the sign-in at a Matrix server, is created anew for each message. Nothing is stored on disk.
"""

import logging
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from threading import Thread, get_ident
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from watcher.delivery import web_push
from watcher.delivery.channel_url import redact_url, schema
from watcher.delivery.failure_texts import (
    device_gone_text,
    no_answer_text,
    not_understood_text,
    package_missing_text,
    plug_in_failed_text,
)
from watcher.delivery.memory_limit import limited_growth
from watcher.delivery.message_traits import NO_TRAITS, Traits, with_traits
from watcher.delivery.service_content import Content, content_for, schemas_of
from watcher.delivery.smtp_passwords import SMTPLIB
from watcher.delivery.targets import AcceptedTargets
from watcher.errors import DeliveryFailed
from watcher.messages import _

if TYPE_CHECKING:
    from apprise import AppriseAsset, AppriseResult, NotifyBase
    from apprise.manager_plugins import NotificationManager

_log = logging.getLogger(__name__)

_CONNECT_TIMEOUT, _READ_TIMEOUT = 10.0, 20.0


class Notifier(Protocol):
    """Sends messages to channels."""

    def send(
        self,
        url: SecretStr,
        *,
        title: str,
        body: str,
        html: str,
        short: str,
        attachments: Sequence[Path] = (),
        accepted_by: Collection[str] = (),
        traits: Traits = NO_TRAITS,
    ) -> None:
        """Send one message in the form that suits the service: plain text, HTML, or short enough for an SMS.

        Services that can show the `traits` do. Returns when every target of the URL has accepted it; those in
        `accepted_by` have, and do not get it again.
        Raises `DeliveryFailed`, whose message shows neither the URL nor a secret; it is `permanent` if the URL itself
        is invalid.
        """
        ...

    def can_attach(self, url: SecretStr) -> bool:
        """Return whether the channel's service accepts attachments; False for an invalid URL."""
        ...


class AppriseNotifier:
    """Sends through Apprise. `timeout` limits one message, in seconds; with None, the caller limits time and memory.

    A message that takes longer counts as failed and is sent again later. If the service accepted it after all, it
    arrives twice, so `timeout` is longer than Apprise's own timeouts for a server.
    """

    def __init__(self, *, timeout: float | None = 60.0) -> None:
        """Create a notifier without sending anything."""
        self._timeout = timeout

    def send(
        self,
        url: SecretStr,
        *,
        title: str,
        body: str,
        html: str,
        short: str,
        attachments: Sequence[Path] = (),
        accepted_by: Collection[str] = (),
        traits: Traits = NO_TRAITS,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Send as described in `Notifier.send`. Missing attachments are left out.

        `report` is called with each target that accepts the message, at once.
        """
        service, for_device = _service(with_traits(url, traits)), web_push.is_device(url)
        content = content_for(service, title=title, body=body, html=html, short=short)
        if for_device:
            content = Content(title="", body=web_push.pushed(title, body, traits), format="text")
        present = [path for path in attachments if path.is_file()] if service.attachment_support else []
        if service.attachment_support and len(present) < len(attachments):
            _log.warning("attachment_missing")
        from watcher.delivery.service_answers import AnswerLog, noting  # noqa: PLC0415 - it imports `requests`

        targets = AcceptedTargets(accepted_by, report)
        answers = AnswerLog(web_push.headers_of(traits) if for_device else {})

        def deliver() -> "AppriseResult":
            with _remembering(targets), noting(answers):
                return _deliver(service, content, present)

        result = self._within_timeout(deliver)
        if for_device and web_push.has_ended(answers.errors):
            raise DeliveryFailed(device_gone_text(), permanent=True, gone=True)
        if isinstance(result, str) or not result:
            raise DeliveryFailed(
                f"{service.service_name}: {result if isinstance(result, str) else _reason(result, url)}",
                refused=answers.refuse_message,
                retry_after=answers.retry_after,
                accepted_by=frozenset(targets.tokens),
            )

    def can_attach(self, url: SecretStr) -> bool:
        """Return as described in `Notifier.can_attach`."""
        try:
            return bool(_service(url).attachment_support)
        except DeliveryFailed:
            return False

    def _within_timeout(self, deliver: "Callable[[], AppriseResult]") -> "AppriseResult | str":
        """Return Apprise's result, or why there is none.

        Uses its own daemon thread: one in Apprise's pool would delay the process's exit.
        """
        outcome: list[AppriseResult | str] = []

        def run() -> None:
            try:
                outcome.append(deliver())
            except Exception as error:  # noqa: BLE001 - there are 183 plug-ins by as many authors; none may stop the outbox
                outcome.append(plug_in_failed_text(error))

        if self._timeout is None:
            run()
        else:
            thread = Thread(target=run, name="delivery", daemon=True)
            with limited_growth():
                thread.start()
                thread.join(self._timeout)
        return outcome[0] if outcome else no_answer_text(self._timeout or 0.0)


def check_url(url: SecretStr) -> str | None:
    """Return what is wrong with a channel's URL, without showing it; None if it is valid. Sends nothing.

    Apprise accepts some URLs that can never work. One of them, an ntfy URL without a topic, is refused here.
    """
    try:
        service = _service(url)
    except DeliveryFailed as error:
        return str(error)
    if "ntfy" in schemas_of(service) and not getattr(service, "topics", None):
        return _("ntfy: the address has no topic; use ntfys://SERVER/TOPIC")
    return None


def _service(url: SecretStr) -> "NotifyBase":
    """Return the service for the URL. Raises a permanent `DeliveryFailed` if none is available."""
    import apprise  # noqa: PLC0415 - see the module's docstring

    _refuse_disabled(schema(url))
    with _without_logging():
        service = apprise.Apprise.instantiate(url.get_secret_value(), asset=_asset())
    if service is None:
        raise DeliveryFailed(not_understood_text(schema(url)), permanent=True)
    # An optional service would report a failure as a success.
    service.optional = False
    service.retry = 0  # the outbox repeats an attempt, and remembers who has accepted the message
    options = {name.lower() for name, _ in parse_qsl(urlsplit(url.get_secret_value()).query)}
    if "cto" not in options:
        service.socket_connect_timeout = _CONNECT_TIMEOUT
    if "rto" not in options:
        service.socket_read_timeout = _READ_TIMEOUT
    if "overflow" not in options:
        service.overflow_mode = apprise.OverflowMode.SPLIT
    if web_push.is_device(url):
        web_push.prepare(service, url)
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

        from watcher.delivery import service_answers  # noqa: PLC0415 - it imports `requests`

    service_answers.install()
    setattr(smtp, "smtplib", SMTPLIB)  # noqa: B010 - the plug-in has no option for its client
    return plugins


def _refuse_disabled(name: str) -> None:
    """Raise `DeliveryFailed` if the plug-in lacks a package: Apprise would only report an invalid URL."""
    plugins = _plugins()
    if name not in plugins or plugins[name].enabled:
        return
    required = plugins[name].requirements.get("packages_required") or []
    packages = ", ".join([required] if isinstance(required, str) else required)
    raise DeliveryFailed(package_missing_text(name, packages), permanent=True)


def _deliver(service: "NotifyBase", content: Content, attachments: Sequence[Path]) -> "AppriseResult":
    from apprise import Apprise, AppriseAttachment  # noqa: PLC0415 - see the module's docstring
    from apprise.attachment.file import AttachFile  # noqa: PLC0415

    files = [AttachFile(str(path)) for path in attachments]  # type: ignore[no-untyped-call]
    attach = AppriseAttachment(files) if files else None
    sender = Apprise(service, asset=service.asset)
    return sender.notify(content.body, title=content.title, body_format=content.format, attach=attach)


@contextmanager
def _remembering(targets: AcceptedTargets) -> Iterator[None]:
    """Let the plug-ins in this thread note the targets that accept a message, as they do for Apprise's own retries."""
    from apprise.plugins.base import _delivery_tracker  # noqa: PLC0415 - see the module's docstring

    tracker: ContextVar[Any] = _delivery_tracker
    token = tracker.set(targets)
    try:
        yield
    finally:
        tracker.reset(token)


def _reason(result: "AppriseResult", url: SecretStr) -> str:
    """Return the plug-in's last log message with every part of the URL redacted."""
    messages = [str(entry.message) for service_result in result for entry in service_result.logs()]
    reason = (
        " ".join(messages[-1].split()) if messages else _("it reported {status}", status=result.status.name.lower())
    )
    return redact_url(reason, url)[:300]
