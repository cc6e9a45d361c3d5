"""Several alerts told as one, from their words as they are stored. Pure.

Words are fixed when an alert is written, so a digest is put together from them and looks nothing up. What an alert is
about stands at the beginning of its title ("IOE••••••0001 (I-485): Approved"), and alerts are grouped by that.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from watcher.alerts.text_blocks import Block, Heading, Listing, Paragraph, Preformatted, as_html, as_plain
from watcher.language.catalogue import Catalogue, load_catalogue
from watcher.model.alert import AlertText

MOST_IN_FULL = 30
"""How many alerts a digest tells whole; of the others it gives the titles."""

MOST_LISTED = 100
"""How many titles are listed; the rest is counted."""

_LONGEST_SHORT = 140


def render_digest(alerts: Sequence[AlertText], *, language: str) -> AlertText:
    """Several alerts as one, grouped by case in the order in which the cases first come; there is at least one.

    One alert stays as it is. What all of them say at their ends (the official site, no legal advice) is said once.
    """
    if len(alerts) == 1:
        return alerts[0]
    words = load_catalogue(language)
    shared = min(
        _shared_end(alert.body.split("\n\n") for alert in alerts),
        _shared_end(alert.html.split("\n") for alert in alerts),
    )
    blocks: list[Block] = []
    for about, group in _by_case(alerts[:MOST_IN_FULL]).items():
        blocks += [Heading(about)] if about else []
        for alert in group:
            blocks += [Paragraph(_parts(alert)[1]), _beginning(alert, shared)]
    if len(alerts) > MOST_IN_FULL:
        blocks.append(_listed(alerts[MOST_IN_FULL:], words))
    if shared:
        blocks.append(_end(alerts[0], shared))
    return _gathered(blocks, alerts, words)


def render_batch(alerts: Sequence[AlertText], *, language: str) -> AlertText:
    """Many alerts that came at once as one that lists and counts them; there is at least one.

    A flood is usually a portal that gave many cases new words on one day; the words say so, and promise nothing.
    """
    if len(alerts) == 1:
        return alerts[0]
    words = load_catalogue(language)
    counted = Counter(_parts(alert)[1] for alert in alerts).most_common(MOST_LISTED)
    summary = [words.format("digest", "line_count", line=line, count=str(number)) for line, number in counted]
    blocks: list[Block] = [Paragraph(words.message("digest", "flood")), Listing(summary), _listed(alerts, words)]
    return _gathered(blocks, alerts, words)


def _parts(alert: AlertText) -> tuple[str, str]:
    """What the alert is about, as far as its title says, and what happened."""
    about, separator, headline = alert.title.partition(": ")
    return (about, headline) if separator else ("", alert.title)


def _by_case(alerts: Iterable[AlertText]) -> dict[str, list[AlertText]]:
    groups: dict[str, list[AlertText]] = {}
    for alert in alerts:
        groups.setdefault(_parts(alert)[0], []).append(alert)
    return groups


def _listed(alerts: Sequence[AlertText], catalogue: Catalogue) -> Listing:
    titles = [alert.title for alert in alerts[:MOST_LISTED]]
    left = len(alerts) - len(titles)
    if left:
        titles.append(catalogue.format("digest", "more", alerts=catalogue.plural("alerts", left)))
    return Listing(titles)


def _shared_end(texts: Iterable[list[str]]) -> int:
    """How many blocks at the end all texts have in common. Each keeps its first, and lists, which are about a case."""
    shared = 0
    for blocks in zip(*(text[:0:-1] for text in texts), strict=False):
        if len(set(blocks)) > 1 or "\n" in blocks[0] or "<ul>" in blocks[0]:
            break
        shared += 1
    return shared


def _beginning(alert: AlertText, shared: int) -> Preformatted:
    plain, html = alert.body.split("\n\n"), alert.html.split("\n")
    return Preformatted("\n\n".join(plain[: len(plain) - shared]), "\n".join(html[: len(html) - shared]))


def _end(alert: AlertText, shared: int) -> Preformatted:
    return Preformatted("\n\n".join(alert.body.split("\n\n")[-shared:]), "\n".join(alert.html.split("\n")[-shared:]))


def _gathered(blocks: Sequence[Block], alerts: Sequence[AlertText], catalogue: Catalogue) -> AlertText:
    topics = len({about for alert in alerts if (about := _parts(alert)[0])})
    count = catalogue.plural("alerts", len(alerts))
    title = catalogue.format(
        "digest", "title", alerts=count, topics=catalogue.plural("topics", topics) if topics else ""
    )
    short = f"{title}. {alerts[0].title}"
    return AlertText(
        title=title,
        body=as_plain(blocks),
        html=as_html(blocks),
        short=short if len(short) <= _LONGEST_SHORT else title,
    )
