"""Save a portal's answers for debugging (`watcher check --trace DIR`), with every secret blanked."""

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
    """A folder with two files for each answer: the body, and a JSON file with status, URL, and headers."""

    def __init__(self, folder: Path, secrets: Collection[str]) -> None:
        """Create the folder, readable by the owner only. `secrets` are blanked wherever they occur. Raises OSError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._secrets = sorted((secret.encode() for secret in secrets if len(secret) >= _SHORTEST_SECRET), key=len)
        self._count = 0

    def save(self, name: str, *, status: int, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Write one answer. A failure is only logged: it must not fail the check."""
        self._count += 1
        stem = f"{self._count:03d}-{re.sub(r'[^A-Za-z0-9._-]+', '-', name)[:60]}"
        metadata = {
            "status": status,
            "url": self._blanked(url.encode()).decode(errors="replace"),
            "headers": {
                key: "(blanked)" if is_secret_key(key) else self._blanked(value.encode()).decode()
                for key, value in headers.items()
            },
        }
        content_type = headers.get("content-type", "") or headers.get("Content-Type", "")
        extension = "json" if "json" in content_type else "html" if "html" in content_type else "bin"
        try:
            write_private_file(self._folder / f"{stem}.answer.json", json.dumps(metadata, indent=2).encode())
            write_private_file(self._folder / f"{stem}.{extension}", self._blanked(body))
        except OSError as error:
            _log.warning("trace_not_saved", folder=str(self._folder), reason=error.strerror)

    def _blanked(self, content: bytes) -> bytes:
        for secret in reversed(self._secrets):
            content = content.replace(secret, _BLANK)
        content = _FIELD.sub(_blanked_field, content)
        return _SECRET_INPUT.sub(rb"\1" + _BLANK + rb"\2", content)


def _blanked_field(field: re.Match[bytes]) -> bytes:
    before, name = field.groups()
    return before + _BLANK + b'"' if is_secret_key(name.decode(errors="replace")) else field[0]
