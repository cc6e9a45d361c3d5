"""The child process of `watcher.notices.pdf_check`: reads PDFs from standard input and writes one verdict for each.

Input: a byte that says whether to read the text (0 or 1), eight bytes with the length, then the content. Output: a
line, `opens` or the reason why not; if the text is to be read, a tab and the text as JSON follow `opens`. It runs as a
script, imports nothing of this program, and limits its resources before it reads the first byte.
"""

import io
import json
import logging
import struct
import sys
import warnings
from contextlib import suppress

_HEADER = struct.Struct(">?Q")
_MEMORY_BYTES = 1024 * 1024 * 1024
_CPU_SECONDS = 600
_MAX_PAGES = 30
_MAX_TEXT_LENGTH = 200_000


def _set_limits() -> None:
    """Limit memory, processor time, and file size, on systems that support it."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - not available on every system

        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def verdict(content: bytes) -> str:
    """Return `opens`, or the reason why not. An encrypted PDF counts as opening: the user may have the password."""
    from pypdf import PdfReader  # noqa: PLC0415 - after the limits are set

    try:
        reader = PdfReader(io.BytesIO(content))
        if not reader.is_encrypted:
            reader.pages[0].get_object()
    except Exception as error:  # noqa: BLE001 - a broken document can raise anything
        return f"{type(error).__name__}"
    return "opens"


def text(content: bytes) -> str:
    """Return the text of the first pages; "" if the PDF has none, is encrypted, or has a page that cannot be read."""
    from pypdf import PdfReader  # noqa: PLC0415 - after the limits are set

    try:
        reader = PdfReader(io.BytesIO(content))
        pages = () if reader.is_encrypted else reader.pages[:_MAX_PAGES]
        return "\n".join([page.extract_text() for page in pages])[:_MAX_TEXT_LENGTH]
    except Exception:  # noqa: BLE001 - a broken document can raise anything
        return ""


def main() -> None:
    """Answer until standard input ends."""
    _set_limits()
    logging.disable()
    warnings.simplefilter("ignore")
    source, out = sys.stdin.buffer, sys.stdout
    while len(header := source.read(_HEADER.size)) == _HEADER.size:
        with_text, size = _HEADER.unpack(header)
        content = source.read(size)
        answer = verdict(content)
        out.write(f"{answer}\t{json.dumps(text(content))}\n" if with_text and answer == "opens" else f"{answer}\n")
        out.flush()


if __name__ == "__main__":
    main()
