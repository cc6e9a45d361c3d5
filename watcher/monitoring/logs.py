"""Logs: structlog and every library's own, through one handler to standard error, redacted last.

The handler sits at the root, so what httpx, APScheduler or Apprise log takes the same way. Libraries that print
passwords or whole addresses at their lower levels are held above them, whatever level is asked for.
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
    "sqlalchemy": logging.WARNING,  # logs every value that it binds
    "alembic": logging.WARNING,
    "apscheduler": logging.WARNING,
    "asyncio": logging.INFO,
}
"""The lowest level at which a library may speak."""

_HEARD = {"apprise": logging.WARNING}
"""What a library has to be free to say, logged or not: why a channel took nothing is known from Apprise's warnings."""

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}


class _Lines(logging.StreamHandler[TextIO]):
    """Writes lines. One that cannot be written is told of without its content: logging would print its arguments."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Says where the line came from, and nothing of what it said."""
        try:
            self.stream.write(f"a log line from {record.pathname}:{record.lineno} could not be written\n")
        except (OSError, ValueError):
            # Standard error itself is gone; there is nowhere left to say so.
            return


def configure(
    *,
    level: str = "info",
    form: Literal["console", "json"] = "console",
    stream: TextIO | None = None,
    environ: Mapping[str, str] | None = None,
) -> None:
    """Sends all logs from `level` up to `stream` (standard error), as lines for a person or as JSON.

    Colour on a terminal only, and not where $NO_COLOR is set (https://no-color.org). May be called again. From now on
    an exception that nobody caught is logged too, instead of being printed as it is. Raises ValueError for a level
    that is none.
    """
    target = stream or sys.stderr
    wanted = logging.getLevelNamesMapping().get(level.upper())
    if wanted is None:
        raise ValueError(f"{level!r} is no log level; write debug, info, warning or error")
    handler = _Lines(target)
    handler.setLevel(wanted)
    handler.setFormatter(_formatter(form, in_colour=_in_colour(target, environ or {})))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(wanted)
    for name, floor in FLOORS.items():
        logging.getLogger(name).setLevel(min(max(wanted, floor), _HEARD.get(name, logging.CRITICAL)))
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _in_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def _formatter(form: Literal["console", "json"], *, in_colour: bool) -> logging.Formatter:
    if form == "json":
        # Frames keep their places and lose their locals, which hold what a secret was read into.
        frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        exceptions: Processor = structlog.processors.ExceptionRenderer(frames)
        renderer: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        exceptions = structlog.processors.format_exc_info
        renderer = structlog.dev.ConsoleRenderer(colors=in_colour, exception_formatter=structlog.dev.plain_traceback)
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
    """The last before the renderer: it sees foreign records, bound context and exceptions alike."""
    told = redact({key: value for key, value in event.items() if key != "timestamp"})
    return {**(told if isinstance(told, dict) else {}), "timestamp": event.get("timestamp")}


def _on_one_line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keeps what came from outside from drawing on the terminal or passing for a line of its own."""
    return {
        key: value.translate(_CONTROL) if isinstance(value, str) and key != "exception" else value
        for key, value in event.items()
    }


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    _log.critical("an error that nobody caught", exc_info=(kind, error, trace))


def _uncaught_in_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None and not issubclass(told.exc_type, SystemExit):
        _log.critical("an error that nobody caught", exc_info=(told.exc_type, told.exc_value, told.exc_traceback))
