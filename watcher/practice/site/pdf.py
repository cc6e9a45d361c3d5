"""A letter as a PDF: one page of plain text, small, valid, and the same bytes for the same text.

It follows ISO 32000-1 directly, so that the practice portal needs no library to create PDFs.
"""

from collections.abc import Sequence

_PAGE = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
_FONT = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"


def letter(title: str, lines: Sequence[str]) -> bytes:
    """Return a PDF of US letter size with a title and lines. Characters missing in the font become question marks."""
    content = _content(title, lines)
    stream = b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content)
    return _file(
        (
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            _PAGE.encode(),
            stream,
            _FONT.encode(),
            b"<< /Title (%b) >>" % _text(title),
        )
    )


def _content(title: str, lines: Sequence[str]) -> bytes:
    shown = b"".join(b"(%b) Tj T*\n" % _text(line) for line in lines)
    return b"BT /F1 16 Tf 72 720 Td (%b) Tj\n/F1 11 Tf 16 TL 0 -28 Td\n%bET" % (_text(title), shown)


def _text(text: str) -> bytes:
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return escaped.encode("cp1252", "replace")


def _file(objects: Sequence[bytes]) -> bytes:
    """Return the numbered objects with their offset table. The first is the catalog, the last the title."""
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size, start = len(objects) + 1, len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, table)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, size - 1, start)
    return bytes(out)
