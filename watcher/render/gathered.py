"""Several alerts told as one, from their words as they are stored. Pure.

Words are fixed when an alert is written, so a digest is put together from them and looks nothing up.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from watcher.message import Words
from watcher.render.page import Block, Heading, Listing, Paragraph, Ready, as_html, as_plain
from watcher.words import Catalogue, catalogue

MOST_IN_FULL = 30
"""How many alerts a digest tells whole; of the others it gives the titles."""

MOST_LISTED = 100
"""How many titles are listed; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A stored alert: its words, and what it is about as its title names it (None: not a case)."""

    words: Words
    case: str | None = None


def render_digest(alerts: Sequence[Waiting], *, language: str) -> Words:
    """Several alerts as one, grouped by case in the order in which the cases first come.

    One alert stays as it is. What all of them say at their ends (the official site, no legal advice) is said once.
    """
    if len(alerts) == 1:
        return alerts[0].words
    words = catalogue(language)
    shared = _shared_end(alert.words.body.split("\n\n") for alert in alerts)
    shared = min(shared, _shared_end(alert.words.html.split("\n") for alert in alerts))
    blocks: list[Block] = []
    for case, group in _by_case(alerts[:MOST_IN_FULL]).items():
        blocks.append(Heading(case or words.word("digest", "account")))
        for alert in group:
            blocks += [Paragraph(_headline(alert)), *_body(alert.words, shared)]
    if len(alerts) > MOST_IN_FULL:
        blocks.append(_listed(alerts[MOST_IN_FULL:], words))
    blocks += _end(alerts[0].words, shared)
    return _gathered(blocks, _count(alerts, words, "title"), alerts)


def render_flood(alerts: Sequence[Waiting], *, language: str) -> Words:
    """Many alerts that came at once as one that lists and counts them.

    A flood is usually a portal that gave many cases new words on one day; the words say so, and promise nothing.
    """
    if len(alerts) == 1:
        return alerts[0].words
    words = catalogue(language)
    counted = Counter(_headline(alert) for alert in alerts)
    summary = [_counted(line, number, words) for line, number in counted.most_common(MOST_LISTED)]
    blocks: list[Block] = [Paragraph(words.word("digest", "flood")), Listing(summary), _listed(alerts, words)]
    return _gathered(blocks, _count(alerts, words, "flood_title"), alerts)


def _by_case(alerts: Iterable[Waiting]) -> dict[str | None, list[Waiting]]:
    groups: dict[str | None, list[Waiting]] = {}
    for alert in alerts:
        groups.setdefault(alert.case, []).append(alert)
    return groups


def _headline(alert: Waiting) -> str:
    """The title without what it is about, which stands above it."""
    return alert.words.title.removeprefix(f"{alert.case}: ") if alert.case else alert.words.title


def _counted(line: str, number: int, words: Catalogue) -> str:
    return words.fill("digest", "line_count", line=line, count=str(number)) if number > 1 else line


def _listed(alerts: Sequence[Waiting], words: Catalogue) -> Listing:
    titles = [alert.words.title for alert in alerts[:MOST_LISTED]]
    left = len(alerts) - len(titles)
    if left:
        titles.append(words.fill("digest", "more", alerts=words.many("alerts", left)))
    return Listing(titles)


def _count(alerts: Sequence[Waiting], words: Catalogue, title: str) -> str:
    cases = len({alert.case for alert in alerts if alert.case})
    told = words.many("alerts", len(alerts))
    if not cases:
        return words.fill("digest", "title_plain", alerts=told)
    return words.fill("digest", title, alerts=told, cases=words.many("cases", cases))


def _shared_end(texts: Iterable[list[str]]) -> int:
    """How many blocks at the end all texts have in common; each keeps at least its first."""
    reversed_texts = [text[:0:-1] for text in texts]
    shared = 0
    for blocks in zip(*reversed_texts, strict=False):
        if len(set(blocks)) > 1:
            break
        shared += 1
    return shared


def _body(words: Words, shared: int) -> list[Block]:
    plain, html = words.body.split("\n\n"), words.html.split("\n")
    plain, html = plain[: len(plain) - shared], html[: len(html) - shared]
    return [Ready("\n\n".join(plain), "\n".join(html))]


def _end(words: Words, shared: int) -> list[Block]:
    if not shared:
        return []
    return [Ready("\n\n".join(words.body.split("\n\n")[-shared:]), "\n".join(words.html.split("\n")[-shared:]))]


def _gathered(blocks: Sequence[Block], title: str, alerts: Sequence[Waiting]) -> Words:
    first = alerts[0].words.title
    short = f"{title}: {first}"
    return Words(title=title, body=as_plain(blocks), html=as_html(blocks), short=short if len(short) <= 140 else title)  # noqa: PLR2004
