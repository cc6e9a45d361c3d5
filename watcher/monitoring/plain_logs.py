"""The supervisor's log lines, in the formats of `watcher.monitoring.logs` but without structlog, which takes 13 MiB.

What is logged here contains no secret and nothing that a stranger wrote.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


def configure(*, level: str, log_format: Literal["console", "json"], stream: TextIO | None = None) -> None:
    """Write all logs from `level` up to `stream` (standard error by default)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Json() if log_format == "json" else _Console())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


class _Json(logging.Formatter):
    """One JSON object for each line."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {**_details(record), "event": record.getMessage(), "level": record.levelname.lower()}
        fields |= {"logger": record.name, "timestamp": _timestamp(record)}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False, default=str)


class _Console(logging.Formatter):
    """Time, level, event, logger, and the details as KEY=VALUE."""

    def format(self, record: logging.LogRecord) -> str:
        details = [f"{key}={_shown(value)}" for key, value in sorted(_details(record).items())]
        head = f"{_timestamp(record)} [{record.levelname.lower():<9}] {record.getMessage():<30}"
        line = " ".join([head, f"[{record.name}]", *details])
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _details(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in record.__dict__.items() if key not in _STANDARD}


def _timestamp(record: logging.LogRecord) -> str:
    return f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _shown(value: object) -> str:
    text = str(value)
    return repr(text) if isinstance(value, str) and (not text or set(text) & set(" \t=\r\n\"'")) else text
