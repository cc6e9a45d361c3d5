"""The first alert about an account: which cases are watched from now on. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from watcher.alerts.routing import route_to_all
from watcher.alerts.style import MAX_SHORT_LENGTH, TextStyle
from watcher.alerts.text_blocks import Block, Link, Listing, Paragraph, as_html, as_plain
from watcher.clock.timestamps import iso_text
from watcher.language.catalogue import load_catalogue
from watcher.model.alert import AlertDraft, AlertText
from watcher.model.case import Snapshot
from watcher.model.writes import WriteSet
from watcher.settings import Settings

_MAX_TITLE_LENGTH = 120
_MAX_CASES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedCase:
    """A case that is watched from now on.

    `days_without_change` is how long it has been in its stage if that is longer than its threshold, else None.
    """

    snapshot: Snapshot
    days_without_change: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstContact:
    """The subject of the first alert about an account. `caution` is the key of a message in `[caution]`, or ""."""

    account: str
    portal_title: str
    link: str
    cases: Sequence[WatchedCase]
    caution: str = ""


def compose_first_contact(contact: FirstContact, settings: Settings, *, now: datetime) -> WriteSet:
    """Return the alert for every channel of the account, whatever its `min_severity`. `now` is aware."""
    drafts = []
    for routed in route_to_all(contact.account, settings.channels, zone=settings.timezone, now=now.astimezone(UTC)):
        style = TextStyle(
            catalogue=load_catalogue(settings.language),
            zone=settings.timezone,
            privacy=settings.channels[routed.channel].privacy,
        )
        drafts.append(AlertDraft(routed=routed, text=render_first_contact(contact, style)))
    return WriteSet(account=contact.account, drafts=tuple(drafts))


def render_first_contact(contact: FirstContact, style: TextStyle) -> AlertText:
    """Return the text. With `minimal` privacy it says only how many cases are watched."""
    count = style.plural("cases", len(contact.cases))
    if style.privacy == "minimal":
        title = style.catalogue.format("first_contact", "title", cases=count)
        blocks: list[Block] = [Paragraph(f"{title}.")]
    else:
        title = _title(contact, count, style)
        blocks = list(_blocks(contact, style))
    masked = TextStyle(catalogue=style.catalogue, zone=style.zone, privacy="masked")
    short = title if style.privacy == "minimal" else _title(contact, count, masked)
    return AlertText(
        title=_cut(title, _MAX_TITLE_LENGTH),
        body=as_plain(blocks),
        html=as_html(blocks),
        short=_cut(short, MAX_SHORT_LENGTH),
    )


def _title(contact: FirstContact, count: str, style: TextStyle) -> str:
    names = ", ".join(_name(case.snapshot, style) for case in contact.cases[:_MAX_CASES])
    return style.catalogue.format("first_contact", "title", cases=count, names=names)


def _blocks(contact: FirstContact, style: TextStyle) -> Iterator[Block]:
    catalogue = style.catalogue
    if contact.caution:
        yield Paragraph(catalogue.message("caution", contact.caution))
    account = style.portal_text(contact.account) if style.privacy == "full" else ""
    about = catalogue.format("general", "account", portal=style.portal_text(contact.portal_title), account=account)
    yield Paragraph(catalogue.format("first_contact", "plain", about=about))
    lines = [_line(case, style) for case in contact.cases[:_MAX_CASES]]
    if len(contact.cases) > _MAX_CASES:
        more = style.plural("cases", len(contact.cases) - _MAX_CASES)
        lines.append(catalogue.format("first_contact", "more", cases=more))
    yield Listing(lines)
    yield Link(catalogue.message("general", "site"), contact.link)


def _line(case: WatchedCase, style: TextStyle) -> str:
    snapshot = case.snapshot
    return style.catalogue.format(
        "first_contact",
        "line",
        name=_name(snapshot, style),
        status=style.quoted(snapshot.status) or style.catalogue.message("stage", snapshot.stage.value, "name"),
        since=style.day(iso_text(snapshot.status_since)),
        days=style.plural("days", case.days_without_change),
    )


def _name(snapshot: Snapshot, style: TextStyle) -> str:
    form = style.portal_text(snapshot.form, max_length=20)
    return style.catalogue.format("general", "case", number=style.number(snapshot.case_number), form=form)


def _cut(text: str, max_length: int) -> str:
    return text if len(text) <= max_length else text[: max_length - 1].rstrip() + "…"
