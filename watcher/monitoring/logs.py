"""Logs of structlog and of every library, written by one handler to standard error and redacted last.

The handler is at the root logger, so messages of httpx, APScheduler, or Apprise pass through it too. Libraries that
log passwords or whole addresses at low levels have a minimum level, whatever level is configured.
"""

import logging
import sys
import threading
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import Processor

from watcher.privacy.redaction import redact

_log = logging.getLogger(__name__)

FLOORS: Mapping[str, int] = {
    "httpx": logging.WARNING,  # logs whole URLs at INFO
    "httpcore": logging.WARNING,
    "urllib3": logging.INFO,  # logs paths with tokens at DEBUG
    "apprise": logging.INFO,  # logs whole messages at DEBUG, passwords at TRACE
    "slixmpp": logging.INFO,
    "paho": logging.INFO,
    "imaplib": logging.INFO,
    "hpack": logging.INFO,
    "sqlalchemy": logging.WARNING,  # logs every bound value
    "alembic": logging.WARNING,
    "apscheduler": logging.WARNING,
    "asyncio": logging.INFO,
}
"""The minimum level of each library."""

_ALWAYS_EMITTED = {"apprise": logging.WARNING}
"""Levels that a library must emit even if they are not logged: Apprise's warnings say why a delivery failed."""

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}


class _Handler(logging.StreamHandler[TextIO]):
    """A handler that reports a failed line without its content; logging itself would print the arguments."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name in logging
        """Write where the line came from, without its content."""
        try:
            self.stream.write(f"cannot write a log line from {record.pathname}:{record.lineno}\n")
        except (OSError, ValueError):
            # Standard error itself is closed.
            return


def configure(
    *,
    level: str = "info",
    log_format: Literal["console", "json"] = "console",
    stream: TextIO | None = None,
    environ: Mapping[str, str] | None = None,
) -> None:
    """Write all logs from `level` up to `stream` (standard error by default), as text lines or as JSON.

    Uses color only on a terminal, and not if $NO_COLOR is set (https://no-color.org). May be called again. Uncaught
    exceptions are logged too, instead of being printed unredacted. Raises ValueError for an unknown level.
    """
    target = stream or sys.stderr
    level_number = logging.getLevelNamesMapping().get(level.upper())
    if level_number is None:
        raise ValueError(f"{level!r} is not a log level; use debug, info, warning, or error")
    handler = _Handler(target)
    handler.setLevel(level_number)
    handler.setFormatter(_formatter(log_format, use_color=_use_color(target, environ or {})))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level_number)
    for name, floor in FLOORS.items():
        logging.getLogger(name).setLevel(min(max(level_number, floor), _ALWAYS_EMITTED.get(name, logging.CRITICAL)))
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _use_color(stream: TextIO, environ: Mapping[str, str]) -> bool:
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def _formatter(form: Literal["console", "json"], *, use_color: bool) -> logging.Formatter:
    if form == "json":
        # Frames are logged without their local variables, which may contain secrets.
        frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        exceptions: Processor = structlog.processors.ExceptionRenderer(frames)
        renderer: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        exceptions = structlog.processors.format_exc_info
        renderer = structlog.dev.ConsoleRenderer(colors=use_color, exception_formatter=structlog.dev.plain_traceback)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            exceptions,
            _redacted,
            _on_one_line,
            renderer,
        ],
    )


def _redacted(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Redact everything but the timestamp. Last before the renderer, so it sees context and exceptions too."""
    redacted = redact({key: value for key, value in event.items() if key != "timestamp"})
    return {**(redacted if isinstance(redacted, dict) else {}), "timestamp": event.get("timestamp")}


def _on_one_line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape control characters, so that external text can neither draw on the terminal nor forge a line."""
    return {
        key: value.translate(_CONTROL) if isinstance(value, str) and key != "exception" else value
        for key, value in event.items()
    }


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    _log.critical("uncaught_exception", exc_info=(kind, error, trace))


def _uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None and not issubclass(arguments.exc_type, SystemExit):
        error = (arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
        _log.critical("uncaught_exception", exc_info=error)
