"""The only door to Apprise: sends one message to one channel and says whether the channel took it.

Apprise is imported when the first message is sent or the first URL is checked, not before: it costs some 25 MiB, for
good. So the daemon has it in a process of its own (`watcher.delivery.sender_process`).

Each message gets a service object of its own. Apprise waits up to 5.5 seconds between two messages of the same object,
which would hold up every other channel of a queue that is worked off one by one; a service that wants fewer messages
says so with an error, and the outbox backs off. What an object would remember, such as a sign-in at a Matrix server,
is learnt anew each time. Nothing is kept on disk.
"""

import logging
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Thread, get_ident
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import SecretStr

from watcher.errors import DeliveryFailed

if TYPE_CHECKING:
    from apprise import AppriseAsset, AppriseResult, NotifyBase
    from apprise.manager_plugins import NotificationManager

_log = logging.getLogger(__name__)

_SHORTEST_FOR_WHOLE_TEXT = 400
_LONG_SMS = frozenset(
    {"cm", "eight00com", "exotel", "octopush", "smpp", "smpps", "smseagle", "smseagles", "smstunnel", "telesign"}
)
_HTML_BUT_NO_MAIL = frozenset({"tgram", "wecom", "pushplus"})
# A shorter part would blank syllables of the reason, and guards nothing that could not be guessed.
_SHORTEST_BLANKED = 4
_CONNECT_SECONDS, _ANSWER_SECONDS = 10.0, 20.0

_WORTH = {
    "irc": "IRC confirms nothing: Apprise reports success even where the nick or channel does not exist.",
    "xmpp": "XMPP confirms nothing: Apprise reports success even where the recipient is unknown, the server's "
    "certificate is not trusted or the sign-in failed.",
    "matrix": "Apprise makes a room that does not exist and reports success: check that this is the room you read.",
    "mqtt": "The broker has taken the message; it does not say whether anybody is subscribed.",
    "mail": "The mail server has taken the message; it may still end in a spam folder or come back.",
    "syslog": "Nothing confirms that a log was written.",
}
_WORTH_OF = {
    "irc": "irc",
    "ircs": "irc",
    "xmpp": "xmpp",
    "xmpps": "xmpp",
    "matrix": "matrix",
    "matrixs": "matrix",
    "mqtt": "mqtt",
    "mqtts": "mqtt",
    "mailto": "mail",
    "mailtos": "mail",
    "syslog": "syslog",
    "rsyslog": "syslog",
}


class Notifier(Protocol):
    """Brings messages to channels."""

    def send(
        self, url: SecretStr, *, title: str, body: str, html: str, short: str, attachments: Sequence[Path] = ()
    ) -> None:
        """Sends one message in the form that suits the service: whole, as HTML, or short enough for an SMS.

        Returns when the service has taken it. Raises `DeliveryFailed`, whose message shows neither the URL nor a
        secret; `permanent` where the URL itself will not do.
        """
        ...

    def can_attach(self, url: SecretStr) -> bool:
        """Whether the channel's service takes attachments; False for a URL that will not do."""
        ...


