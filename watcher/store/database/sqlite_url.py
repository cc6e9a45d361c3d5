"""The file in a `database_url` of the form `sqlite:///FILE`, whose name may hold any character."""

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote

_URL = re.compile(r"sqlite:///(.+?)(\?\w+=[^/?]*)?", re.DOTALL)


def split_sqlite_url(url: str) -> tuple[str, str] | None:
    """Return the file and the query (`?timeout=30`, or "") of an SQLite URL; None for any other URL.

    The file is meant as it is written. Only if that leads to no folder and the URL is percent-encoded, it is decoded.
    """
    match = _URL.fullmatch(url)
    if match is None:
        return None
    file, query = match[1], match[2] or ""
    decoded = unquote(file, errors="surrogateescape")
    if decoded != file and not Path(file).parent.is_dir() and Path(decoded).parent.is_dir():
        return decoded, query
    return file, query


def file_uri(file: Path, mode: str) -> str:
    """Return SQLite's URI of a file, for `sqlite3.connect` (https://www.sqlite.org/uri.html)."""
    return f"file:{quote(os.fsencode(file.absolute()))}?mode={mode}"
