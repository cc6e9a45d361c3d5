"""The words of USCIS: markup as inert plain text, the day that a text names, a form by its number. Pure."""

import html
import re
import unicodedata
from datetime import date, datetime
from html.parser import HTMLParser

_BREAKING = frozenset({"address", "br", "div", "dd", "dt", "h1", "h2", "h3", "h4", "li", "p", "td", "th", "tr", "ul"})
_UNSEEN = frozenset({"script", "style", "template", "noscript"})
_FORM = re.compile(r"([A-Z]{1,4})-?([0-9]{2,4}[A-Z]{0,3})", re.ASCII)
_STATED = re.compile(r"\b(?:On|As of) ([A-Z][a-z]{2,8})\.? (\d{1,2}), (\d{4})\b")


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


def stated_day(text: str) -> date | None:
    """The day in the "On July 9, 2026" or "As of July 9, 2026" of an English status text; None without one."""
    found = _STATED.search(text)
    if found is None:
        return None
    for month in ("%B", "%b"):
        try:
            return datetime.strptime(" ".join(found.groups()), f"{month} %d %Y").date()  # noqa: DTZ007 - a day alone
        except ValueError:
            continue
    return None


def hyphenated(form: str) -> str:
    """A form by its number, with its hyphen: `I485` and `I-485` are both `I-485`. What is no number stays as it is."""
    found = _FORM.fullmatch(form.strip().upper())
    return f"{found[1]}-{found[2]}" if found else plain_text(form)
