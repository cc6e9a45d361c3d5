"""Safe names of files and folders from untrusted titles. Pure.

A name consists of letters, digits, and dashes. It cannot be a path, a hidden file, an option, or a device on any
operating system.
"""

import hashlib
import re
import unicodedata
from datetime import date

from watcher.clock.timestamps import iso_text

_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?", re.ASCII)
_MAX_TITLE_BYTES = 80
"""Bytes. With date, number, and extension, a name stays far below the 255 bytes that file systems allow."""


def folder_name(name: str) -> str:
    """Return the folder name for an account or a case: its own if that is plain, otherwise a readable, unique form."""
    if _PLAIN.fullmatch(name):
        return name
    return f"{_readable(name, 40) or 'x'}~{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def file_name(title: str, dated: date | None, *, extension: str, number: int = 1) -> str:
    """Return the file name of a letter: its date, its title, and a number if that is above 1."""
    name = _readable(title, _MAX_TITLE_BYTES) or "notice"
    suffix = f"-{number}" if number > 1 else ""
    return f"{iso_text(dated) or 'undated'}-{name}{suffix}.{extension}"


def _readable(text: str, max_length: int) -> str:
    """Keep letters and digits of any script, replace the rest by dashes, and cut to `max_length` bytes of UTF-8."""
    characters = (
        character if unicodedata.category(character)[0] in "LN" else "-"
        for character in unicodedata.normalize("NFKC", text)
    )
    plain = re.sub("-+", "-", "".join(characters)).strip("-")
    return plain.encode("utf-8")[:max_length].decode("utf-8", "ignore").rstrip("-")
