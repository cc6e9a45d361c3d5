"""Save a portal's answers for debugging (`watcher check --trace DIR`), with every secret blanked.

A trace is meant to be shown to others. Of the headers, only those that describe the answer keep their values; of an
address, the query keeps its names. A cookie or token that any answer names is also blanked where it is repeated.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import structlog

from watcher.privacy.live_secrets import LiveSecrets
from watcher.privacy.private_file import create_private_folder, write_private_file
from watcher.privacy.redaction import BLANK, redact_body, redact_secrets

_PLAIN_HEADERS: Final = frozenset(
    {
        *("content-type", "content-length", "content-encoding", "content-language", "date", "last-modified"),
        *("retry-after", "server", "x-amzn-waf-action"),
    }
)
_COOKIE: Final = re.compile(r"(?:^|,\s*)[^=;,\s]+=([^;,\s]+)")
_log = structlog.get_logger(__name__)


class TraceFolder:
    """A folder with two files for each answer: the body, and a JSON file with status, URL, and headers."""

    def __init__(self, folder: Path) -> None:
        """Create the folder and its parents, readable by the owner only. Raises OSError."""
        create_private_folder(folder)
        self._folder = folder
        self._seen = LiveSecrets()
        self._count = 0

    def save(self, name: str, *, status: int, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Write one answer. A failure is only logged: it must not fail the check."""
        self._count += 1
        lower = {key.lower(): value for key, value in headers.items()}
        content_type = lower.get("content-type", "")
        self._look_for_tokens(url, lower, body, content_type)
        stem = f"{self._count:03d}-{re.sub(r'[^A-Za-z0-9._-]+', '-', self._blanked(name))[:60]}"
        metadata = {"status": status, "url": self._address(url), "headers": dict(self._headers(lower))}
        extension = "json" if "json" in content_type else "html" if "html" in content_type else "bin"
        content = redact_body(body, content_type, self._seen)
        try:
            write_private_file(self._folder / f"{stem}.answer.json", json.dumps(metadata, indent=2).encode())
            write_private_file(self._folder / f"{stem}.{extension}", content)
        except OSError as error:
            _log.warning("trace_not_saved", folder=str(self._folder), reason=error.strerror)

    def _look_for_tokens(self, url: str, headers: Mapping[str, str], body: bytes, content_type: str) -> None:
        """Remember the cookies and tokens of an answer, which its other parts and later answers may repeat."""
        for cookie in _COOKIE.findall(headers.get("set-cookie", "")):
            self._seen.register_session_value(cookie)
        for name, value in headers.items():
            redact_secrets(f"{name}={value}", self._seen)
            redact_secrets(value, self._seen)
        redact_secrets(url, self._seen)
        redact_body(body, content_type, self._seen)

    def _headers(self, headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        for name, value in headers.items():
            if name == "location":
                yield name, self._address(value)
            else:
                yield self._blanked(name), self._blanked(value) if name in _PLAIN_HEADERS else BLANK

    def _address(self, url: str) -> str:
        """Return an address without the values of its query, and without its fragment."""
        path, _, query = url.partition("#")[0].partition("?")
        names = (parameter.partition("=")[0] for parameter in query.split("&") if parameter)
        kept = "&".join(f"{self._blanked(name)}={BLANK}" for name in names)
        return self._blanked(path) + (f"?{kept}" if kept else "")

    def _blanked(self, text: str) -> str:
        return redact_secrets(text, self._seen)
