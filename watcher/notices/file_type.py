"""Whether what was downloaded is a document: its size, what it calls itself, and what its first bytes say. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from watcher.portal import Download

LARGEST = 32 * 1024 * 1024
"""Bytes; a letter of many scanned pages stays below."""

_WITHIN = 1024
"""Bytes in which a PDF must begin (ISO 32000-1, implementation note 13)."""


class NotADocument(Exception):
    """What was downloaded is no document that could be kept; the message says why."""


@dataclass(frozen=True, slots=True)
class _Kind:
    ending: str
    magic: tuple[bytes, ...]


_KINDS: Mapping[str, _Kind] = {
    "application/pdf": _Kind("pdf", (b"%PDF-",)),
    "image/png": _Kind("png", (b"\x89PNG\r\n\x1a\n",)),
    "image/jpeg": _Kind("jpg", (b"\xff\xd8\xff",)),
    "image/tiff": _Kind("tif", (b"II*\x00", b"MM\x00*")),
}
_ALSO = {
    "application/x-pdf": "application/pdf",
    "application/acrobat": "application/pdf",
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/tif": "image/tiff",
}
_SAYS_NOTHING = frozenset(
    {"", "application/octet-stream", "binary/octet-stream", "application/download", "application/x-download"}
    | {"application/force-download"}
)


def file_extension(download: Download) -> str:
    """The ending for the file: "pdf", "png", "jpg" or "tif".

    A content type that says nothing (`application/octet-stream`) leaves it to the first bytes. Raises `NotADocument`
    where it is empty, too large, no document, or not what it calls itself.
    """
    size = len(download.content)
    if not size:
        raise NotADocument("the portal sent an empty document")
    if size > LARGEST:
        raise NotADocument(f"the document has {size} bytes, more than the {LARGEST} that are kept")
    said = download.content_type.partition(";")[0].strip().lower()
    said = _ALSO.get(said, said)
    shown = _shown(download.content)
    if shown is None:
        raise NotADocument("what the portal sent is no PDF, PNG, JPEG or TIFF; perhaps it was a page that says so")
    if said != shown and said not in _SAYS_NOTHING:
        raise NotADocument(f"what the portal sent is {shown}, and calls itself something else")
    return _KINDS[shown].ending


def _shown(content: bytes) -> str | None:
    """What the first bytes say it is."""
    for name, kind in _KINDS.items():
        if content.startswith(kind.magic):
            return name
    return "application/pdf" if b"%PDF-" in content[:_WITHIN] else None
