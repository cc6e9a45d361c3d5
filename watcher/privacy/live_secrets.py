"""The secrets that this process works with, found in a text in any spelling."""

import base64
import html
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from threading import Lock
from typing import Final
from urllib.parse import quote, quote_plus

from watcher.privacy.spellings import Decoding, Span, as_windows_1252, decodings

_MIN_LENGTH: Final = 4
_MIN_SESSION_LENGTH: Final = 8
_MIN_BASE64: Final = 6
_MAX_SESSION_VALUES: Final = 300
_MAX_CODE_LENGTH: Final = 10
_ESCAPES: Final[tuple[Callable[[str], str], ...]] = (
    html.escape,
    quote,
    partial(quote, safe=""),
    quote_plus,
    lambda text: json.dumps(text)[1:-1],
    lambda text: repr(text)[1:-1],
    lambda text: text.encode("ascii", "xmlcharrefreplace").decode(),
    lambda text: text.encode("cp1252", "xmlcharrefreplace").decode("cp1252"),
    partial(quote, safe="", encoding="cp1252", errors="xmlcharrefreplace"),
)


class LiveSecrets:
    """A set of secrets. Thread-safe.

    Secrets of the configuration are never removed. Of the values of sessions (cookies, tokens, one-time codes), which
    change for as long as the process runs, the latest 300 are kept.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Start with these secrets."""
        self._lock = Lock()
        self._permanent: dict[str, tuple[str, ...]] = {}
        self._session: dict[str, tuple[str, ...]] = {}
        for secret in secrets:
            self.register(secret)

    def register(self, secret: str) -> None:
        """Add a secret. Texts of fewer than four characters are ignored."""
        with self._lock:
            if secret not in self._permanent:
                self._permanent[secret] = tuple(_spellings(secret))

    def register_session_value(self, value: str, *, min_length: int = _MIN_SESSION_LENGTH) -> None:
        """Add a value that the portal or the user supplied for one session. Shorter values are ignored.

        A cookie may hold a word such as "dark", which a page must keep.
        """
        if len(value) < min_length:
            return
        with self._lock:
            self._session[value] = self._session.pop(value, ()) or tuple(_spellings(value))
            while len(self._session) > _MAX_SESSION_VALUES:
                del self._session[next(iter(self._session))]

    def spans(self, decoding: Decoding) -> Iterator[Span]:
        """Yield where a secret is in the decoded page, as parts of the page itself."""
        with self._lock:
            known = [*self._permanent.values(), *self._session.values()]
        text = decoding.text
        for spellings in known:
            for spelling in spellings:
                start = text.find(spelling)
                while start >= 0:
                    end = start + len(spelling)
                    if not _is_part_of_number(text, start, end):
                        yield decoding.in_page((start, end))
                    start = text.find(spelling, end)


def _is_part_of_number(text: str, start: int, end: int) -> bool:
    """Return whether these are a few digits of a longer number, which is not the one-time code with these digits."""
    if end - start > _MAX_CODE_LENGTH or not text[start:end].isdigit():
        return False
    return text[start - 1 : start].isdigit() or text[end : end + 1].isdigit()


def _spellings(secret: str) -> list[str]:
    """Return what may be found of a secret in a page and its decodings, each once."""
    secret = as_windows_1252(secret).encode("utf-8", "ignore").decode()
    texts = {secret, secret.strip(), *(unicodedata.normalize(form, secret) for form in ("NFC", "NFD"))}
    if re.search(r"[\\%&]", secret) or not secret.isascii():
        texts |= _ambiguous_spellings(secret)
    texts |= {text.replace(" ", "+") for text in texts} | {re.sub(r"\s+", "", text) for text in texts}
    found = {text for text in texts if len(text) >= _MIN_LENGTH}
    for text in (secret, secret.strip()):
        for charset in ("utf-8", "cp1252"):
            found.update(_base64_spellings(text.encode(charset, "ignore")))
    return sorted(found)


def _ambiguous_spellings(secret: str) -> set[str]:
    """Return what decoding makes of a secret that looks escaped itself, or that a charset may change."""
    escaped = {secret, *(escape(secret) for escape in _ESCAPES)}
    escaped |= {escape(text) for text in escaped for escape in _ESCAPES}
    escaped |= {text.encode("cp1252", "xmlcharrefreplace").decode("utf-8", "surrogateescape") for text in escaped}
    return {[*decodings(text)][-1].text for text in escaped}


def _base64_spellings(content: bytes) -> Iterator[str]:
    """Yield what Base64 makes of the content wherever it begins, as after a user name in Basic authentication.

    Characters that also depend on what is before or after the content are left out.
    """
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + content)
        spelling = encoded[-(-before * 8 // 6) : (before + len(content)) * 8 // 6].decode()
        if len(spelling) >= _MIN_BASE64:
            yield spelling
            yield spelling.replace("+", "-").replace("/", "_")