class AppriseNotifier:
    """Sends through Apprise. `timeout` bounds one message, in seconds; None: whoever asks watches the time.

    A message that took longer counts as failed and is sent again later; should the service have taken it after all,
    it arrives twice. So `timeout` lies above the time that Apprise gives a server to answer.
    """

    def __init__(self, *, timeout: float | None = 60.0) -> None:
        """Sends nothing yet."""
        self._timeout = timeout

    def send(
        self, url: SecretStr, *, title: str, body: str, html: str, short: str, attachments: Sequence[Path] = ()
    ) -> None:
        """As `Notifier.send`; an attachment that is gone is left out, the message goes out all the same."""
        service = _service(url)
        words = _words_for(service, title=title, body=body, html=html, short=short)
        present = [path for path in attachments if path.is_file()] if service.attachment_support else []
        if service.attachment_support and len(present) < len(attachments):
            _log.warning("an attachment is gone from disk; the alert goes out without it")
        result = self._within_time(service, words, present)
        if not result:
            raise DeliveryFailed(f"{_name(service)}: {_reason(result, url)}")

    def can_attach(self, url: SecretStr) -> bool:
        """As `Notifier.can_attach`."""
        try:
            return bool(_service(url).attachment_support)
        except DeliveryFailed:
            return False

    def _within_time(self, service: "NotifyBase", text: "_Form", attachments: Sequence[Path]) -> "AppriseResult":
        """Apprise's answer. A thread of our own, for one of Apprise's pool would hold up the end of the process."""
        outcome: list[Any] = []

        def deliver() -> None:
            try:
                outcome.append(_deliver(service, text, attachments))
            except Exception as error:  # noqa: BLE001 - 183 plug-ins by as many authors; none may end the outbox
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
class _Form:
    """The words in the form that a service takes. `format` is Apprise's: "text" or "html"."""

    title: str
    body: str
    format: str


def check_url(url: SecretStr) -> str | None:
    """What is wrong with a channel's URL, in words that do not show it; None where nothing is. Sends nothing.

    Apprise itself takes a good deal that can never arrive; an ntfy URL without a topic is refused here.
    """
    try:
        service = _service(url)
    except DeliveryFailed as fault:
        return str(fault)
    if "ntfy" in _schemas(service) and not getattr(service, "topics", None):
        return "ntfy: the URL names no topic; write ntfys://SERVER/TOPIC"
    return None


def delivery_caveat(url: SecretStr) -> str | None:
    """What "sent" is worth where a service confirms less than it seems, in one sentence; None where it does confirm."""
    kind = _WORTH_OF.get(schema(url))
    return _WORTH[kind] if kind else None


def schema(url: SecretStr) -> str:
    """What stands before `://`, in lower case; all of a URL that may be shown. Empty where there is none."""
    found = re.match(r"\s*([A-Za-z0-9]{1,20})://", url.get_secret_value())
    return found[1].lower() if found else ""


def _service(url: SecretStr) -> "NotifyBase":
    """The service that the URL is for. Raises a permanent `DeliveryFailed` where there is none that works here."""
    import apprise  # noqa: PLC0415 - see the module's docstring

    _refuse_disabled(schema(url))
    with _unlogged():
        service = apprise.Apprise.instantiate(url.get_secret_value(), asset=_asset())
    if service is None:
        told = f"{schema(url)}://" if schema(url) else "this"
        raise DeliveryFailed(f"{told} is no URL that Apprise understands; see the page of the service", permanent=True)
    # An optional service would report a failure as a success.
    service.optional = False
    given = {name.lower() for name, _ in parse_qsl(urlsplit(url.get_secret_value()).query)}
    if "cto" not in given:
        service.socket_connect_timeout = _CONNECT_SECONDS
    if "rto" not in given:
        service.socket_read_timeout = _ANSWER_SECONDS
    if "overflow" not in given:
        service.overflow_mode = apprise.OverflowMode.SPLIT
    return service


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keeps what Apprise logs of a URL that it does not understand, the URL itself, out of the log; in this thread."""
    thread = get_ident()

    def of_others(record: logging.LogRecord) -> bool:
        return record.thread != thread

    logger = logging.getLogger("apprise")
    logger.addFilter(of_others)
    try:
        yield
    finally:
        logger.removeFilter(of_others)


def _asset() -> "AppriseAsset":
    from apprise import AppriseAsset  # noqa: PLC0415 - see the module's docstring

    return AppriseAsset(
        app_id="case-watcher",
        app_desc="case-watcher",
        app_url="",
        # An icon would be fetched from a third party by every phone that shows the alert.
        image_url_mask="",
        image_url_logo="",
        http_redirects=False,
        interpret_escapes=False,
        interpret_emojis=False,
        allow_templates=False,
        secure_logging=True,
        pgp_autogen=False,
        pem_autogen=False,
        service_timeout=0,  # `AppriseNotifier` waits itself
    )


@cache
def _plugins() -> "NotificationManager":
    """All of Apprise's plug-ins, read from disk the first time."""
    from apprise.manager_plugins import NotificationManager  # noqa: PLC0415 - see the module's docstring

    with warnings.catch_warnings():
        # Apprise looks for a module that Python 3.13 has dropped, and has its own for where it is gone.
        warnings.filterwarnings("ignore", message="'imghdr' is deprecated", category=DeprecationWarning)
        plugins = NotificationManager()  # type: ignore[no-untyped-call]
        plugins.load_modules()  # type: ignore[no-untyped-call]
    return plugins


