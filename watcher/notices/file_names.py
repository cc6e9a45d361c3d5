"""Names of files and folders that anything may go into and nothing harmful comes out of. Pure.

What a portal or a user calls a thing is made of letters and digits here, with dashes between; nothing in it can be a
path, a hidden file, an option or a device, whatever system the folder is looked at from.
"""

import hashlib
import re
import unicodedata
from datetime import date

_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?", re.ASCII)
_LONGEST_TITLE = 80
"""Bytes; with date, number and ending a name stays far below the 255 that file systems take."""


def folder_name(name: str) -> str:
    """The folder for an account or a case: its name where that is plain, else a readable form that is as distinct."""
    if _PLAIN.fullmatch(name):
        return name
    return f"{_readable(name, 40) or 'x'}~{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def file_name(title: str, dated: date | None, *, ending: str, number: int = 1) -> str:
    """The name of a notice: its date and its title, and from the second of that name on a number."""
    words = _readable(title, _LONGEST_TITLE) or "notice"
    again = f"-{number}" if number > 1 else ""
    return f"{dated.isoformat() if dated else 'undated'}-{words}{again}.{ending}"


def _readable(text: str, max_length: int) -> str:
    """Letters and digits of any script, runs of anything else as one dash, cut to `longest` bytes of UTF-8."""
    signs = (sign if unicodedata.category(sign)[0] in "LN" else "-" for sign in unicodedata.normalize("NFKC", text))
    plain = re.sub("-+", "-", "".join(signs)).strip("-")
    return plain.encode("utf-8")[:max_length].decode("utf-8", "ignore").rstrip("-")
