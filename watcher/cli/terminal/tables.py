"""Tables, aligned by the width that characters have on a terminal. Pure.

A table that is too wide is fitted by cutting cells of its flexible columns with an ellipsis. Columns are never broken.
Cells may contain this program's own styles, but not in flexible columns.
"""

import unicodedata
from collections.abc import Collection, Sequence

import click

_GAP = "  "
_ELLIPSIS = "…"
_MIN_WIDTH = 6
_WIDE = frozenset("WF")
_WITHOUT_WIDTH = frozenset({"Mn", "Me", "Cf"})


def aligned(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, flexible: Collection[int] = (), width: int | None = None
) -> list[str]:
    """Return the lines of a table, that of its head first. Fits into `width` by cutting the columns `flexible`."""
    table = [head, *([cell.replace("\n", " ") for cell in row] for row in rows)]
    widths = [max(map(width_of, column)) for column in zip(*table, strict=True)]
    if width is not None:
        _shrink(widths, flexible, width)
    return [_line(cells, widths, flexible) for cells in table]


def wrapped(text: str, width: int) -> list[str]:
    """Return the lines of a paragraph, none wider than `width` unless one word is."""
    lines, used = [""], 0
    for word in text.split():
        space = 1 if lines[-1] else 0
        if space and used + space + width_of(word) > width:
            lines, used, space = [*lines, ""], 0, 0
        lines[-1] += " " * space + word
        used += space + width_of(word)
    return lines


def width_of(text: str) -> int:
    """Return how many columns a text takes: two for a wide character, none for a combining one or a style."""
    visible = click.unstyle(text) if "\x1b" in text else text
    return len(visible) if visible.isascii() else sum(map(_columns, visible))


def cut_to(text: str, width: int) -> str:
    """Return a text that takes at most `width` columns, with an ellipsis in place of the rest."""
    if width_of(text) <= width:
        return text
    kept, used = "", width_of(_ELLIPSIS)
    for character in text:
        used += _columns(character)
        if used > width:
            break
        kept += character
    return kept.rstrip() + _ELLIPSIS


def _columns(character: str) -> int:
    if unicodedata.category(character) in _WITHOUT_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def _shrink(widths: list[int], flexible: Collection[int], width: int) -> None:
    """Take the columns that are missing from the widest flexible ones."""
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - width
    while excess > 0:
        widest = max(flexible, key=lambda column: widths[column], default=None)
        if widest is None or widths[widest] <= _MIN_WIDTH:
            return
        widths[widest] -= 1
        excess -= 1


def _line(cells: Sequence[str], widths: Sequence[int], flexible: Collection[int]) -> str:
    fitting = [cut_to(cell, widths[column]) if column in flexible else cell for column, cell in enumerate(cells)]
    padded = (cell + " " * (width - width_of(cell)) for cell, width in zip(fitting, widths, strict=True))
    return _GAP.join(padded).rstrip()
