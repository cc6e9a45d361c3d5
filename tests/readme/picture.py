"""The picture of a notification on a phone, as an SVG file for the README."""

import textwrap
from collections.abc import Iterator
from html import escape

from watcher.model.alert import AlertText

_WIDTH = 560
_LINE = 22
_MARGIN = 24
_BODY_COLUMNS = 64
_TITLE_COLUMNS = 52
_FONT = "-apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def picture(alert: AlertText) -> str:
    """Return the alert as a card on a phone's screen. It contains the title and the body, word for word."""
    title = textwrap.wrap(alert.title, _TITLE_COLUMNS)
    body = [line for paragraph in alert.body.splitlines() for line in textwrap.wrap(paragraph, _BODY_COLUMNS)]
    height = 2 * _MARGIN + 64 + _LINE * (len(title) + len(body)) + 8
    return "\n".join(_lines(title, body, height, alert)) + "\n"


def _lines(title: list[str], body: list[str], height: int, alert: AlertText) -> Iterator[str]:
    card = f'width="{_WIDTH - 2 * _MARGIN}" height="{height - 2 * _MARGIN}" rx="18" fill="#ffffff"'
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" '
        f'role="img" font-family="{_FONT}">'
    )
    yield f"<title>{escape(alert.title)}</title>"
    yield f'<rect width="{_WIDTH}" height="{height}" rx="28" fill="#27364a"/>'
    yield f'<rect x="{_MARGIN}" y="{_MARGIN}" {card}/>'
    left, top = _MARGIN + 20, _MARGIN + 36
    yield f'<rect x="{left}" y="{top - 16}" width="20" height="20" rx="5" fill="#2f7d5d"/>'
    yield _text("case-watcher", left + 30, top, size=13, fill="#5b6470")
    yield _text("now", _WIDTH - left, top, size=13, fill="#5b6470", anchor="end")
    top += 34
    for line in title:
        yield _text(line, left, top, size=16, fill="#10151c", weight=600)
        top += _LINE
    for line in body:
        yield _text(line, left, top + 4, size=14, fill="#2a313a")
        top += _LINE
    yield "</svg>"


def _text(text: str, x: int, y: int, *, size: int, fill: str, weight: int = 400, anchor: str = "start") -> str:
    look = f'font-size="{size}" font-weight="{weight}" fill="{fill}" text-anchor="{anchor}"'
    return f'<text x="{x}" y="{y}" {look}>{escape(text)}</text>'
