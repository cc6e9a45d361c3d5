"""A text made of a few kinds of block, set as plain text and as HTML. Pure.

Everything in a block is text. The only markup and the only addresses in the HTML are those written here, from blocks
of their own kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text, with a label before it where it has one."""

    text: str
    label: str = ""

    def plain(self) -> str:
        """As plain text."""
        return f"{self.label}: {self.text}" if self.label else self.text

    def html(self) -> str:
        """As HTML."""
        label = f"<strong>{escape(self.label)}:</strong> " if self.label else ""
        return f"<p>{label}{escape(self.text)}</p>"


@dataclass(frozen=True, slots=True)
class Listing:
    """Some lines, with a label above them where they have one."""

    lines: Sequence[str]
    label: str = ""

    def plain(self) -> str:
        """As plain text."""
        return "\n".join([*([f"{self.label}:"] if self.label else []), *(f"- {line}" for line in self.lines)])

    def html(self) -> str:
        """As HTML."""
        label = f"<p><strong>{escape(self.label)}:</strong></p>" if self.label else ""
        return f"{label}<ul>{''.join(f'<li>{escape(line)}</li>' for line in self.lines)}</ul>"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading."""

    text: str

    def plain(self) -> str:
        """As plain text."""
        return self.text

    def html(self) -> str:
        """As HTML."""
        return f"<h3>{escape(self.text)}</h3>"


@dataclass(frozen=True, slots=True)
class Link:
    """An address of a fixed table with its label."""

    label: str
    address: str

    def plain(self) -> str:
        """As plain text."""
        return f"{self.label}: {self.address}"

    def html(self) -> str:
        """As HTML."""
        return f'<p>{escape(self.label)}: <a href="{escape(self.address)}">{escape(self.address)}</a></p>'


@dataclass(frozen=True, slots=True)
class Preformatted:
    """Blocks that were set before and go in as they are, in both forms."""

    text: str
    markup: str

    def plain(self) -> str:
        """As plain text."""
        return self.text

    def html(self) -> str:
        """As HTML."""
        return self.markup


Block: TypeAlias = Paragraph | Listing | Heading | Link | Preformatted


def as_plain(blocks: Sequence[Block]) -> str:
    """The blocks as plain text, an empty line between them."""
    return "\n\n".join(block.plain() for block in blocks)


def as_html(blocks: Sequence[Block]) -> str:
    """The blocks as HTML, one on each line."""
    return "\n".join(block.html() for block in blocks)
