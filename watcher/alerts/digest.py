"""Several alerts as one, made from their stored text. Pure.

The text of an alert is fixed when it is written, so a digest uses only that text. The subject of an alert is the
beginning of its title ("IOE••••••0001 (I-485): Approved"), and alerts are grouped by it.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from watcher.alerts.packing import Form, Part, bytes_of, pack
from watcher.alerts.sentences import sentences
from watcher.alerts.sms import sms_of
from watcher.alerts.text_blocks import GAP, Block, Heading, Link, Listing, Paragraph, Preformatted, as_html, as_plain
from watcher.alerts.title import cut_title
from watcher.language.catalogue import Catalogue, load_catalogue
from watcher.model.alert import AlertText
from watcher.text.link_marks import link_in

MAX_CHAT_BYTES: Final = 4_096
"""Bytes of a message, title and body, that every chat service takes in one piece."""

MAX_FULL_ALERTS: Final = 30
"""Alerts that a digest includes completely, at most; it lists the titles of the others, whose texts may be empty."""

MAX_COUNTED_HEADLINES: Final = 100
"""Headlines that a flood message counts before it lists all titles."""

_UNLIMITED: Final = 2**31


def render_digest(alerts: Sequence[AlertText], *, language: str, max_bytes: int | None = None) -> AlertText:
    """Combine one or more alerts, grouped by case in the order of each case's first alert. Urgent ones come first.

    A single alert is returned unchanged. What all of them end with (the official site, no legal advice) occurs once.
    Within `max_bytes`, all alerts are named before the first ones are included completely.
    """
    if len(alerts) == 1:
        return alerts[0]
    catalogue = load_catalogue(language)
    title, link = _title(alerts, catalogue), _link(alerts, catalogue)
    if max_bytes is None:
        blocks = _entries(alerts, alerts[:MAX_FULL_ALERTS], catalogue)
    else:
        blocks = _limited(alerts, max_bytes - _size([Paragraph(title), *link, Paragraph("")]), catalogue)
    if link and link[0].address not in as_plain(blocks):
        blocks += link
    return _combined(title, blocks, alerts, catalogue)


def render_batch(alerts: Sequence[AlertText], *, language: str, max_bytes: int | None = None) -> AlertText:
    """Combine one or more alerts that came at once into one that lists and counts them.

    Usually an agency reworded the status of many cases on one day. The text says so, but does not claim it. Within
    `max_bytes`, the first alerts are named.
    """
    if len(alerts) == 1:
        return alerts[0]
    catalogue = load_catalogue(language)
    title, link = _title(alerts, catalogue), _link(alerts, catalogue)
    counts = Counter(_split_title(alert)[1] for alert in alerts).most_common(MAX_COUNTED_HEADLINES)
    summary = [catalogue.format("digest", "line_count", line=line, count=str(number)) for line, number in counts]
    parts = [
        Part(pieces=sentences(catalogue.message("digest", "flood"), commands=not link), rank=1),
        Part(pieces=tuple(summary), rank=3, form=Form.LINES),
        Part(pieces=tuple(_titles(alerts)), rank=2, form=Form.LINES, counted=True),
        *(Part(pieces=(block.label, block.address), rank=-1, form=Form.LINK) for block in link),
    ]
    limit = _UNLIMITED if max_bytes is None else max_bytes - bytes_of(title) - len(GAP["full"])
    blocks = pack(parts, limit=limit, gap=GAP["full"], more=lambda number: _more(number, catalogue), size=bytes_of)
    return _combined(title, blocks, alerts, catalogue)


def _link(alerts: Sequence[AlertText], catalogue: Catalogue) -> list[Link]:
    """Return the link to the page, if the alerts have one: it is the same for all alerts of a message."""
    address = next(filter(None, (link_in(alert.body) for alert in alerts)), "")
    return [Link(catalogue.message("general", "page"), address)] if address else []


def _limited(alerts: Sequence[AlertText], limit: int, catalogue: Catalogue) -> list[Block]:
    """Return the alerts that fit into `limit` bytes: as many as possible by title, the first of them completely."""

    def named_size(count: int) -> int:
        return _size(_entries(alerts, (), catalogue, named=alerts[:count]))

    count = len(alerts)
    if named_size(count) > limit:
        count = max(1, bisect_right(range(1, count), limit, key=named_size))
    named = alerts[:count]
    complete: list[AlertText] = []
    for alert in named[:MAX_FULL_ALERTS]:
        if _size(_entries(alerts, [*complete, alert], catalogue, named=named)) > limit:
            break
        complete.append(alert)
    return _entries(alerts, complete, catalogue, named=named)


def _entries(
    alerts: Sequence[AlertText],
    complete: Collection[AlertText],
    catalogue: Catalogue,
    *,
    named: Sequence[AlertText] | None = None,
) -> list[Block]:
    """Return the alerts of `complete` with their bodies, others of `named` by title, and a count of the rest."""
    included, named = list(complete), alerts if named is None else named
    shared = _shared_parts(included) if len(included) > 1 else 0
    blocks: list[Block] = []
    for subject, group in _by_case(included).items():
        blocks += [Heading(subject)] if subject else []
        for alert in group:
            blocks += [Paragraph(_split_title(alert)[1]), _without_end(alert, shared)]
    titles = list(_titles(named[len(included) :]))
    if len(named) < len(alerts):
        titles.append(_more(len(alerts) - len(named), catalogue))
    blocks += [Listing(titles)] if titles else []
    return [*blocks, _end(included[0], shared)] if shared else blocks


def _size(blocks: Sequence[Block]) -> int:
    return bytes_of(as_plain(blocks))


def _more(number: int, catalogue: Catalogue) -> str:
    return catalogue.format("digest", "more", count=str(number))


def _split_title(alert: AlertText) -> tuple[str, str]:
    """Return the subject of the alert (or ""), and what happened."""
    subject, separator, headline = alert.title.partition(": ")
    return (subject, headline) if separator else ("", alert.title)


def _by_case(alerts: Iterable[AlertText]) -> dict[str, list[AlertText]]:
    groups: dict[str, list[AlertText]] = {}
    for alert in alerts:
        groups.setdefault(_split_title(alert)[0], []).append(alert)
    return groups


def _titles(alerts: Sequence[AlertText]) -> Iterable[str]:
    return dict.fromkeys(alert.title for alert in alerts)


def _parts_of(alert: AlertText) -> list[str]:
    return alert.body.split(_gap_of(alert))


def _gap_of(alert: AlertText) -> str:
    return GAP["full"] if GAP["full"] in alert.body else GAP["short"]


def _shared_parts(alerts: Sequence[AlertText]) -> int:
    """Count the parts that all alerts end with, except the first part and lists, which concern one case."""
    plain = _shared([_parts_of(alert) for alert in alerts])
    return min(plain, _shared([alert.html.split("\n") for alert in alerts]))


def _shared(texts: Iterable[list[str]]) -> int:
    shared = 0
    for parts in zip(*(text[:0:-1] for text in texts), strict=False):
        if len(set(parts)) > 1 or "\n" in parts[0] or parts[0].startswith("- ") or "<ul>" in parts[0]:
            break
        shared += 1
    return shared


def _without_end(alert: AlertText, shared: int) -> Preformatted:
    plain, html = _parts_of(alert), alert.html.split("\n")
    return Preformatted(_gap_of(alert).join(plain[: len(plain) - shared]), "\n".join(html[: len(html) - shared]))


def _end(alert: AlertText, shared: int) -> Preformatted:
    return Preformatted(_gap_of(alert).join(_parts_of(alert)[-shared:]), "\n".join(alert.html.split("\n")[-shared:]))


def _title(alerts: Sequence[AlertText], catalogue: Catalogue) -> str:
    topics = len({subject for alert in alerts if (subject := _split_title(alert)[0])})
    count = catalogue.plural("alerts", len(alerts))
    shown = catalogue.plural("topics", topics) if topics else ""
    return cut_title(catalogue.format("digest", "title", alerts=count, topics=shown))


def _combined(title: str, blocks: Sequence[Block], alerts: Sequence[AlertText], catalogue: Catalogue) -> AlertText:
    link = next((block.address for block in _link(alerts, catalogue)), "")
    short = sms_of(f"{title}. {alerts[0].title}", catalogue, link=link)
    return AlertText(title=title, body=as_plain(blocks), html=as_html(blocks), short=short)
