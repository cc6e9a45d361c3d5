"""HTML to the text that a person sees."""

import html
import unicodedata
from html.parser import HTMLParser

_BREAKING = frozenset({"address", "br", "div", "dd", "dt", "h1", "h2", "h3", "h4", "li", "p", "td", "th", "tr", "ul"})


_UNSEEN = frozenset({"script", "style", "template", "noscript"})


class _Text(HTMLParser):
    """Collects what a reader of the page would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._unseen += tag in _UNSEEN
        if tag in _BREAKING:
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN and self._unseen:
            self._unseen -= 1
        if tag in _BREAKING:
            self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(data)


def plain_text(markup: str) -> str:
    """What a person would read: tags gone, entities resolved (also those escaped twice), white space collapsed.

    Differences in entities or white space are noise on this portal, and disappear here, as do control characters and
    those that change the direction of writing.
    """
    reader = _Text()
    reader.feed(html.unescape(markup) if "<" not in markup else markup)
    reader.close()
    text = " ".join(html.unescape("".join(reader.pieces)).split())
    return text if text.isascii() and text.isprintable() else "".join(filter(_is_seen, text))


def _is_seen(sign: str) -> bool:
    return unicodedata.category(sign) not in ("Cc", "Cf", "Cs")
