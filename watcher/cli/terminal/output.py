"""Output of commands: tables and color on a terminal, plain text in a pipe, JSON for programs."""

import codecs
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from watcher.cli.terminal.tables import aligned, width_of, wrapped
from watcher.clock.timestamps import local_text
from watcher.messages import _
from watcher.model.change import Severity
from watcher.text.printable import printable

_UPDATE_INTERVAL = 0.2  # seconds
_MIN_ROOM = 20
"""Columns below which a text is not wrapped."""
_COLORS = {Severity.URGENT: "red", Severity.IMPORTANT: "yellow", Severity.ROUTINE: None}
_LINE_OR_STYLE = re.compile(r"(\n|\x1b\[(?:0|1|3[1-6])m)")
_NOT_ASCII = re.compile(r"[^\n\x20-\x7e]")


def print_json(document: Any) -> None:
    """Print one JSON document, and nothing else, on standard output: indented on a terminal, else on one line.

    Characters that the output's encoding may lack are escaped.
    """
    is_utf8 = codecs.lookup(sys.stdout.encoding).name == "utf-8"
    text = json.dumps(document, ensure_ascii=not is_utf8, indent=2 if sys.stdout.isatty() else None)
    click.echo(_NOT_ASCII.sub(_escape_unprintable, text))


def print_line(text: str = "", *, color: str | None = None, bold: bool = False) -> None:
    """Print a line on standard output. Color is used only on a capable terminal, never if NO_COLOR is set."""
    click.echo(styled(safe(text), color, bold=bold), color=use_color())


def installed_command() -> Path | None:
    """Return the path of this installation's `watcher` command, or None if it has none."""
    script = Path(sys.executable).with_name("watcher")
    return script if script.is_file() else None


def command_name() -> str:
    """Return what to type for this program: `watcher` if the shell finds this installation, otherwise its path."""
    script, on_path = installed_command(), shutil.which("watcher")
    return str(script) if script and (on_path is None or Path(on_path) != script) else "watcher"


def print_error(text: str) -> None:
    """Print a line on standard error."""
    click.echo(safe(text), err=True)


def styled(text: str, color: str | None, *, bold: bool = False) -> str:
    """Return the text in a color, if the output supports color."""
    if not use_color() or not (color or bold):
        return text
    return click.style(text, fg=color, bold=bold)


def severity_color(severity: Severity) -> str | None:
    """Return the color of a severity."""
    return _COLORS[severity]


def use_color() -> bool:
    """Return whether standard output shows color: a capable terminal, and NO_COLOR not set (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]], *, flexible: Collection[int] = ()) -> None:
    """Print columns aligned by their width on a terminal. Print nothing without rows.

    A table that is too wide for the screen is fitted by cutting the columns `flexible`, see `tables.aligned`.
    """
    if rows:
        width = screen_width() if flexible else None
        first, *lines = aligned(head, [list(map(safe, row)) for row in rows], flexible=flexible, width=width)
        print_line(first, bold=True)
        for line in lines:
            print_line(line)


def print_wrapped_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns as `print_table`. On a terminal, the last one continues below itself where it is too long."""
    if not rows:
        return
    *before, _last = (max(map(width_of, column)) for column in zip(head, *rows, strict=True))
    start = sum(before) + 2 * len(before)
    room = screen_width() - start
    if not sys.stdout.isatty() or room < _MIN_ROOM:
        print_table(head, rows)
        return
    lines: list[Sequence[str]] = []
    for *cells, last in rows:
        first, *others = wrapped(safe(last), room)
        lines += [[*cells, first], *([*([""] * len(cells)), line] for line in others)]
    print_table(head, lines)


def print_paragraph(text: str, *, indent: str = "", color: str | None = None) -> None:
    """Print a text in lines that fit on the screen."""
    for line in wrapped(safe(text), screen_width() - len(indent)):
        print_line(f"{indent}{line}", color=color)


def screen_width() -> int:
    """Return the columns of the screen, at least 60; 80 in a pipe, unless $COLUMNS says otherwise."""
    return max(60, shutil.get_terminal_size().columns)


def safe(text: str) -> str:
    """Return lines from outside without what could change a terminal, but for this program's own styles."""
    if text.isprintable():
        return text
    pieces = _LINE_OR_STYLE.split(text)  # every second one is a separator
    return "".join(piece if index % 2 else printable(piece) for index, piece in enumerate(pieces))


def _escape_unprintable(character: re.Match[str]) -> str:
    return character[0] if printable(character[0]) == character[0] else json.dumps(character[0])[1:-1]


def local_time(moment: datetime | None, zone: ZoneInfo) -> str:
    """Return a moment in the user's zone, or "never"."""
    return _("never") if moment is None else local_text(moment, zone)


class Progress:
    """A line on a terminal's standard error that counts during a long task and disappears at its end."""

    @staticmethod
    def is_visible() -> bool:
        """Return whether there is a terminal that can erase a line."""
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def __init__(self, task: str, count_text: Callable[[int], str]) -> None:
        """Show at once that the task is running. `count_text` returns a number with its unit, such as "2 cases"."""
        self._task, self._count_text, self._last_shown = task, count_text, 0.0
        self._show("...")

    def __call__(self, number: int) -> None:
        """Show the number so far, at most a few times a second."""
        if time.monotonic() - self._last_shown > _UPDATE_INTERVAL:
            self._show(self._count_text(number))

    def clear(self) -> None:
        """Erase the line."""
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()

    def _show(self, text: str) -> None:
        self._last_shown = time.monotonic()
        sys.stderr.write(f"\r\x1b[K{self._task}: {text}")
        sys.stderr.flush()
