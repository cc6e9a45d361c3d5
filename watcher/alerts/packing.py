"""Fit the parts of an alert into its length. Pure.

What matters most is taken first. What does not fit is left out by sentences and by lines, never in the middle of one,
except that a part which must be there is shortened.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TypeAlias

from watcher.alerts.text_blocks import Block, Link, Listing, Paragraph

_MIN_CUT_LENGTH = 20
_ELLIPSIS = "…"


class Form(Enum):
    """How a part is written: sentences of a paragraph, lines of a list, or the label and address of a link."""

    SENTENCES = auto()
    LINES = auto()
    LINK = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A paragraph, list, or link. `rank` is that of its first piece, `rest` (0: too) that of the others.

    A piece of rank 0 must be there.

    `counted`: if lines of a list are left out, its last line says how many.
    """

    pieces: tuple[str, ...]
    rank: int
    rest: int = 0
    label: str = ""
    form: Form = Form.SENTENCES
    counted: bool = False


More: TypeAlias = Callable[[int], str]
Size: TypeAlias = Callable[[str], int]


def bytes_of(text: str) -> int:
    """Return the length of a text in UTF-8."""
    return len(text.encode())


def pack(parts: Sequence[Part], *, limit: int, gap: str, more: More, size: Size = len) -> list[Block]:
    """Return the parts, in their order, that fit into `limit` by `size`; `gap` separates them.

    `more` returns the line that stands for lines left out, by their number.
    """
    packed = _pack(parts, limit, len(gap), size)
    if _left_out(parts, packed):
        # Every line that is left out may add one digit to this line, not more.
        note = size(more(_left_out(parts, packed))) + 4
        packed = _pack(parts, limit - note, len(gap), size)
        left_out = _left_out(parts, packed)
        packed = [
            replace(part, pieces=(*part.pieces, more(left_out))) if whole.counted and left_out else part
            for whole, part in zip(parts, packed, strict=True)
        ]
    return [_block(part) for part in packed if part.pieces]


def cut(text: str, max_length: int) -> str:
    """Shorten `text` to `max_length` characters, where possible at the end of a word."""
    if len(text) <= max_length:
        return text
    start = text[: max_length - 1]
    at_word = start.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > max_length // 2 else start).rstrip(" ,;:") + _ELLIPSIS


def _pack(parts: Sequence[Part], limit: int, gap: int, size: Size) -> list[Part]:
    """Return the parts with those of their pieces that fit."""
    taken: list[list[str]] = [[] for _ in parts]
    order = sorted(
        ((part.rest or part.rank) if position else part.rank, index, position)
        for index, part in enumerate(parts)
        for position in range(1 if part.form is Form.LINK else len(part.pieces))
    )
    used = 0
    for rank, index, position in order:
        part = parts[index]
        if position != len(taken[index]):
            continue  # an earlier piece of this part did not fit
        piece = part.pieces[position]
        extra = _overhead(part, position, size) + (gap if used and not position else 0)
        room = limit - used - extra
        if size(piece) > room and rank == 0 and room >= _MIN_CUT_LENGTH and part.form is not Form.LINK:
            piece = cut(piece, room)
        if size(piece) <= room:
            taken[index].append(piece)
            used += size(piece) + extra
    return [
        replace(part, pieces=part.pieces if part.form is Form.LINK and pieces else tuple(pieces))
        for part, pieces in zip(parts, taken, strict=True)
    ]


def _overhead(part: Part, position: int, size: Size) -> int:
    """Return the characters that stand before a piece, apart from the gap between parts."""
    label = size(f"{part.label}: ") if part.label and not position else 0
    match part.form:
        case Form.LINES:
            return label + len("- ") + (1 if position else 0)
        case Form.LINK:
            return len(": ") + size(part.pieces[1])
        case Form.SENTENCES:
            return label + (1 if position else 0)


def _left_out(parts: Sequence[Part], packed: Sequence[Part]) -> int:
    return sum(len(whole.pieces) - len(part.pieces) for whole, part in zip(parts, packed, strict=True) if whole.counted)


def _block(part: Part) -> Block:
    match part.form:
        case Form.LINES:
            return Listing(part.pieces, label=part.label)
        case Form.LINK:
            return Link(*part.pieces)
        case Form.SENTENCES:
            return Paragraph(" ".join(part.pieces), label=part.label)
