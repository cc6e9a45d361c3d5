"""What a command prints: tables and colour on a terminal, plain text in a pipe, JSON for programs."""

import codecs
import json
import os
import re
import shutil
import sys
import time
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from watcher.clock.timestamps import local_text
from watcher.model.change import Severity
from watcher.text.printable import printable

_SHOWN_EVERY = 0.2  # seconds
_COLOURS = {Severity.URGENT: "red", Severity.IMPORTANT: "yellow", Severity.ROUTINE: None}
_LINE_OR_STYLE = re.compile(r"(\n|\x1b\[(?:0|1|3[1-6])m)")
_NOT_ASCII = re.compile(r"[^\n\x20-\x7e]")


def print_json(document: Any) -> None:
    """One JSON document on standard output, nothing else there; on one line where a program reads it.

    Letters that this output may lack are escaped, so that it loses none.
    """
    anything = codecs.lookup(sys.stdout.encoding).name == "utf-8"
    text = json.dumps(document, ensure_ascii=not anything, indent=2 if sys.stdout.isatty() else None)
    click.echo(_NOT_ASCII.sub(_escape_unprintable, text))


def print_line(text: str = "", *, colour: str | None = None, bold: bool = False) -> None:
    """A line on standard output; coloured only on a terminal that can, and never where NO_COLOR is set."""
    click.echo(styled(_safe(text), colour, bold=bold), color=coloured())


def installed_command() -> Path | None:
    """The command `watcher` of this installation; None where it runs without one."""
    script = Path(sys.executable).with_name("watcher")
    return script if script.is_file() else None


def command_name() -> str:
    """What to type for this program: its name where the shell finds this very one by it, else the whole path."""
    script, found = installed_command(), shutil.which("watcher")
    return str(script) if script and (found is None or Path(found) != script) else "watcher"


def print_error(text: str) -> None:
    """A line on standard error."""
    click.echo(_safe(text), err=True)


def styled(text: str, colour: str | None, *, bold: bool = False) -> str:
    """The text in a colour, where this output has colours."""
    if not coloured() or not (colour or bold):
        return text
    return click.style(text, fg=colour, bold=bold)


def severity_colour(severity: Severity) -> str | None:
    """The colour that a severity is shown in."""
    return _COLOURS[severity]


def coloured() -> bool:
    """Whether standard output shows colours: a terminal that can, and no NO_COLOR (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns, aligned by what a terminal shows; with nothing in them, nothing is printed."""
    if not rows:
        return
    rows = [[_safe(cell).replace("\n", " ") for cell in row] for row in rows]
    widths = [max(_width(row[column]) for row in (head, *rows)) for column in range(len(head))]
    print_line(_line(head, widths), bold=True)
    for row in rows:
        print_line(_line(row, widths))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


def _safe(text: str) -> str:
    """Return lines from outside without what could change a terminal, but for this program's own styles."""
    if text.isprintable():
        return text
    pieces = _LINE_OR_STYLE.split(text)  # every second one is a separator
    return "".join(piece if place % 2 else printable(piece) for place, piece in enumerate(pieces))


def _escape_unprintable(character: re.Match[str]) -> str:
    return character[0] if printable(character[0]) == character[0] else json.dumps(character[0])[1:-1]


def _width(text: str) -> int:
    shown = click.unstyle(text)
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in shown)


def local(moment: datetime | None, zone: ZoneInfo) -> str:
    """A moment for a person, in their zone."""
    return "never" if moment is None else local_text(moment, zone)


class Progress:
    """A line on a terminal's standard error that counts the cases of a long read, and is gone afterwards."""

    @staticmethod
    def can_be_seen() -> bool:
        """Whether there is a terminal that can take a line away again."""
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def __init__(self, account: str) -> None:
        """Shows at once that something is being done."""
        self._account, self._shown_at = account, 0.0
        self._show("...")

    def __call__(self, cases: int) -> None:
        """So many cases were answered for; shown a few times a second at most."""
        if time.monotonic() - self._shown_at > _SHOWN_EVERY:
            self._show(f"{cases} cases")

    def end(self) -> None:
        """Takes the line away."""
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()

    def _show(self, text: str) -> None:
        self._shown_at = time.monotonic()
        sys.stderr.write(f"\r\x1b[Kreading {self._account}: {text}")
        sys.stderr.flush()
