"""Blocks of text, rendered as plain text and as HTML. Pure.

The content of a block is always text. Only this module writes markup, and only `Link` writes addresses.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TypeAlias

from watcher.model.alert import AlertText


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
    """An address from a portal's fixed table, with its label."""

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


def as_plain(blocks: Sequence[Block]) -> str:
    """Return the blocks as plain text, separated by empty lines."""
    return "\n\n".join(block.plain() for block in blocks)


def as_html(blocks: Sequence[Block]) -> str:
    """Return the blocks as HTML, one on each line."""
    return "\n".join(block.html() for block in blocks)


def append_paragraph(text: AlertText, sentence: str) -> AlertText:
    """Add a paragraph at the end of an alert's body and HTML."""
    block = Paragraph(sentence)
    return replace(text, body=f"{text.body}\n\n{block.plain()}", html=f"{text.html}\n{block.html()}")


def prepend_paragraph(text: AlertText, sentence: str) -> AlertText:
    """Add a paragraph at the beginning of an alert's body and HTML."""
    block = Paragraph(sentence)
    return replace(text, body=f"{block.plain()}\n\n{text.body}", html=f"{block.html()}\n{text.html}")
