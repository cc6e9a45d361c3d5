"""Marks that stand for the token of an alert's link, in a text that is written before the alert is sent.

The token is made when the alert is sent, so that no stored text contains it. A mark is as long as a token, so that a
text has the same length before and after; it is one character for private use, which no text from a portal contains.
"""

import re
from typing import Final

TOKEN_LENGTH: Final = 22
"""Characters of a token: 128 random bits in URL-safe Base64."""

LINK_MARK: Final = "\ue001" * TOKEN_LENGTH
HIDDEN: Final = "…"
"""What stands for the token where an alert is shown and not sent."""

_LINK: Final = re.compile(rf"https?://[^\s\"<>]*{LINK_MARK}")


def marked_link(page: str) -> str:
    """Return the link of an alert to the page with this address."""
    return f"{page.rstrip('/')}/a/{LINK_MARK}"


def link_in(text: str) -> str:
    """Return the first link with a mark in a text; "" if there is none."""
    found = _LINK.search(text)
    return found[0] if found else ""


def without_link(text: str) -> str:
    """Return a text that is shown, without the line of its link."""
    lines = [line for line in text.split("\n") if not line.endswith(f"/a/{HIDDEN}")]
    return "\n".join(lines).rstrip()


def with_token(text: str, token: str) -> str:
    """Return a text with the token instead of marks."""
    return text.replace(LINK_MARK, token)
