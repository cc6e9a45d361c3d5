"""Answers of a portal kept for repair (`watcher check --trace DIR`), with every secret blanked."""

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path

import structlog

from watcher.privacy.private_file import write_private_file
from watcher.privacy.sensitive_keys import SECRET_FIELD, is_secret_key

_FIELD = re.compile(rb'("([^"\\]{1,80})"\s*:\s*")(?:[^"\\]|\\.)*"')
_SECRET_INPUT = re.compile(
    rf"""(<(?:input|meta)[^>]*(?:{SECRET_FIELD})[^>]*(?:value|content)=["'])[^"']*(["'])""".encode(), re.IGNORECASE
)
_BLANK = b"(blanked)"
_SHORTEST_SECRET = 4
_log = structlog.get_logger(__name__)


class TraceFolder:
    """Writes each answer as two files: its body, and beside it status, URL and headers."""

    def __init__(self, folder: Path, secrets: Collection[str]) -> None:
        """`secrets` are blanked wherever they stand. The folder is made, for the owner alone. Raises OSError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._secrets = sorted((secret.encode() for secret in secrets if len(secret) >= _SHORTEST_SECRET), key=len)
        self._count = 0

    def save(self, name: str, *, status: int, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Writes one answer down. Where that fails, the log says so: it is no fault of the portal's."""
        self._count += 1
        stem = f"{self._count:03d}-{re.sub(r'[^A-Za-z0-9._-]+', '-', name)[:60]}"
        about = {
            "status": status,
            "url": self._blanked(url.encode()).decode(errors="replace"),
            "headers": {
                key: "(blanked)" if is_secret_key(key) else self._blanked(value.encode()).decode()
                for key, value in headers.items()
            },
        }
        kind = headers.get("content-type", "") or headers.get("Content-Type", "")
        ending = "json" if "json" in kind else "html" if "html" in kind else "bin"
        try:
            write_private_file(self._folder / f"{stem}.answer.json", json.dumps(about, indent=2).encode())
            write_private_file(self._folder / f"{stem}.{ending}", self._blanked(body))
        except OSError as error:
            _log.warning("an answer could not be kept", folder=str(self._folder), reason=error.strerror)

    def _blanked(self, content: bytes) -> bytes:
        for secret in reversed(self._secrets):
            content = content.replace(secret, _BLANK)
        content = _FIELD.sub(_blanked_field, content)
        return _SECRET_INPUT.sub(rb"\1" + _BLANK + rb"\2", content)


def _blanked_field(field: re.Match[bytes]) -> bytes:
    before, name = field.groups()
    return before + _BLANK + b'"' if is_secret_key(name.decode(errors="replace")) else field[0]
