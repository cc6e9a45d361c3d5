"""Blocks of text, rendered as plain text and as HTML. Pure.

The content of a block is always text. Only this module writes markup, and only `Link` writes addresses.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Final, TypeAlias

from watcher.model.alert import AlertText

GAP: Final = {"short": "\n", "full": "\n\n"}
"""What separates the parts of a body, by its detail."""

MAX_BODY_LENGTH: Final = {"short": 350, "full": 1_500}
"""Characters of a body, by its detail."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text with an optional label before it."""

    text: str
    label: str = ""

    def plain(self) -> str:
        """Return the plain text."""
        return f"{self.label}: {self.text}" if self.label else self.text

    def html(self) -> str:
        """Return the HTML."""
        label = f"<strong>{escape(self.label)}:</strong> " if self.label else ""
        return f"<p>{label}{escape(self.text)}</p>"


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines with an optional label above them."""

    lines: Sequence[str]
    label: str = ""

    def plain(self) -> str:
        """Return the plain text."""
        return "\n".join([*([f"{self.label}:"] if self.label else []), *(f"- {line}" for line in self.lines)])

    def html(self) -> str:
        """Return the HTML."""
        label = f"<p><strong>{escape(self.label)}:</strong></p>" if self.label else ""
        return f"{label}<ul>{''.join(f'<li>{escape(line)}</li>' for line in self.lines)}</ul>"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading."""

    text: str

    def plain(self) -> str:
        """Return the plain text."""
        return self.text

    def html(self) -> str:
        """Return the HTML."""
        return f"<h3>{escape(self.text)}</h3>"


@dataclass(frozen=True, slots=True)
class Link:
    """An address from a portal's fixed table, or on the program's own page, with its label."""

    label: str
    address: str

    def plain(self) -> str:
        """Return the plain text."""
        return f"{self.label}: {self.address}"

    def html(self) -> str:
        """Return the HTML."""
        return f'<p>{escape(self.label)}: <a href="{escape(self.address)}">{escape(self.address)}</a></p>'


@dataclass(frozen=True, slots=True)
class Preformatted:
    """Blocks that were rendered before and are inserted unchanged, in both forms."""

    text: str
    markup: str

    def plain(self) -> str:
        """Return the plain text."""
        return self.text

    def html(self) -> str:
        """Return the HTML."""
        return self.markup


Block: TypeAlias = Paragraph | Listing | Heading | Link | Preformatted


def as_plain(blocks: Sequence[Block], *, gap: str = GAP["full"]) -> str:
    """Return the blocks as plain text, separated by empty lines or by `gap`."""
    return gap.join(block.plain() for block in blocks)


def as_html(blocks: Sequence[Block]) -> str:
    """Return the blocks as HTML, one on each line."""
    return "\n".join(block.html() for block in blocks)


def append_note(text: AlertText, sentence: str) -> AlertText:
    """Add a note at the end of an alert's body and HTML."""
    body, gap = _with_room(text.body, sentence)
    return replace(text, body=f"{body}{gap}{sentence}", html=f"{text.html}\n{Paragraph(sentence).html()}")


def prepend_note(text: AlertText, sentence: str) -> AlertText:
    """Add a note at the beginning of an alert's body and HTML."""
    body, gap = _with_room(text.body, sentence)
    return replace(text, body=f"{sentence}{gap}{body}", html=f"{Paragraph(sentence).html()}\n{text.html}")


def _with_room(body: str, note: str) -> tuple[str, str]:
    """Return the body with room for a note within its length, and the gap between its parts.

    Its last parts but one go first: the first says what happened, and the last one is usually a link.
    """
    detail = "short" if len(body) <= MAX_BODY_LENGTH["short"] and GAP["full"] not in body else "full"
    gap, limit = GAP[detail], MAX_BODY_LENGTH[detail]
    parts = body.split(gap)
    if len(body) > limit:  # a digest, which has its own limit
        return body, gap
    while len(parts) > 2 and len(gap.join([*parts, note])) > limit:  # noqa: PLR2004 - the first and the last
        del parts[-2]
    return gap.join(parts), gap
