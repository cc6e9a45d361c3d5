"""The child process of `watcher.notices.pdf_check`: reads PDFs from standard input, writes one verdict for each.

In: eight bytes of length, then so many of content. Out: a line, `opens` or why not. It is run as a script, knows
nothing of this program, and gives up what it does not need before the first byte is read.
"""

import io
import logging
import struct
import sys
import warnings
from contextlib import suppress

_MEMORY = 1024 * 1024 * 1024
_PROCESSOR_SECONDS = 600


def _bound() -> None:
    """Limits on memory and processor time, where the system knows them."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - not on every system

        resource.setrlimit(resource.RLIMIT_CPU, (_PROCESSOR_SECONDS, _PROCESSOR_SECONDS))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def verdict(content: bytes) -> str:
    """`opens`, or why not. One that needs a password opens for whoever has it."""
    from pypdf import PdfReader  # noqa: PLC0415 - after the bounds are set

    try:
        reader = PdfReader(io.BytesIO(content))
        if not reader.is_encrypted:
            reader.pages[0].get_object()
    except Exception as fault:  # noqa: BLE001 - whatever a broken document brings a reader to
        return f"{type(fault).__name__}"
    return "opens"


def main() -> None:
    """Answers until standard input ends."""
    _bound()
    logging.disable()
    warnings.simplefilter("ignore")
    source, out = sys.stdin.buffer, sys.stdout
    while len(head := source.read(8)) == 8:  # noqa: PLR2004 - the length of a length
        content = source.read(struct.unpack(">Q", head)[0])
        out.write(f"{verdict(content)}\n")
        out.flush()


if __name__ == "__main__":
    main()
