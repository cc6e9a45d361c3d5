"""The first alert about an account: which cases are watched from now on. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from watcher.alerts.coverage import covers, is_limited
from watcher.alerts.packing import Form, Part, pack
from watcher.alerts.routing import route_to_all
from watcher.alerts.sms import sms_of
from watcher.alerts.style import Detail, TextStyle, translated
from watcher.alerts.text_blocks import GAP, MAX_BODY_LENGTH, as_html, as_plain
from watcher.alerts.title import case_name, cut_title
from watcher.clock.timestamps import iso_text
from watcher.language.catalogue import load_catalogue
from watcher.messages import Words
from watcher.model.alert import AlertDraft, AlertText
from watcher.model.case import Snapshot
from watcher.model.writes import WriteSet
from watcher.settings import ChannelSettings, Settings

_MAX_CASES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedCase:
    """A case that is watched from now on. `label` is what the user calls it, `person` whose it is.

    `days_without_change` is how long it has been in its stage if that is longer than its threshold, else None.
    `plain_status` has the translations of its status by language. `added` are the changes that say that it is watched.
    """

    snapshot: Snapshot
    days_without_change: int | None = None
    label: str | None = None
    person: str | None = None
    plain_status: Words = field(default_factory=dict)
    added: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstContact:
    """The subject of the first alert about an account. `caution` is the key of a message in `[caution]`, or ""."""

    account: str
    portal_title: str
    link: str
    cases: Sequence[WatchedCase]
    caution: str = ""


def compose_first_contact(contact: FirstContact, settings: Settings, *, now: datetime) -> list[WriteSet]:
    """Return the alerts for every channel with a case of the account, whatever its `min_severity`. `now` is aware.

    A channel that is only for some cases learns of these only, and of the account neither the name nor what to set up.
    There is one write set for the channels with the same cases.
    """
    groups: dict[tuple[int, ...], dict[str, ChannelSettings]] = {}
    for name, channel in settings.channels.items():
        covered = [index for index, case in enumerate(contact.cases) if _covers(channel, contact.account, case)]
        if covered:
            groups.setdefault(tuple(covered), {})[name] = channel
    return [
        _composed(replace(contact, cases=[contact.cases[index] for index in covered]), channels, settings, now)
        for covered, channels in groups.items()
    ]


def _covers(channel: ChannelSettings, account: str, case: WatchedCase) -> bool:
    return covers(channel, account, case.snapshot.case_number, case.person)


def _composed(
    contact: FirstContact, channels: Mapping[str, ChannelSettings], settings: Settings, now: datetime
) -> WriteSet:
    """Return the alerts about these cases for these channels."""
    for_client = replace(contact, account="", caution="")
    drafts = []
    for routed in route_to_all(channels, zone=settings.timezone, now=now.astimezone(UTC)):
        channel = channels[routed.channel]
        catalogue = load_catalogue(settings.language_of(channel.name))
        style = TextStyle(catalogue=catalogue, zone=settings.timezone, privacy=channel.privacy, page=settings.web.url)
        shown = for_client if is_limited(channel) else contact
        drafts.append(AlertDraft(routed=routed, text=render_first_contact(shown, style, channel.text_detail)))
    about = tuple(sorted(change_id for case in contact.cases for change_id in case.added))
    return WriteSet(account=contact.account, drafts=tuple(drafts), about=about)


def render_first_contact(contact: FirstContact, style: TextStyle, detail: Detail = "full") -> AlertText:
    """Return the text. With `minimal` privacy it says only how many cases are watched."""
    count = style.plural("cases", len(contact.cases))
    if style.privacy == "minimal":
        title = style.catalogue.format("first_contact", "title", cases=count)
        parts = [Part(pieces=(f"{title}.",), rank=0)]
        sms = title
    else:
        title, sms = _title(contact, count, style), _title(contact, count, style.for_sms())
        parts = list(_parts(contact, style))
    if style.page:
        parts.append(Part(pieces=(style.catalogue.message("general", "page"), style.link), rank=-1, form=Form.LINK))
    gap = GAP[detail]
    blocks = pack(parts, limit=MAX_BODY_LENGTH[detail], gap=gap, more=lambda number: _more(number, style))
    short = sms_of(sms, style.catalogue, link=style.link)
    return AlertText(title=cut_title(title), body=as_plain(blocks, gap=gap), html=as_html(blocks), short=short)


def _more(number: int, style: TextStyle) -> str:
    key = "more_page" if style.page else "more"
    return style.catalogue.format("first_contact", key, cases=style.plural("cases", number))


def _title(contact: FirstContact, count: str, style: TextStyle) -> str:
    names = ", ".join(_name(case, style) for case in contact.cases[:_MAX_CASES])
    return style.catalogue.format("first_contact", "title", cases=count, names=names)


def _parts(contact: FirstContact, style: TextStyle) -> Iterator[Part]:
    catalogue = style.catalogue
    if contact.caution:
        yield Part(pieces=(catalogue.message("caution", contact.caution),), rank=1)
    account = style.portal_text(contact.account) if style.privacy == "full" else ""
    about = catalogue.format("general", "account", portal=style.portal_text(contact.portal_title), account=account)
    yield Part(pieces=(catalogue.format("first_contact", "plain", about=about),), rank=2)
    lines = tuple(_line(case, style) for case in contact.cases)
    yield Part(pieces=lines, rank=3, form=Form.LINES, counted=True)
    yield Part(pieces=(catalogue.message("general", "site"), contact.link), rank=0, form=Form.LINK)


def _line(case: WatchedCase, style: TextStyle) -> str:
    snapshot = case.snapshot
    return style.catalogue.format(
        "first_contact",
        "line",
        name=_name(case, style),
        status=_status(case, style) or style.catalogue.message("stage", snapshot.stage.value, "name"),
        since=style.day(iso_text(snapshot.status_since)),
        days=style.plural("days", case.days_without_change),
    )


def _status(case: WatchedCase, style: TextStyle) -> str:
    """Return the status in the agency's words, and what they mean if they are in another language."""
    words = style.quoted(case.snapshot.status)
    plain = translated(case.plain_status, case.snapshot.status, style)
    return f"{words} ({style.in_quotes(plain)})" if plain else words


def _name(case: WatchedCase, style: TextStyle) -> str:
    snapshot = case.snapshot
    return case_name(snapshot.case_number, snapshot.form, style, label=case.label, person=case.person)
