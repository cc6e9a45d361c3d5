"""Check that a download is a document: by its size, its content type, and its first bytes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from watcher.messages import _
from watcher.portal import Download

MAX_DOCUMENT_BYTES = 32 * 1024 * 1024
"""A letter of many scanned pages is smaller."""

_PDF_HEADER_WITHIN = 1024
"""A PDF must begin within this many bytes (ISO 32000-1, implementation note 13)."""


class NotADocument(Exception):
    """The download is not a document that can be saved; the message says why."""


@dataclass(frozen=True, slots=True)
class _FileType:
    extension: str
    magic: tuple[bytes, ...]


_TYPES: Mapping[str, _FileType] = {
    "application/pdf": _FileType("pdf", (b"%PDF-",)),
    "image/png": _FileType("png", (b"\x89PNG\r\n\x1a\n",)),
    "image/jpeg": _FileType("jpg", (b"\xff\xd8\xff",)),
    "image/tiff": _FileType("tif", (b"II*\x00", b"MM\x00*")),
}
_ALIASES = {
    "application/x-pdf": "application/pdf",
    "application/acrobat": "application/pdf",
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/tif": "image/tiff",
}
_GENERIC_TYPES = frozenset(
    {"", "application/octet-stream", "binary/octet-stream", "application/download", "application/x-download"}
    | {"application/force-download"}
)


def file_extension(download: Download) -> str:
    """Return the extension for the file: "pdf", "png", "jpg", or "tif".

    A generic content type (`application/octet-stream`) leaves the choice to the first bytes. Raises `NotADocument` if
    the download is empty, too large, not a document, or of another type than it declares.
    """
    size = len(download.content)
    if not size:
        raise NotADocument(_("the website sent an empty document"))
    if size > MAX_DOCUMENT_BYTES:
        raise NotADocument(
            _("the document has {size} bytes; at most {limit} are saved", size=size, limit=MAX_DOCUMENT_BYTES)
        )
    declared = download.content_type.partition(";")[0].strip().lower()
    declared = _ALIASES.get(declared, declared)
    detected = detected_type(download.content)
    if detected is None:
        raise NotADocument(
            _(
                "the website sent something that is not a PDF, PNG, JPEG, or TIFF file, perhaps a page with "
                "an error message"
            )
        )
    if declared != detected and declared not in _GENERIC_TYPES:
        raise NotADocument(_("the website sent a {detected} file labeled as something else", detected=detected))
    return _TYPES[detected].extension


def detected_type(content: bytes) -> str | None:
    """Return the content type that the first bytes show."""
    for name, file_type in _TYPES.items():
        if content.startswith(file_type.magic):
            return name
    return "application/pdf" if b"%PDF-" in content[:_PDF_HEADER_WITHIN] else None
