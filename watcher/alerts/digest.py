"""Several alerts as one, made from their stored text. Pure.

The text of an alert is fixed when it is written, so a digest uses only that text. The subject of an alert is the
beginning of its title ("IOE••••••0001 (I-485): Approved"), and alerts are grouped by it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from watcher.alerts.style import MAX_SHORT_LENGTH
from watcher.alerts.text_blocks import Block, Heading, Listing, Paragraph, Preformatted, as_html, as_plain
from watcher.language.catalogue import Catalogue, load_catalogue
from watcher.model.alert import AlertText

MAX_FULL_ALERTS = 30
"""Alerts that a digest includes completely; it lists only the titles of the others."""

MAX_COUNTED_HEADLINES = 100
"""Headlines that a flood message counts before it lists all titles."""


def render_digest(alerts: Sequence[AlertText], *, language: str) -> AlertText:
    """Combine one or more alerts, grouped by case in the order of each case's first alert. Urgent ones come first.

    A single alert is returned unchanged. What all of them end with (the official site, no legal advice) occurs once.
    """
    if len(alerts) == 1:
        return alerts[0]
    catalogue = load_catalogue(language)
    shared = min(
        _shared_blocks(alert.body.split("\n\n") for alert in alerts),
        _shared_blocks(alert.html.split("\n") for alert in alerts),
    )
    blocks: list[Block] = []
    for subject, group in _by_case(alerts[:MAX_FULL_ALERTS]).items():
        blocks += [Heading(subject)] if subject else []
        for alert in group:
            blocks += [Paragraph(_split_title(alert)[1]), _without_end(alert, shared)]
    if len(alerts) > MAX_FULL_ALERTS:
        blocks.append(_title_list(alerts[MAX_FULL_ALERTS:]))
    if shared:
        blocks.append(_end(alerts[0], shared))
    return _combined(blocks, alerts, catalogue)


def render_batch(alerts: Sequence[AlertText], *, language: str) -> AlertText:
    """Combine one or more alerts that came at once into one that lists and counts them.

    Usually a portal reworded the status of many cases on one day. The text says so, but does not claim it.
    """
    if len(alerts) == 1:
        return alerts[0]
    catalogue = load_catalogue(language)
    counts = Counter(_split_title(alert)[1] for alert in alerts).most_common(MAX_COUNTED_HEADLINES)
    summary = [catalogue.format("digest", "line_count", line=line, count=str(number)) for line, number in counts]
    introduction = Paragraph(catalogue.message("digest", "flood"))
    return _combined([introduction, Listing(summary), _title_list(alerts)], alerts, catalogue)


def _split_title(alert: AlertText) -> tuple[str, str]:
    """Return the subject of the alert (or ""), and what happened."""
    subject, separator, headline = alert.title.partition(": ")
    return (subject, headline) if separator else ("", alert.title)


def _by_case(alerts: Iterable[AlertText]) -> dict[str, list[AlertText]]:
    groups: dict[str, list[AlertText]] = {}
    for alert in alerts:
        groups.setdefault(_split_title(alert)[0], []).append(alert)
    return groups


def _title_list(alerts: Sequence[AlertText]) -> Listing:
    return Listing(list(dict.fromkeys(alert.title for alert in alerts)))


def _shared_blocks(texts: Iterable[list[str]]) -> int:
    """Count the blocks that all texts end with, except the first block and lists, which concern one case."""
    shared = 0
    for blocks in zip(*(text[:0:-1] for text in texts), strict=False):
        if len(set(blocks)) > 1 or "\n" in blocks[0] or "<ul>" in blocks[0]:
            break
        shared += 1
    return shared


def _without_end(alert: AlertText, shared: int) -> Preformatted:
    plain, html = alert.body.split("\n\n"), alert.html.split("\n")
    return Preformatted("\n\n".join(plain[: len(plain) - shared]), "\n".join(html[: len(html) - shared]))


def _end(alert: AlertText, shared: int) -> Preformatted:
    return Preformatted("\n\n".join(alert.body.split("\n\n")[-shared:]), "\n".join(alert.html.split("\n")[-shared:]))


def _combined(blocks: Sequence[Block], alerts: Sequence[AlertText], catalogue: Catalogue) -> AlertText:
    topics = len({subject for alert in alerts if (subject := _split_title(alert)[0])})
    count = catalogue.plural("alerts", len(alerts))
    title = catalogue.format(
        "digest", "title", alerts=count, topics=catalogue.plural("topics", topics) if topics else ""
    )
    short = f"{title}. {alerts[0].title}"
    return AlertText(
        title=title,
        body=as_plain(blocks),
        html=as_html(blocks),
        short=short if len(short) <= MAX_SHORT_LENGTH else title,
    )