def _refuse_disabled(name: str) -> None:
    """Raises where a plug-in lacks its package: Apprise would only say that the URL will not do."""
    plugins = _plugins()
    if name not in plugins or plugins[name].enabled:
        return
    wanted = plugins[name].requirements.get("packages_required") or "something that this system does not have"
    packages = ", ".join([wanted] if isinstance(wanted, str) else wanted)
    raise DeliveryFailed(f"{name}:// needs {packages}; install it beside case-watcher", permanent=True)


def _words_for(service: "NotifyBase", *, title: str, body: str, html: str, short: str) -> _Form:
    formats = _formats(service)
    if service.body_maxlen <= _SHORTEST_FOR_WHOLE_TEXT or _schemas(service) & _LONG_SMS:
        return _Form(title="", body=short, format="text")
    if formats[0] == "html" and not _schemas(service) & _HTML_BUT_NO_MAIL:
        return _Form(title=title, body=html, format="html")
    return _Form(title=title, body=body, format="text")


def _formats(service: "NotifyBase") -> tuple[str, ...]:
    """What the service takes, the preferred first; the URL's own `format` before all."""
    override = service._format_override  # noqa: SLF001 - Apprise tells it in no other way
    if override is not None:
        return (str(override.value),)
    declared: Any = service.notify_format  # one, or several of which the first is preferred
    return tuple(str(one.value) for one in (declared if isinstance(declared, tuple | list) else (declared,)))


def _schemas(service: "NotifyBase") -> frozenset[str]:
    return frozenset(service.schemas())  # type: ignore[no-untyped-call]


def _deliver(service: "NotifyBase", text: _Form, attachments: Sequence[Path]) -> "AppriseResult":
    from apprise import Apprise, AppriseAttachment  # noqa: PLC0415 - see the module's docstring
    from apprise.attachment.file import AttachFile  # noqa: PLC0415

    files = [AttachFile(str(path)) for path in attachments]  # type: ignore[no-untyped-call]
    attach = AppriseAttachment(files) if files else None
    sender = Apprise(service, asset=service.asset)
    return sender.notify(text.body, title=text.title, body_format=text.format, attach=attach)


def _name(service: "NotifyBase") -> str:
    return str(service.service_name)


def _reason(result: "AppriseResult", url: SecretStr) -> str:
    """What the plug-in said last, with every part of the URL blanked out."""
    said = [str(entry.message) for one in result for entry in one.logs()]
    whole = " ".join(said[-1].split()) if said else f"it reported {result.status.name.lower()}"
    for part in _parts(url):
        whole = whole.replace(part, "…")
    return whole[:300]


def _parts(url: SecretStr) -> Iterable[str]:
    """Everything in the URL that could be secret, longest first: host, names, passwords, path, query."""
    whole = url.get_secret_value()
    _, _, rest = whole.partition("://")
    raw = {whole, rest, *re.split(r"[/?&=:@,;#]", rest)}
    parts = {piece for part in raw for piece in (part, unquote(part)) if len(piece) >= _SHORTEST_BLANKED}
    return sorted(parts, key=len, reverse=True)
